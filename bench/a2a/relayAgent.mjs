// An agent that answers every message with the same one, as quickly as Node can: `node relayAgent.mjs <port>`.
import { createServer } from "node:http"

const message = { kind: "message", messageId: "x", role: "agent", parts: [{ kind: "text", text: "hello" }] }
const answer = JSON.stringify({ jsonrpc: "2.0", id: 1, result: message })

createServer((request, response) => {
  request.resume()
  request.on("end", () => {
    response.setHeader("content-type", "application/json")
    response.end(answer)
  })
}).listen(Number(process.argv[2]), "127.0.0.1")
