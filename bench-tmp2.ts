import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Headers from "effect/http/Headers"
import * as JsonRpcEndpoint from "./src/layers/a2a/jsonRpcEndpoint.ts"
import * as EventStream from "./src/layers/a2a/eventStream.ts"
import * as RequestReader from "./src/layers/a2a/requestReader.ts"
import * as M10 from "./src/layers/a2a/rpcMethods10.ts"
import * as P from "./src/services/a2a/A2AProtocol.ts"
import { RpcRequest } from "./src/services/a2a/RpcEnvelope.ts"
import { A2AOperations } from "./src/services/a2a/A2AOperations.ts"
import { AgentIdentity } from "./src/services/a2a/AgentCard.ts"
import { card } from "./test/support/a2aServer.ts"
import * as Agent from "./test/support/scriptedAgent.ts"
import { decoder, encoder } from "./src/layers/a2a/rpcDialect.ts"

const cpu = () => { const c = process.cpuUsage(); return c.user + c.system }
const bench = async (label: string, n: number, f: () => unknown) => {
  for (let i = 0; i < n; i++) { const r = f(); if (r instanceof Promise) await r }
  let best = Infinity
  for (let r = 0; r < 5; r++) { const c = cpu(); for (let i = 0; i < n; i++) { const r = f(); if (r instanceof Promise) await r } best = Math.min(best, (cpu() - c) / n) }
  console.log(label.padEnd(30), best.toFixed(2), "us")
}
const text = JSON.stringify({ jsonrpc: "2.0", id: "m-1234-5", method: "SendMessage", params: { message: { messageId: "m-1234-5", role: "ROLE_USER", parts: [{ text: "hello" }] } } })
const buf = new TextEncoder().encode(text).buffer
const json = JSON.parse(text)
const answer: any = { message: { messageId: "answer-m-1234-5", role: "ROLE_AGENT", parts: [{ text: "hello" }] } }
const env = Schema.decodeUnknownExit(RpcRequest, { errors: "all" })
const dec = decoder(P.SendMessageRequest), enc = encoder(P.SendMessageResponse)
const utf8 = new TextDecoder("utf-8", { fatal: true })
const program = Effect.gen(function* () {
  const agent = yield* Agent.make
  const ops = A2AOperations.of({ ...agent.operations, sendMessage: () => Effect.succeed(answer) })
  const identity = { card, extendedCard: undefined }
  const d10 = yield* M10.make.pipe(Effect.provideService(A2AOperations, ops), Effect.provideService(AgentIdentity, identity))
  const reader = RequestReader.make({ verify: () => Effect.succeed("anonymous") }, card, 1e7)
  const streams = yield* EventStream.make({ keepAlive: "15 seconds", stall: "1 minute" })
  const rpc = JsonRpcEndpoint.make({ dialects: [d10], assumed: "1.0", reader, streams })
  const request: any = { url: "/", method: "POST", headers: Headers.fromInput({ host: "x", "content-type": "application/json", "content-length": String(text.length), "a2a-version": "1.0", accept: "application/json" }), arrayBuffer: Effect.succeed(buf) }
  const N = 20000
  yield* Effect.promise(async () => {
    await bench("JSON.parse", N, () => JSON.parse(text))
    await bench("utf8 decode", N, () => utf8.decode(buf))
    await bench("parseJson (Schema)", N, () => RequestReader.parseJson(text))
    await bench("envelope decode", N, () => env(json))
    await bench("params decode", N, () => dec(json.params))
    await bench("JSON.stringify", N, () => JSON.stringify(answer))
    await bench("answer encode", N, () => enc(answer))
    await bench("reader.call", N, () => Effect.runSync(reader.call(request)))
    await bench("reader.text", N, () => Effect.runSync(reader.text(request)))
    await bench("runSync floor", N, () => Effect.runSync(Effect.void))
    await bench("endpoint whole", N, () => Effect.runSync(rpc(request)))
    const task = { id: "t", contextId: "c", status: { state: "TASK_STATE_COMPLETED", timestamp: "2025-10-28T10:30:00.000Z" }, artifacts: [{ artifactId: "a", parts: [{ text: "done" }] }], history: [json.params.message] }
    const encT = encoder(P.SendMessageResponse)
    await bench("task encode", N, () => encT({ task } as any))
    await bench("task JSON.stringify", N, () => JSON.stringify({ task }))
    const up: any = { artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a", parts: [{ text: "chunk" }] }, append: true, lastChunk: false } }
    await bench("item encode", N, () => M10.encodeItem(up))
    await bench("item JSON.stringify", N, () => JSON.stringify(up))
    const events: any = Stream.concat(Stream.make({ item: { task } }), Stream.rechunk(Stream.fromArray(Array.from({ length: 12 }, () => ({ cursor: "e", item: up }))), 1))
    await bench("stream source alone", 1000, () => Effect.runPromise(Stream.runDrain(events)))
    const sreq: any = { ...request, source: {}, response: { writableNeedDrain: false, write() {} } }
    await bench("stream whole (13 events)", 1000, () => { const r: any = streams(sreq, { events, encode: M10.encodeItem, before: "", after: "", resumable: false, failed: () => "", headers: undefined }); return Effect.runPromise(Stream.runForEachArray(r.body.stream, () => Effect.void)) })
  })
}).pipe(Effect.scoped)
Effect.runPromise(program as any)
