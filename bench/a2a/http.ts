/**
 * HTTP as lean as it goes, on raw sockets that stay open: a heavy client on the same processors would be measured
 * instead of the server.
 *
 * @module
 */
import { connect, type Socket } from "node:net"
import type { Kind } from "./model.ts"

/** Every id has so many characters: the length of a request is then always the same. */
const idLength = 16

/** Makes requests of a method with a text, each with a message id of its own. */
export const requests = (port: number, method: string, params: (id: string) => unknown) => {
  const template = "#".repeat(idLength)
  const body = JSON.stringify({ jsonrpc: "2.0", id: template, method, params: params(template) })
  const head = [
    "POST / HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    "content-type: application/json",
    `accept: ${method === "SendMessage" ? "application/json" : "text/event-stream"}`,
    "a2a-version: 1.0",
    `content-length: ${body.length}`,
    "",
    ""
  ].join("\r\n")
  const pieces = `${head}${body}`.split(template)
  let count = 0
  return () => pieces.join(`${process.pid}-${++count}`.padEnd(idLength, "x"))
}

const textOf: Readonly<Record<Kind, string>> = { message: "say", task: "task", stream: "chunks 10" }

/** A message with a text. */
export const sending = (text: string) => (messageId: string) => ({
  message: { messageId, role: "ROLE_USER", parts: [{ text }] }
})

/** Makes requests of a kind. */
export const requestsOf = (port: number, kind: Kind) =>
  requests(port, kind === "stream" ? "SendStreamingMessage" : "SendMessage", sending(textOf[kind]))

/** The end of the body that begins at `from`, or -1 while it is not all here. */
const endOf = (buffer: string, from: number): number => {
  const length = /\r\ncontent-length: *(\d+)/i.exec(buffer.slice(0, from))
  if (length !== null) {
    const end = from + Number(length[1])
    return buffer.length < end ? -1 : end
  }
  return buffer.endsWith("\r\n0\r\n\r\n") ? buffer.length : -1
}

/** What came back. `body` is as it came, chunks and all; nothing of that can be taken for JSON. */
export interface Answer {
  readonly status: string
  readonly body: string
}

/** One connection, with one request at a time. */
export const connection = (port: number, answered: (answer: Answer) => void, failed: (why: string) => void): Socket => {
  const socket = connect(port, "127.0.0.1")
  let buffer = ""
  socket.setNoDelay(true)
  socket.setEncoding("latin1")
  socket.on("data", (piece: string) => {
    buffer += piece
    const head = buffer.indexOf("\r\n\r\n")
    if (head < 0) return
    const end = endOf(buffer, head + 4)
    if (end < 0) return
    const answer = { status: buffer.slice(9, 12), body: buffer.slice(head + 4, end) }
    buffer = buffer.slice(end)
    answered(answer)
  })
  socket.on("error", (error) => failed(error.message))
  socket.on("end", () => failed("the server has closed the connection"))
  return socket
}

const times = (text: string, part: string) => text.split(part).length - 1

/** What is wrong with an answer, if anything is. */
export const wrongWith = (kind: Kind, { body, status }: Answer): string | undefined => {
  if (status !== "200" || body.includes('"error"')) return `${status} ${body.slice(0, 300)}`
  if (kind === "message") return body.includes('"message":{') ? undefined : `no message: ${body}`
  if (!body.includes('"TASK_STATE_COMPLETED"')) return `not completed: ${body}`
  if (kind === "task") return body.includes('"artifacts":[{') ? undefined : `no artifact: ${body}`
  const pieces = times(body, '"artifactUpdate"')
  return pieces === 10 ? undefined : `${pieces} pieces: ${body}`
}
