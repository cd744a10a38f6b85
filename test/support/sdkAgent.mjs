// An agent made with the A2A project's own SDK, as a process: `node sdkAgent.mjs '<options as JSON>'`. It prints its port.
//
// What it does with a message depends on its first word: `say`, `task`, `chunks`, `wait`, `ask`, `auth`, `fail`, `reject`.
// `GET /seen` tells which messages it has worked on and the headers of the last request.
import { AgentCard, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent, Message } from "@a2a-js/sdk"
import {
  AgentEvent,
  DefaultExecutionEventBusManager,
  DefaultRequestHandler,
  InMemoryPushNotificationStore,
  InMemoryTaskStore
} from "@a2a-js/sdk/server"
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from "@a2a-js/sdk/server/express"
import express from "express"
import { setTimeout as sleep } from "node:timers/promises"

const {
  base,
  bindings = ["JSONRPC", "HTTP+JSON"],
  chunkMillis = 15,
  port = 0,
  streaming = true,
  tenant,
  token,
  version = "1.0"
} = JSON.parse(process.argv[2] ?? "{}")

process.on("disconnect", () => process.exit())
// The SDK logs each refused request.
globalThis["console"]["error"] = () => {}

const seen = { messages: [], headers: {}, executions: 0 }
const stopped = new Set()
let serial = 0

const executor = {
  execute: async (context, bus) => {
    const { contextId, task, taskId, userMessage } = context
    const ids = { taskId, contextId }
    const text = userMessage.parts.map(({ content }) => (content?.$case === "text" ? content.value : "")).join(" ")
    const [word, ...rest] = text.split(" ")
    seen.executions++
    seen.messages.push({
      text,
      messageId: userMessage.messageId,
      parts: userMessage.parts.length,
      metadata: userMessage.metadata
    })
    const say = (said) =>
      Message.fromJSON({ messageId: `m${++serial}`, role: "ROLE_AGENT", parts: [{ text: said }], ...ids })
    const status = (state, said) =>
      bus.publish(
        AgentEvent.statusUpdate(
          TaskStatusUpdateEvent.fromJSON({
            ...ids,
            status: {
              state: `TASK_STATE_${state}`,
              timestamp: new Date().toISOString(),
              ...(said === undefined ? {} : { message: Message.toJSON(say(said)) })
            }
          })
        )
      )
    const artifact = (artifactId, parts, more = {}) =>
      bus.publish(
        AgentEvent.artifactUpdate(
          TaskArtifactUpdateEvent.fromJSON({ ...ids, artifact: { artifactId, parts }, ...more })
        )
      )
    if (word === "say") {
      bus.publish(AgentEvent.message(say(rest.join(" "))))
      return bus.finished()
    }
    bus.publish(
      AgentEvent.task(
        task ??
          Task.fromJSON({
            id: taskId,
            contextId,
            status: { state: "TASK_STATE_SUBMITTED", timestamp: new Date().toISOString() },
            history: [Message.toJSON(userMessage)]
          })
      )
    )
    if (word === "reject") status("REJECTED", "not mine")
    else if (word === "ask" && task === undefined) status("INPUT_REQUIRED", "which one?")
    else if (word === "auth" && task === undefined) status("AUTH_REQUIRED", "log in at https://login.example")
    else {
      status("WORKING")
      if (word === "fail") status("FAILED", "it broke")
      else if (word === "wait") {
        while (!stopped.has(taskId)) await sleep(20)
        status("CANCELED")
      } else if (word === "chunks") {
        const many = Number(rest[0])
        for (let n = 0; n < many; n++) {
          artifact("counted", [{ text: `${n};` }], { append: n > 0, lastChunk: n === many - 1 })
          await sleep(chunkMillis)
        }
        status("COMPLETED")
      } else {
        if (word === "slow") await sleep(Number(rest[0]))
        artifact("all", [
          { text: `done: ${rest.join(" ")}` },
          { data: { answer: 42 } },
          { raw: Buffer.from("bytes").toString("base64"), filename: "a.bin", mediaType: "application/octet-stream" },
          { url: "https://files.example/b.txt", filename: "b.txt", mediaType: "text/plain" }
        ])
        status("COMPLETED")
      }
    }
    bus.finished()
  },
  cancelTask: async (taskId) => {
    stopped.add(taskId)
  }
}

const app = express()
app.use((request, response, next) => {
  if (request.path === "/seen" || request.path.startsWith("/.well-known")) return next()
  seen.headers = request.headers
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
    return response.status(401).json({ error: { code: 401, message: "who are you?" } })
  next()
})
app.get("/seen", (_, response) => response.json(seen))

const server = app.listen(port, "127.0.0.1", () => {
  const own = `http://127.0.0.1:${server.address().port}`
  const origin = base ?? own
  const path = { JSONRPC: "/rpc", "HTTP+JSON": "/rest" }
  const card = AgentCard.fromJSON({
    name: "An agent of the SDK",
    description: "For tests",
    version: "1.2.3",
    supportedInterfaces: bindings.map((protocolBinding) => ({
      url: `${origin}${path[protocolBinding]}`,
      protocolBinding,
      protocolVersion: version,
      ...(tenant === undefined ? {} : { tenant })
    })),
    capabilities: { streaming, pushNotifications: true, extendedAgentCard: true },
    ...(token === undefined
      ? {}
      : {
          securitySchemes: { bearer: { httpAuthSecurityScheme: { scheme: "Bearer" } } },
          securityRequirements: [{ schemes: { bearer: { list: [] } } }]
        }),
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [{ id: "work", name: "Work", description: "Works", tags: ["test"] }]
  })
  const requestHandler = new DefaultRequestHandler(
    card,
    new InMemoryTaskStore(),
    executor,
    new DefaultExecutionEventBusManager(),
    new InMemoryPushNotificationStore(),
    undefined,
    { ...card, name: "An agent of the SDK, for those it knows" }
  )
  const userBuilder =
    token === undefined ? UserBuilder.noAuthentication : async () => ({ isAuthenticated: true, userName: "somebody" })
  const legacyCompat = { enabled: version.startsWith("0.") }
  app.use(
    "/.well-known/agent-card.json",
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat, cache: { maxAge: 0 } })
  )
  app.use("/rpc", jsonRpcHandler({ requestHandler, userBuilder, legacyCompat }))
  app.use("/rest", restHandler({ requestHandler, userBuilder, legacyCompat }))
  process.stdout.write(`${server.address().port}\n`)
})
