// The server beside ours: the A2A project's own SDK on Express, as its documentation sets it up, with its stores in
// memory. It prints `{"port":…,"pid":…}`. What the agent does is the message's first word: see `agent.ts`.
import { AgentCard, Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from "@a2a-js/sdk"
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from "@a2a-js/sdk/server"
import { agentCardHandler, jsonRpcHandler, UserBuilder } from "@a2a-js/sdk/server/express"
import express from "express"
import { setTimeout as sleep } from "node:timers/promises"
import { endWithParent } from "../support/parent.ts"

endWithParent()

const state = (name) => ({ state: `TASK_STATE_${name}`, timestamp: new Date().toISOString() })
let serial = 0

const executor = {
  execute: async ({ contextId, taskId, userMessage }, bus) => {
    const ids = { taskId, contextId }
    const [{ content }] = userMessage.parts
    const [word, ...numbers] = content.value.split(" ")
    if (word === "say") {
      const said = { messageId: `m${++serial}`, role: "ROLE_AGENT", parts: [{ text: "hello" }], ...ids }
      bus.publish(AgentEvent.message(Message.fromJSON(said)))
      return bus.finished()
    }
    const status = (name) =>
      bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON({ ...ids, status: state(name) })))
    const artifact = (text, more = {}) => {
      const event = { ...ids, artifact: { artifactId: "answer", parts: [{ text }] }, ...more }
      bus.publish(AgentEvent.artifactUpdate(TaskArtifactUpdateEvent.fromJSON(event)))
    }
    const history = [Message.toJSON(userMessage)]
    bus.publish(AgentEvent.task(Task.fromJSON({ id: taskId, contextId, status: state("SUBMITTED"), history })))
    if (word === "task") artifact("hello")
    else {
      const [count, every = 0, delay = 0] = numbers.map(Number)
      status("WORKING")
      if (word === "paced") await sleep(delay)
      for (let piece = 0; piece < count; piece++) {
        const now = performance.timeOrigin + performance.now()
        const text = word === "paced" ? `${piece} ${now};` : `piece ${piece};`
        artifact(text, { append: piece > 0, lastChunk: piece === count - 1 })
        if (word === "paced") await sleep(every)
      }
    }
    status("COMPLETED")
    bus.finished()
  },
  cancelTask: async () => {}
}

const app = express()
const server = app.listen(0, "127.0.0.1", () => {
  const { port } = server.address()
  const card = AgentCard.fromJSON({
    name: "bench",
    description: "Does what the message says",
    version: "1",
    supportedInterfaces: [{ url: `http://127.0.0.1:${port}/`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
    capabilities: { streaming: true },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [{ id: "bench", name: "bench", description: "Does what the message says", tags: ["bench"] }]
  })
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor)
  app.use("/.well-known/agent-card.json", agentCardHandler({ agentCardProvider: requestHandler }))
  app.use("/", jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }))
  process.stdout.write(`${JSON.stringify({ port, pid: process.pid })}\n`)
})
