/**
 * The client's process: on each connection the next request goes out when the answer to the one before is here, and every
 * answer is looked at. `node bench/a2a/load.ts '<LoadOrder as JSON>'` prints one line of JSON.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises"
import * as Schema from "effect/Schema"
import { endWithParent } from "../support/parent.ts"
import { percentile } from "../support/statistics.ts"
import { connection, requestsOf, wrongWith } from "./http.ts"
import { LoadOrder, LoadResult } from "./model.ts"
import { cpuOf, memoryOf } from "./process.ts"

endWithParent()
const order = Schema.decodeUnknownSync(Schema.fromJsonString(LoadOrder))(process.argv[2])
const { connections, kind, pid, port, seconds, warmUpSeconds } = order

const fail = (why: string) => {
  process.stderr.write(`${kind}: ${why}\n`)
  process.exit(1)
}

const request = requestsOf(port, kind)
const times: Array<number> = []
let measuring = false

for (let index = 0; index < connections; index++) {
  let began = 0
  const socket = connection(
    port,
    (answer) => {
      if (measuring) times.push(performance.now() - began)
      const wrong = wrongWith(kind, answer)
      if (wrong !== undefined) fail(wrong)
      next()
    },
    fail
  )
  const next = () => {
    began = performance.now()
    socket.write(request())
  }
  socket.on("connect", next)
}

await sleep(warmUpSeconds * 1000)
measuring = true
const began = performance.now()
const before = { server: cpuOf(pid), client: process.cpuUsage() }
await sleep(seconds * 1000)
measuring = false
const elapsed = performance.now() - began
const { system, user } = process.cpuUsage(before.client)
const result: LoadResult = {
  requests: times.length,
  elapsed,
  p50: percentile(times, 0.5),
  p99: percentile(times, 0.99),
  clientCpu: (system + user) / 1000 / elapsed,
  serverCpu: ((cpuOf(pid) - before.server) * 1000) / elapsed,
  rss: memoryOf(pid)
}
process.stdout.write(`${Schema.encodeSync(Schema.fromJsonString(LoadResult))(result)}\n`, () => process.exit(0))
