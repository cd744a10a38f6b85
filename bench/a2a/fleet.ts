/**
 * The process that opens many streams at once and reads them to their ends: each with a task of its own, or all of one
 * task. `node bench/a2a/fleet.ts '<FleetOrder as JSON>'` prints one line of JSON.
 *
 * @module
 */
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as Schema from "effect/Schema"
import { endWithParent } from "../support/parent.ts"
import { percentile } from "../support/statistics.ts"
import { connection, requests, sending } from "./http.ts"
import { FleetOrder, FleetResult } from "./model.ts"
import { memoryOf } from "./process.ts"

endWithParent()
const order = Schema.decodeUnknownSync(Schema.fromJsonString(FleetOrder))(process.argv[2])
const { delay, events, every, kind, pid, port, streams } = order

const fail = (why: string) => {
  process.stderr.write(`${kind}: ${why}\n`)
  process.exit(1)
}

const lags: Array<number> = []
let arrived = 0
let ended = 0

/** The number of a piece and when it was said. */
const piece = /"text":"(\d+) (\d+(?:\.\d+)?);"/

/** Reads one stream: its pieces have to come in order from 0, each once. */
const follow = (request: string) => {
  const socket = connect(port, "127.0.0.1", () => socket.write(request))
  let rest = ""
  let expected = 0
  let completed = false
  socket.setEncoding("latin1")
  socket.on("data", (text: string) => {
    const now = performance.timeOrigin + performance.now()
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      if (line.startsWith("HTTP/1.1 ") && !line.startsWith("HTTP/1.1 200")) fail(line)
      if (!line.startsWith("data:")) continue
      if (line.includes('"error"')) fail(line)
      const [, number, at] = line.includes('"artifactUpdate"') ? (piece.exec(line) ?? []) : []
      if (number === String(expected)) {
        expected++
        arrived++
        lags.push(now - Number(at))
      }
      completed ||= line.includes('"TASK_STATE_COMPLETED"')
    }
    if (completed && !socket.destroyed) {
      ended++
      socket.destroy()
    }
  })
  socket.on("error", (error) => fail(error.message))
  socket.on("close", () => {
    if (!completed) fail(`a stream ended after ${expected} pieces`)
  })
}

const text = `paced ${events} ${every} ${delay}`
const stream = requests(port, "SendStreamingMessage", sending(text))

/** Begins a task without waiting for it, and answers its id. */
const begin = () =>
  new Promise<string>((resolve) => {
    const send = requests(port, "SendMessage", (messageId) => ({
      ...sending(text)(messageId),
      configuration: { returnImmediately: true }
    }))
    const socket = connection(
      port,
      ({ body }) => {
        // Idle connections are closed by the server after a while.
        socket.destroy()
        resolve(/"task":\{"id":"([^"]+)"/.exec(body)?.[1] ?? fail(body))
      },
      fail
    )
    socket.write(send())
  })

const before = memoryOf(pid)
const began = performance.now()
if (kind === "streams") for (let index = 0; index < streams; index++) follow(stream())
else {
  const id = await begin()
  const request = requests(port, "SubscribeToTask", () => ({ id }))
  for (let index = 0; index < streams; index++) follow(request())
}
let peak = before
while (ended < streams) {
  await sleep(100)
  peak = Math.max(peak, memoryOf(pid))
  if (performance.now() - began > 50_000) fail(`${streams - ended} streams have not ended`)
}
const result: FleetResult = {
  streams,
  events: arrived,
  lost: streams * events - arrived,
  lagP50: percentile(lags, 0.5),
  lagP99: percentile(lags, 0.99),
  kbPerStream: ((peak - before) * 1024) / streams,
  elapsed: performance.now() - began
}
process.stdout.write(`${Schema.encodeSync(Schema.fromJsonString(FleetResult))(result)}\n`, () => process.exit(0))
