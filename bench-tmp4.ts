if (process.argv[2] === "jit") await import("effect/schema/SchemaJITCompiler/enable")
const Schema = await import("effect/Schema")
const C = await import("./src/services/durable/Content.ts")
const P = await import("./src/services/a2a/A2AProtocol.ts")
const R = await import("./src/services/a2a/RpcEnvelope.ts")
const cpu = () => { const c = process.cpuUsage(); return c.user + c.system }
const bench = (label: string, f: () => unknown) => { const n = 50000; for (let i = 0; i < n; i++) f(); let best = Infinity; for (let r = 0; r < 5; r++) { const c = cpu(); for (let i = 0; i < n; i++) f(); best = Math.min(best, (cpu() - c) / n) } console.log(label.padEnd(34), best.toFixed(2)) }
const message: any = { messageId: "m-1234-5", role: "ROLE_USER", parts: [{ text: "hello" }] }
const up: any = { artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a", parts: [{ text: "chunk" }] }, append: true, lastChunk: false } }
const no = Schema.optionalKey(Schema.Never)
const d = { metadata: Schema.optionalKey(C.Metadata), filename: Schema.optionalKey(Schema.String), mediaType: Schema.optionalKey(Schema.String) }
const Part2 = Schema.Union([
  Schema.Struct({ text: Schema.String, raw: no, url: no, data: no, ...d }),
  Schema.Struct({ raw: Schema.String, text: no, url: no, data: no, ...d }),
  Schema.Struct({ url: Schema.String, text: no, raw: no, data: no, ...d }),
  Schema.Struct({ data: Schema.Json, text: no, raw: no, url: no, ...d })])
const Artifact2 = Schema.Struct({ ...C.Artifact.fields, parts: Schema.Array(Part2) })
const Up2 = Schema.Struct({ artifactUpdate: Schema.Struct({ ...P.TaskArtifactUpdateEvent.fields, artifact: Artifact2 }) })
const Up1 = Schema.Struct({ artifactUpdate: P.TaskArtifactUpdateEvent })
const ej = (s: any, v: any) => { const f = Schema.encodeExit(Schema.fromJsonString(s)) as any; return () => f(v) }
const e = (s: any, v: any) => { const f = Schema.encodeExit(s) as any; return () => f(v) }
bench("json StreamResponse", ej(P.StreamResponse, up))
bench("json member", ej(Up1, up))
bench("json member Part2", ej(Up2, up))
bench("obj StreamResponse", e(P.StreamResponse, up))
bench("obj member", e(Up1, up))
bench("obj member Part2", e(Up2, up))
bench("obj Part", e(C.Part, { text: "chunk" }))
bench("obj Part2", e(Part2, { text: "chunk" }))
bench("json Unknown", ej(Schema.Unknown, up))
bench("stringify", () => JSON.stringify(up))
const text = JSON.stringify({ jsonrpc: "2.0", id: "m-1234-5", method: "SendMessage", params: { message } })
const f1 = Schema.decodeUnknownExit(Schema.fromJsonString(R.RpcRequest)); bench("dec json envelope", () => f1(text))
const f2 = Schema.decodeExit(Schema.fromJsonString(Schema.Unknown)); bench("dec json unknown", () => f2(text))
const f3 = Schema.decodeSync(Schema.fromJsonString(Schema.Unknown)); bench("decSync json unknown", () => f3(text))
bench("parse", () => JSON.parse(text))
export {}
