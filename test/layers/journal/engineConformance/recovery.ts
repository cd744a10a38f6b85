import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as DurableClock from "effect/workflow/DurableClock"
import { Child, ended, register, start, step, Subject, suspended, tell, wait } from "./calls.ts"
import { overARestart, stepThatHangs, threeSteps } from "./restart.ts"
import { moment, numbers, quiet } from "./runs.ts"
import { ends, type Suite } from "./suite.ts"
/** How work is taken up again. */
export const recovery = ({ byCaller, durable }: Suite) =>
  describe("recovery", () => {
    for (const [how, words] of ends) {
      durable(`a workflow that is registered late is resumed then ${words}`, (machine) =>
        Effect.gen(function* () {
          const program = register(Subject, () => Effect.andThen(step("a"), Effect.andThen(wait("go"), step("b"))))
          const first = yield* machine.boot(program)
          yield* first.use(start(Subject))
          yield* first.use(suspended(Subject))
          yield* moment
          yield* first.down(how)
          const second = yield* machine.boot(register(Child, () => step("c")))
          yield* second.use(tell(Subject, "go"))
          yield* quiet
          yield* second.use(program)
          assert.strictEqual(yield* second.use(ended(Subject)), "b")
          assert.deepStrictEqual(yield* machine.runs.log, ["a", "b"])
        })
      )

      byCaller(
        `what only the caller resumes lies still ${words}, and is joined when it is executed`,
        (machine, workflow) =>
          Effect.gen(function* () {
            const log = yield* overARestart(
              machine,
              how,
              (first) => register(workflow, () => Effect.andThen(step("a"), stepThatHangs("b", first))),
              Effect.andThen(start(workflow), machine.runs.reached("b")),
              Effect.gen(function* () {
                yield* moment
                assert.deepStrictEqual(yield* machine.runs.log, ["a", "b"])
                assert.strictEqual(yield* workflow.execute({ id: "1" }), "b")
              })
            )
            assert.deepStrictEqual(log, ["a", "b", "b"])
          })
      )

      durable(`twenty executions at different places all go on ${words}`, (machine) =>
        Effect.gen(function* () {
          const ids = numbers(20).map(String)
          const log = yield* overARestart(
            machine,
            how,
            () =>
              register(Subject, (id) =>
                Effect.gen(function* () {
                  for (const place of numbers(5)) {
                    yield* step(`${id} ${place}`)
                    yield* wait(`${place}`)
                  }
                  return id
                })
              ),
            Effect.gen(function* () {
              for (const id of ids) {
                yield* start(Subject, id)
                for (const place of numbers(Number(id) % 5)) yield* tell(Subject, `${place}`, "go", id)
              }
              for (const id of ids) yield* machine.runs.reached(`${id} ${Number(id) % 5}`)
              for (const id of ids) yield* suspended(Subject, id)
              yield* moment
            }),
            Effect.gen(function* () {
              for (const id of ids) {
                for (const place of numbers(5)) yield* tell(Subject, `${place}`, "go", id)
              }
              for (const id of ids) assert.strictEqual(yield* ended(Subject, id), id)
            })
          )
          assert.strictEqual(log.length, 20 * 5)
          assert.strictEqual(new Set(log).size, 20 * 5)
        })
      )

      durable(`resuming holds nobody up ${words}: neither new work nor the signals and clocks of others`, (machine) =>
        Effect.gen(function* () {
          const busy = numbers(40).map((index) => `busy ${index}`)
          yield* overARestart(
            machine,
            how,
            () =>
              register(Subject, (id) => {
                if (id.startsWith("busy")) return step("busy", Effect.never)
                if (id === "clock") {
                  const clock = DurableClock.sleep({ name: "c", duration: "1 hour", inMemoryThreshold: 0 })
                  return Effect.as(clock, "the clock")
                }
                return id === "signal" ? wait("go") : step("new")
              }),
            Effect.gen(function* () {
              for (const id of [...busy, "signal", "clock"]) yield* start(Subject, id)
              yield* machine.runs.reached("busy", busy.length)
              yield* suspended(Subject, "clock")
              yield* TestClock.adjust("1 minute")
            }),
            Effect.gen(function* () {
              yield* machine.runs.reached("busy", busy.length + 4)
              assert.strictEqual(yield* Subject.execute({ id: "new" }), "new")
              yield* tell(Subject, "go", "the signal", "signal")
              assert.strictEqual(yield* ended(Subject, "signal"), "the signal")
              yield* TestClock.adjust("1 hour")
              assert.strictEqual(yield* ended(Subject, "clock"), "the clock")
            })
          )
        })
      )

      durable(`and again and again ${words}, also while it is being resumed`, (machine) =>
        Effect.gen(function* () {
          const first = yield* machine.boot(threeSteps(true))
          yield* first.use(start(Subject))
          yield* machine.runs.reached("b")
          yield* first.down(how)
          // Ended as soon as they have begun: with the work not taken up, half taken up, or under way.
          for (const turns of numbers(8)) {
            const next = yield* machine.boot(threeSteps(true))
            yield* Effect.forEach(numbers(turns * 3), () => Effect.yieldNow, { discard: true })
            yield* next.down(how)
          }
          const last = yield* machine.boot(threeSteps(false))
          assert.strictEqual(yield* last.use(ended(Subject)), "a b c")
          const { a, b, c } = yield* machine.runs.counts
          assert.deepStrictEqual([a, c], [1, 1])
          assert.isAtMost(b ?? 0, 10)
        })
      )

      durable(`at whatever moment, no result that another step has built on is computed again ${words}`, (machine) =>
        Effect.gen(function* () {
          const names = ["a", "b", "c", "d", "e", "f"]
          const step3 = (name: string) => step(name, Effect.as(Effect.andThen(Effect.yieldNow, Effect.yieldNow), name))
          const program = register(Subject, (id) =>
            Effect.map(
              Effect.forEach(names, (name) => step3(`${id} ${name}`)),
              (all) => all.join()
            )
          )
          let crashes = 0
          const counts = numbers(16)
          for (const turns of counts) {
            const process = yield* machine.boot(program)
            yield* process.use(start(Subject, `${turns}`))
            yield* Effect.forEach(numbers(turns * 3), () => Effect.yieldNow, { discard: true })
            yield* process.down(how)
            crashes += 1
          }
          const last = yield* machine.boot(program)
          for (const turns of counts) {
            assert.strictEqual(
              yield* last.use(ended(Subject, `${turns}`)),
              names.map((name) => `${turns} ${name}`).join()
            )
          }
          const log = yield* machine.runs.log
          for (const turns of counts) {
            const own = log.filter((hit) => hit.startsWith(`${turns} `))
            assert.deepStrictEqual(own, own.toSorted(), "a step ran again after a later one had begun")
            assert.isAtMost(own.length, names.length + crashes)
          }
        })
      )
    }
  })
