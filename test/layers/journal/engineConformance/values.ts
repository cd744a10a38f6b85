import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { ended, hit, register, start, Subject, suspended, tell, wait } from "./calls.ts"
import { moment, Runs, until } from "./runs.ts"
import { ends, type Suite } from "./suite.ts"

class Person extends Schema.Class<Person>("Person")({ name: Schema.String, born: Schema.Date }) {}
class Refused extends Schema.TaggedError<Refused>()("Refused", { at: Schema.Date, left: Schema.BigInt }) {}

const when = new Date(1_700_000_000_123)
const deadline = { at: Schema.Date, left: Schema.BigInt }
const refused = new Refused({ at: when, left: 2n ** 80n })

/** One value in three places: the result of an activity, its error, and what a deferred is completed with. */
const kept = <S extends Schema.Codec<unknown, unknown>>(name: string, schema: S, value: S["Type"]) => {
  const deferred = DurableDeferred.make(`deferred ${name}`, { success: schema })
  return {
    name,
    value: value as unknown,
    result: Activity.make({ name: `result ${name}`, success: schema, execute: Effect.as(hit("result"), value) }),
    error: Effect.orDie(
      Effect.flip(
        Activity.make({
          name: `error ${name}`,
          error: schema,
          execute: Effect.andThen(hit("error"), Effect.fail(value))
        })
      )
    ),
    awaited: DurableDeferred.await(deferred),
    tell: Effect.flatMap(
      DurableDeferred.tokenFromPayload(deferred, { workflow: Subject, payload: { id: "1" } }),
      (token) => DurableDeferred.succeed(deferred, { token, value })
    )
  }
}

const values = [
  kept("text", Schema.String, "quote ' \" \\ \u0000 \u2028 𝄞 \n"),
  kept("half of a pair", Schema.String, "a\ud800b"),
  kept("no text", Schema.String, ""),
  kept("large text", Schema.String, "0123456789abcdef".repeat(8192)),
  kept("zero", Schema.Finite, 0),
  kept("fraction", Schema.Finite, 0.1 + 0.2),
  // @effect-diagnostics-next-line schemaNumber:off
  kept("no number", Schema.Number, Number.NaN),
  // @effect-diagnostics-next-line schemaNumber:off
  kept("infinite", Schema.Number, Number.NEGATIVE_INFINITY),
  kept("false", Schema.Boolean, false),
  kept("null", Schema.NullOr(Schema.String), null),
  kept("undefined", Schema.UndefinedOr(Schema.String), undefined),
  kept("void", Schema.Void, undefined),
  kept("bigint", Schema.BigInt, 2n ** 64n + 1n),
  kept("date", Schema.Date, when),
  kept("duration", Schema.Duration, Duration.millis(1500)),
  kept("bytes", Schema.Uint8Array, new Uint8Array([0, 255, 10])),
  kept("some", Schema.Option(Schema.Date), Option.some(when)),
  kept("none", Schema.Option(Schema.Date), Option.none()),
  kept("array", Schema.Array(Schema.BigInt), [1n, -1n]),
  kept("optional key", Schema.Struct({ a: Schema.optionalKey(Schema.Date), b: Schema.Date }), { b: when }),
  kept("looks like an exit", Schema.Json, { _tag: "Failure", cause: [] }),
  kept("looks suspended", Schema.Json, { _tag: "Suspended" }),
  kept("prototype", Schema.Json, JSON.parse(`{"__proto__":{"a":1},"constructor":null}`)),
  kept("class", Person, new Person({ name: "Ann", born: when })),
  kept("tagged error", Refused, refused)
]

const Rich = Workflow.make("Rich", {
  payload: { ...deadline, person: Person },
  success: Schema.Option(Person),
  error: Refused,
  idempotencyKey: ({ left }) => String(left)
})
const ann = new Person({ name: "Ann", born: when })
const go = DurableDeferred.make("go")
const tellRich = (payload: typeof Rich.payloadSchema.Type) =>
  Effect.flatMap(DurableDeferred.tokenFromPayload(go, { workflow: Rich, payload }), (token) =>
    DurableDeferred.succeed(go, { token, value: undefined })
  )

/** Whatever the schemas allow comes back as it was, on every replay. */
export const encodedValues = ({ durable, test }: Suite) =>
  describe("values", () => {
    test(
      "results and errors of activities are the same on replay",
      Effect.gen(function* () {
        const runs = yield* Runs
        const seen: Array<readonly [name: string, got: unknown, value: unknown]> = []
        yield* register(Subject, () =>
          Effect.gen(function* () {
            for (const { error, name, result, value } of values) {
              seen.push([`result ${name}`, yield* result, value], [`error ${name}`, yield* error, value])
            }
            return yield* wait("go")
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "go")
        assert.strictEqual(seen.length, 4 * values.length)
        for (const [name, got, value] of seen) assert.deepStrictEqual(got, value, name)
        assert.deepStrictEqual(yield* runs.counts, { result: values.length, error: values.length })
      })
    )

    test(
      "deferreds hold any value, before and after it is awaited",
      Effect.gen(function* () {
        const seen: Array<readonly [name: string, got: unknown, value: unknown]> = []
        yield* register(Subject, () =>
          Effect.gen(function* () {
            for (const { awaited, name, value } of values) seen.push([name, yield* awaited, value])
            return yield* wait("go")
          })
        )
        for (const [index, value] of values.entries()) if (index % 2 === 0) yield* value.tell
        yield* start(Subject)
        for (const [index, value] of values.entries()) if (index % 2 === 1) yield* value.tell
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "go")
        assert.isAtLeast(seen.length, values.length)
        for (const [name, got, value] of seen) assert.deepStrictEqual(got, value, name)
      })
    )

    for (const [how, words] of ends) {
      durable(`activities' results and errors and deferreds are the same ${words}`, (machine) =>
        Effect.gen(function* () {
          const seen: Array<readonly [name: string, got: unknown, value: unknown]> = []
          const program = register(Subject, () =>
            Effect.gen(function* () {
              for (const { awaited, error, name, result, value } of values) {
                seen.push([`result ${name}`, yield* result, value])
                seen.push([`error ${name}`, yield* error, value])
                seen.push([`deferred ${name}`, yield* awaited, value])
              }
              return yield* wait("go")
            })
          )
          const first = yield* machine.boot(program)
          yield* first.use(Effect.forEach(values, (value) => value.tell))
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* moment
          yield* first.down(how)
          seen.length = 0
          const second = yield* machine.boot(program)
          yield* second.use(tell(Subject, "go"))
          assert.strictEqual(yield* second.use(ended(Subject)), "go")
          assert.isAtLeast(seen.length, 3 * values.length)
          for (const [name, got, value] of seen) assert.deepStrictEqual(got, value, name)
          assert.deepStrictEqual(yield* machine.runs.counts, { result: values.length, error: values.length })
        })
      )

      durable(`payload, result and error of a workflow are the same ${words}`, (machine) =>
        Effect.gen(function* () {
          const payloads: Array<unknown> = []
          const program = Effect.flatMap(WorkflowEngine, (engine) =>
            engine.register(Rich, (payload) =>
              Effect.gen(function* () {
                payloads.push({ ...payload })
                yield* DurableDeferred.await(go)
                return payload.left === 1n ? Option.some(payload.person) : yield* refused
              })
            )
          )
          const good = { at: when, left: 1n, person: ann }
          const bad = { ...good, left: 2n ** 70n }
          const first = yield* machine.boot(program)
          const ids = yield* first.use(Effect.forEach([good, bad], (one) => Rich.execute(one, { discard: true })))
          for (const id of ids) yield* first.use(until(Rich.poll(id), Option.isSome))
          yield* first.down(how)
          payloads.length = 0
          const second = yield* machine.boot(program)
          yield* second.use(Effect.forEach([good, bad], tellRich))
          const check = Effect.gen(function* () {
            assert.deepStrictEqual(yield* Rich.execute(good), Option.some(ann))
            assert.deepStrictEqual(yield* Effect.flip(Rich.execute(bad)), refused)
          })
          yield* second.use(check)
          assert.isAtLeast(payloads.length, 2)
          for (const payload of payloads) assert.deepInclude([good, bad], payload)
          yield* second.down(how)
          payloads.length = 0
          const third = yield* machine.boot(program)
          yield* third.use(check)
          assert.deepStrictEqual(payloads, [])
        })
      )

      durable(`a defect says the same ${words}`, (machine) =>
        Effect.gen(function* () {
          const seen: Array<string> = []
          const boom = Activity.make({ name: "a", execute: Effect.andThen(hit("a"), Effect.die(new Error("a bug"))) })
          const program = register(Subject, () =>
            Effect.gen(function* () {
              const exit = yield* Effect.exit(boom)
              seen.push(Exit.isFailure(exit) && Cause.hasDies(exit.cause) ? String(Cause.squash(exit.cause)) : "none")
              yield* wait("go")
              return yield* Effect.die(new Error("another"))
            })
          )
          const first = yield* machine.boot(program)
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* moment
          yield* first.down(how)
          const second = yield* machine.boot(program)
          yield* second.use(tell(Subject, "go"))
          assert.strictEqual(yield* second.use(ended(Subject)), "defect another")
          assert.deepStrictEqual([...new Set(seen)], ["Error: a bug"])
          assert.deepStrictEqual(yield* machine.runs.counts, { a: 1 })
          yield* second.down(how)
          const third = yield* machine.boot(program)
          assert.strictEqual(yield* third.use(ended(Subject)), "defect another")
        })
      )
    }
  })
