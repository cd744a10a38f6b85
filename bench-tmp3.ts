if (process.argv[2] === "jit") await import("effect/schema/SchemaJITCompiler/enable")
const Schema = await import("effect/Schema")
const C = await import("./src/services/durable/Content.ts")
const P = await import("./src/services/a2a/A2AProtocol.ts")
const cpu = () => { const c = process.cpuUsage(); return c.user + c.system }
const bench = (label: string, f: () => unknown) => { const n = 50000; for (let i = 0; i < n; i++) f(); let best = Infinity; for (let r = 0; r < 5; r++) { const c = cpu(); for (let i = 0; i < n; i++) f(); best = Math.min(best, (cpu() - c) / n) } console.log(label.padEnd(34), best.toFixed(2)) }
const message: any = { messageId: "m-1234-5", role: "ROLE_USER", parts: [{ text: "hello" }] }
for (const errors of ["first", "all"] as const) {
  const d = (s: any, v: any) => { const f = Schema.decodeUnknownExit(s, { errors }); return () => f(v) }
  bench(`${errors} TextPart`, d(C.TextPart, { text: "hello" }))
  bench(`${errors} Part`, d(C.Part, { text: "hello" }))
  const anyPart = Schema.Union([C.TextPart, C.RawPart, C.UrlPart, C.DataPart])
  bench(`${errors} Part anyOf`, d(anyPart, { text: "hello" }))
  bench(`${errors} Parts`, d(Schema.NonEmptyArray(C.Part), [{ text: "hello" }]))
  bench(`${errors} Identifier`, d(C.Identifier, "abc"))
  bench(`${errors} Message`, d(C.Message, message))
  bench(`${errors} SendMessageRequest`, d(P.SendMessageRequest, { message }))
}
const e = (s: any, v: any) => { const f = Schema.encodeExit(s) as any; return () => f(v) }
const e2 = (s: any, v: any) => { const f = Schema.encodeExit(Schema.fromJsonString(s)) as any; return () => f(v) }
const ts = (s: any, v: any) => { const f = Schema.encodeSync(Schema.fromJsonString(s)) as any; return () => f(v) }
bench("enc Message", e(C.Message, message))
bench("enc SendMessageResponse", e(P.SendMessageResponse, { message }))
bench("enc json SendMessageResponse", e2(P.SendMessageResponse, { message }))
bench("encSync json SendMessageResponse", ts(P.SendMessageResponse, { message }))
const Any = Schema.Union([Schema.Struct({ task: P.Task }), Schema.Struct({ message: C.Message })])
bench("enc json anyOf SendMessageResponse", e2(Any, { message }))
export {}
