/**
 * The process that measures what the platform's relay adds: requests to an agent, one after the other on a connection
 * that stays open, straight and through the embedded platform. `node bench/a2a/relay.ts '<RelayOrder as JSON>'` prints
 * one line of JSON. Platform and agent are processes of their own, which end with this one.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { Agent, request } from "node:http"
import { createServer } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import { endWithParent } from "../support/parent.ts"
import { percentile } from "../support/statistics.ts"
import { Relay, RelayOrder } from "./model.ts"

const order = Schema.decodeUnknownSync(Schema.fromJsonString(RelayOrder))(process.argv[2])
const children: Array<ChildProcess> = []
const endChildren = () => {
  for (const child of children) child.kill("SIGKILL")
}
endWithParent(() => Promise.resolve(endChildren()))
process.on("exit", endChildren)

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** Starts a program beside this one. */
const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, ["--no-warnings", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"]
  })
  children.push(child)
}

const keep = new Agent({ keepAlive: true })

const post = (port: number, path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const length = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }
    const sent = request(
      { host: "127.0.0.1", port, path, method: "POST", agent: keep, headers: { ...length, ...headers } },
      (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (piece: string) => (text += piece))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }))
      }
    )
    sent.on("error", reject)
    sent.end(body)
  })

const until = async (look: () => Promise<boolean>, what: string) => {
  for (let tries = 0; tries < 300; tries++) {
    if (await look().catch(() => false)) return
    await sleep(100)
  }
  process.stderr.write(`${what} does not start\n`)
  process.exit(1)
}

const agentPort = await freePort()
start([fileURLToPath(new URL("relayAgent.mjs", import.meta.url)), String(agentPort)], {})
const port = await freePort()
start([fileURLToPath(new URL("../../src/programs/platform.ts", import.meta.url))], {
  MOLECULE_PLATFORM_PORT: String(port),
  MOLECULE_PLATFORM_STATE_DIR: order.directory,
  MOLECULE_PLATFORM_RATE_LIMIT: "100000000"
})
await until(() => post(agentPort, "/", "{}").then(() => true), "the agent")
const tokenFile = `${order.directory}/admin-token`
await until(() => post(port, "/health", "").then(() => existsSync(tokenFile)), "the platform")

const admin = { authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}` }
const Created = Schema.fromJsonString(
  Schema.Struct({ id: Schema.String, connection: Schema.Struct({ auth_token: Schema.String }) })
)
const Made = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))
const make = async (workspace: object) => (await post(port, "/workspaces", JSON.stringify(workspace), admin)).text
const target = Schema.decodeUnknownSync(Made)(await make({ name: "agent", url: `http://127.0.0.1:${agentPort}/` }))
const caller = Schema.decodeUnknownSync(Created)(await make({ name: "caller" }))
const as = { authorization: `Bearer ${caller.connection.auth_token}`, "x-workspace-id": caller.id }
const relayed = `/workspaces/${target.id}/a2a`

let count = 0
const body = () => {
  const messageId = `m-${++count}`
  const message = { role: "user", messageId, contextId: `c-${count}`, parts: [{ kind: "text", text: "hello" }] }
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/send", params: { message } })
}

const measure = async (ask: () => ReturnType<typeof post>) => {
  const times: Array<number> = []
  for (let index = 0; index < order.requests; index++) {
    const began = performance.now()
    const { status, text } = await ask()
    times.push(performance.now() - began)
    if (status !== 200 || !text.includes('"result"')) {
      process.stderr.write(`the relay answered ${status} ${text.slice(0, 300)}\n`)
      process.exit(1)
    }
  }
  return times
}

const straight = () => post(agentPort, "/", body())
const through = () => post(port, relayed, body(), as)
let best: Relay = { p50_ms: Infinity, p99_ms: Infinity }
await measure(through)
for (let round = 0; round < order.rounds; round++) {
  const without = await measure(straight)
  const added = await measure(through)
  best = {
    p50_ms: Math.min(best.p50_ms, percentile(added, 0.5) - percentile(without, 0.5)),
    p99_ms: Math.min(best.p99_ms, percentile(added, 0.99) - percentile(without, 0.99))
  }
}
process.stdout.write(`${Schema.encodeSync(Schema.fromJsonString(Relay))(best)}\n`, () => process.exit(0))
