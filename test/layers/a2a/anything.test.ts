/**
 * Any JSON and any malformed HTTP to every route: always a specified error, never a 500, a hang or a leak. How many
 * requests and from which seed: `A2A_ANYTHING_REQUESTS` (5,000) and `A2A_ANYTHING_SEED` (any, which a failure names).
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Equal from "effect/Equal"
import * as HttpServer from "effect/http/HttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { createConnection } from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { A2AOperations } from "../../../src/services/a2a/A2AOperations.ts"
import { ErrorBody } from "../../../src/services/a2a/ErrorDetails.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { RpcResponse } from "../../../src/services/a2a/RpcEnvelope.ts"
import { generator, type Shot, shot, anySeed } from "../../support/anyHttp.ts"
import * as Server from "../../support/a2aServer.ts"
import { temporaryFile } from "../../support/journal.ts"
import * as ScriptedAgent from "../../support/scriptedAgent.ts"
import { run } from "./operationsFixtures.ts"

/** Longer is a hang; real time, as the sockets are. */
const patience = 10_000

const rpcAnswer = Schema.decodeUnknownOption(Schema.fromJsonString(RpcResponse))
const isErrorBody = Schema.is(Schema.toType(ErrorBody))
const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

const exchange = (port: number, index: number, { bytes, wellFormed }: Shot) =>
  Effect.callback<string>((resume) => {
    let answer = ""
    // Other addresses of loopback have other ports to spare.
    const socket = createConnection({ port, host: "127.0.0.1", localAddress: `127.0.0.${1 + (index % 200)}` })
    socket.setEncoding("latin1")
    const done = (text: string) => {
      socket.destroy()
      resume(Effect.succeed(text))
    }
    socket.setTimeout(patience, () => done(`hang: ${answer.slice(0, 200)}`))
    socket.on("data", (chunk) => (answer += chunk))
    socket.on("close", () => done(answer))
    socket.on("error", () => {})
    // Whoever closes his side while his answer is being made has gone away, as Node's server has it.
    if (wellFormed) socket.write(bytes)
    else socket.end(bytes)
  })

/** What is wrong with an answer, if anything is. */
const verdict = ({ path, wellFormed }: Shot, answer: string): string | undefined => {
  if (answer.startsWith("hang")) return answer
  if (answer === "") return wellFormed ? "no answer" : undefined
  const head = answer.slice(0, answer.indexOf("\r\n\r\n")).toLowerCase()
  const status = Number(answer.slice(9, 12))
  const chunked = head.includes("transfer-encoding: chunked")
  const body = Buffer.from(answer.slice(head.length + 4), "latin1").toString("utf8")
  if (
    ![200, 204, 400, 401, 404, 405, 408, 411, 413, 417, 426, 429, 431].includes(status) &&
    !head.includes("100 continue")
  ) {
    return `status ${status}`
  }
  // JSON-RPC says with 200 what would be a 500.
  if (/"reason":"(?:INTERNAL|INVALID_AGENT_RESPONSE)"/.test(answer)) return "an internal error"
  if (!wellFormed) return undefined
  if (chunked) return head.includes("text/event-stream") ? undefined : "chunked, but no stream"
  if (status === 204) return body === "" ? undefined : "a body with 204"
  if (path === "/" || path === "//" || path.startsWith("/?")) {
    // A notification is only told when to come again.
    if (status === 405 || (status === 429 && body === "" && head.includes("retry-after"))) return undefined
    return Option.isSome(rpcAnswer(body)) ? undefined : "not an answer of JSON-RPC"
  }
  if (status === 200) return Option.isSome(parse(body)) ? undefined : "no JSON"
  const error = Option.getOrUndefined(parse(body))
  return isErrorBody(error) && error.error.code === status ? undefined : "not a google.rpc.Status"
}

const collectGarbage = Effect.sync(() => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  if (typeof gc === "function") gc()
  return process.memoryUsage().heapUsed / 2 ** 20
})

const sockets = Effect.sync(() => process.getActiveResourcesInfo().filter((kind) => kind.startsWith("TCP")).length)

/** The sockets once those that are closing have closed: they have to be no more than that. */
const settled = (most: number) =>
  Effect.retry(
    Effect.filterOrFail(
      sockets,
      (open) => open <= most,
      (open) => `${open} sockets are open, ${most} were`
    ),
    { schedule: Schedule.spaced("20 millis"), times: patience / 20 }
  )

/** Sends the requests to a server over these operations, which have nothing `open` afterwards that was not before. */
const play = Effect.fnUntraced(function* (
  requests: number,
  operations: Layer.Layer<A2AOperations>,
  open: Effect.Effect<unknown>
) {
  const seed = Option.getOrElse(yield* Config.option(Config.Int("A2A_ANYTHING_SEED")), () => -1)
  const start = seed < 0 ? yield* anySeed : seed
  yield* Effect.gen(function* () {
    const { port } = new URL(HttpServer.formatAddress((yield* HttpServer.HttpServer).address))
    const g = generator(start)
    const round = (count: number) =>
      Effect.forEach(
        Array.from({ length: count }, (_, index) => index),
        (index) => {
          const one = shot(g)
          return Effect.map(exchange(Number(port), index, one), (answer) => {
            const wrong = verdict(one, answer)
            if (wrong === undefined) return
            assert.fail(
              `seed ${start}: ${wrong}\n${one.bytes.toString("latin1").slice(0, 2000)}\n---\n${answer.slice(0, 2000)}`
            )
          })
        },
        { concurrency: 16, discard: true }
      )
    const listening = yield* sockets
    const before = yield* open
    // What is only built once is built now.
    yield* round(Math.ceil(requests / 5))
    const heap = yield* collectGarbage
    yield* round(requests - Math.ceil(requests / 5))
    yield* settled(listening)
    assert.isBelow((yield* collectGarbage) - heap, 16, `MiB of heap; seed ${start}`)
    // What nobody waits for any more may still be at its end.
    const left = yield* Effect.repeat(open, {
      until: (now) => Equal.equals(now, before),
      schedule: Schedule.spaced("20 millis"),
      times: patience / 20
    })
    assert.deepStrictEqual(left, before, `seed ${start}`)
  }).pipe(Effect.provide(Server.layer({ operations })))
})

const requests = Config.Int("A2A_ANYTHING_REQUESTS").pipe(Config.withDefault(5000))

it.live(
  "any JSON and any malformed HTTP gets a specified error: no 500, no hang, no leak",
  () =>
    Effect.gen(function* () {
      const agent = yield* ScriptedAgent.make
      const open = Effect.sync(() => ({ ...agent.open }))
      yield* play(yield* requests, Layer.succeed(A2AOperations, agent.operations), open)
    }),
  { timeout: 600_000 }
)

it.live(
  "nor does it where messages become tasks on a disk",
  () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const some = Math.ceil((yield* requests) / 5)
      yield* run(
        filename,
        Effect.gen(function* () {
          const { activity } = yield* TaskRunner
          yield* play(some, Layer.succeed(A2AOperations, yield* A2AOperations), activity)
        })
      )
    }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, Logger.layer([])])),
  { timeout: 600_000 }
)
