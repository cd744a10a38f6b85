import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scheduler from "effect/Scheduler"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import {
  Child,
  ended,
  hit,
  interrupt,
  Parent,
  poll,
  register,
  resume,
  start,
  step,
  Subject,
  suspended,
  tell,
  wait
} from "./calls.ts"
import { numbers, pause, quiet, Runs } from "./runs.ts"
import type { Suite } from "./suite.ts"

/** Lets all fibers take so many turns. */
const turns = (count: number) => Effect.forEach(numbers(count), () => Effect.yieldNow, { discard: true })

/** An engine whose reads of a deferred that is not there yet are followed by something else, before the answer is seen. */
const afterRead = (then: Effect.Effect<void>) =>
  Effect.updateService(WorkflowEngine, (engine) =>
    WorkflowEngine.of({
      ...engine,
      deferredResult: (deferred) =>
        Effect.tap(engine.deferredResult(deferred), (found) => (Option.isNone(found) ? then : Effect.void))
    })
  )

/** A wait whose clean-up takes until the gate is open. */
const waitWithCleanUp = (name: string, gate: Deferred.Deferred<void>) =>
  wait(name).pipe(Effect.onInterrupt(() => Effect.andThen(hit("cleaning up"), Deferred.await(gate))))

/** Wake-ups that other engines have lost. */
export const wakeups = ({ test }: Suite) =>
  describe("wake-ups", () => {
    for (const [held, words] of [
      [(hold: Effect.Effect<void>) => hold, "can be interrupted"],
      [Effect.uninterruptible, "cannot be interrupted"]
    ] as const) {
      test(
        `between the read of a deferred and the suspension, where the run ${words}`,
        Effect.gen(function* () {
          const read = yield* Deferred.make<void>()
          const goOn = yield* Deferred.make<void>()
          yield* register(Subject, () =>
            Effect.andThen(
              step("a"),
              wait("go").pipe(afterRead(held(Effect.andThen(Deferred.succeed(read, undefined), Deferred.await(goOn)))))
            )
          )
          yield* start(Subject)
          yield* Deferred.await(read)
          yield* Effect.forkChild(tell(Subject, "go"))
          yield* pause
          yield* Deferred.succeed(goOn, undefined)
          assert.strictEqual(yield* ended(Subject), "go")
          assert.deepStrictEqual(yield* (yield* Runs).counts, { a: 1 })
        })
      )
    }

    test(
      "at every moment around the suspension",
      Effect.gen(function* () {
        const moments = numbers(30)
        const reached = yield* Effect.forEach(moments, () => Deferred.make<void>())
        yield* register(Subject, (id) =>
          Effect.gen(function* () {
            yield* step("a")
            const here = reached[Number(id)]
            if (here !== undefined) yield* Deferred.succeed(here, undefined)
            const go = yield* wait("go")
            yield* step("b")
            return go
          })
        )
        yield* Effect.forEach(
          reached,
          (here, moment) =>
            Effect.gen(function* () {
              yield* start(Subject, `${moment}`)
              yield* Deferred.await(here)
              yield* turns(moment)
              yield* tell(Subject, "go", "go", `${moment}`)
            }),
          { concurrency: 4 }
        )
        for (const moment of moments) assert.strictEqual(yield* ended(Subject, `${moment}`), "go")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { a: 30, b: 30 })
      })
    )

    for (const [ops, many, words] of [
      [2048, 40, ""],
      [3, 8, ", with fibers that take turns every few operations"]
    ] as const) {
      test(
        `a worker that answers at once, four times to each execution, sometimes at length${words}`,
        Effect.gen(function* () {
          const large = "x".repeat(1 << 18)
          const jobs = yield* Queue.unbounded<readonly [id: string, name: string]>()
          yield* register(Subject, (id) =>
            Effect.gen(function* () {
              let length = 0
              for (const name of ["a", "b", "c", "d"]) {
                yield* step(name)
                yield* Queue.offer(jobs, [id, name])
                length += (yield* wait(name)).length
              }
              return `${length}`
            })
          )
          const work = Effect.flatMap(Queue.take(jobs), ([id, name]) =>
            tell(Subject, name, id === "7" ? large : "small", id)
          )
          for (const _ of numbers(5)) yield* Effect.forkScoped(Effect.forever(work))
          yield* Effect.forEach(numbers(many), (id) => start(Subject, `${id}`), { concurrency: 5 })
          for (const id of numbers(many)) {
            assert.strictEqual(yield* ended(Subject, `${id}`), id === 7 ? `${large.length * 4}` : "20")
          }
          assert.deepStrictEqual(yield* (yield* Runs).counts, { a: many, b: many, c: many, d: many })
        }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, ops))
      )
    }

    test(
      "whoever looks in that moment sees an execution that has not ended, and no failure",
      Effect.gen(function* () {
        const runs = yield* Runs
        // The first run of the activity would go on for ever: so the run is still there when the signal comes.
        const begun = new Set<string>()
        const body = (id: string) => Effect.suspend(() => (begun.has(id) ? Effect.succeed("a") : Effect.never))
        yield* register(Subject, (id) =>
          Effect.map(Effect.all([step(`a of ${id}`, body(id)), wait("go")], { concurrency: 2 }), (all) => all.join(" "))
        )
        const round = Effect.fnUntraced(function* (ops: number) {
          const ids = numbers(15).map((index) => `${ops} ${index}`)
          for (const id of ids) {
            yield* start(Subject, id)
            yield* runs.reached(`a of ${id}`)
            begun.add(id)
          }
          const look = (id: string) => Effect.forever(Effect.andThen(poll(Subject, id), Effect.yieldNow))
          const looking = yield* Effect.forEach(ids, (id) => Effect.forkChild(look(id)))
          yield* Effect.forEach(ids, (id) => tell(Subject, "go", "go", id), { concurrency: 10 })
          for (const id of ids) assert.strictEqual(yield* ended(Subject, id), "a go")
          for (const fiber of looking) assert.isUndefined(fiber.pollUnsafe(), "a look has failed")
          yield* Fiber.interruptAll(looking)
        })
        for (const ops of [3, 4, 5, 6, 7, 8]) {
          yield* round(ops).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, ops))
        }
      })
    )

    test(
      "while the suspended run is still cleaning up, and again in the next run",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
        yield* register(Subject, () =>
          Effect.gen(function* () {
            yield* step("a")
            const first = yield* waitWithCleanUp("one", gates[0])
            return `${first} ${yield* waitWithCleanUp("two", gates[1])}`
          })
        )
        yield* start(Subject)
        for (const [index, name] of ["one", "two"].entries()) {
          yield* runs.reached("cleaning up", index + 1)
          yield* Effect.forkChild(tell(Subject, name))
          yield* pause
          yield* Deferred.succeed(gates[index === 0 ? 0 : 1], undefined)
        }
        assert.strictEqual(yield* ended(Subject), "one two")
        assert.strictEqual((yield* runs.counts)["a"], 1)
      })
    )

    test(
      "two signals, a resume and another one, all at once while the run is cleaning up",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<void>()
        yield* register(Subject, () =>
          Effect.gen(function* () {
            yield* step("a")
            const first = yield* waitWithCleanUp("one", gate)
            return `${first} ${yield* wait("two")} ${yield* wait("three")}`
          })
        )
        yield* start(Subject)
        yield* runs.reached("cleaning up")
        const calls = [tell(Subject, "two"), resume(Subject), tell(Subject, "one"), tell(Subject, "three")]
        for (const call of calls) yield* Effect.forkChild(call)
        yield* pause
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* ended(Subject), "one two three")
        assert.deepStrictEqual(yield* runs.counts, { a: 1, "cleaning up": 1 })
      })
    )

    test(
      "ten signals at once for ten waits",
      Effect.gen(function* () {
        const names = numbers(10).map((index) => `s${index}`)
        yield* register(Subject, () =>
          Effect.map(Effect.forEach(names, wait, { concurrency: "unbounded" }), (all) => all.join(" "))
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* Effect.forEach(names.toReversed(), (name) => tell(Subject, name), { concurrency: 10 })
        assert.strictEqual(yield* ended(Subject), names.join(" "))
      })
    )

    test(
      "the same signal from ten sides at once is one wake-up",
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* register(Subject, () => Effect.andThen(wait("go"), Effect.andThen(step("a"), wait("on"))))
        yield* start(Subject)
        yield* suspended(Subject)
        yield* Effect.forEach(numbers(10), (index) => tell(Subject, "go", `${index}`), { concurrency: 10 })
        yield* runs.reached("a")
        yield* tell(Subject, "on")
        assert.strictEqual(yield* ended(Subject), "on")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "during a replay, before it has come to the wait",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<void>()
        yield* register(Subject, () =>
          Effect.gen(function* () {
            yield* step("a")
            const first = yield* wait("one")
            // No activity: done again by each run.
            yield* hit("replaying")
            yield* Deferred.await(gate)
            return `${first} ${yield* wait("two")} ${yield* step("b")}`
          })
        )
        yield* start(Subject)
        yield* suspended(Subject)
        yield* tell(Subject, "one")
        yield* runs.reached("replaying")
        yield* tell(Subject, "two")
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* ended(Subject), "one two b")
        assert.deepStrictEqual([(yield* runs.counts)["a"], (yield* runs.counts)["b"]], [1, 1])
      })
    )

    test(
      "a signal that nobody waits for yet does not disturb the activity that runs",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<string>()
        yield* register(Subject, () => Effect.andThen(step("a", Deferred.await(gate)), wait("go")))
        yield* start(Subject)
        yield* runs.reached("a")
        yield* tell(Subject, "go")
        yield* quiet
        yield* Deferred.succeed(gate, "a")
        assert.strictEqual(yield* ended(Subject), "go")
        assert.deepStrictEqual(yield* runs.counts, { a: 1 })
      })
    )

    test(
      "a resume of one that runs does not run it twice, and of one that waits only looks again",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<string>()
        yield* register(Subject, () =>
          Effect.gen(function* () {
            yield* step("a", Deferred.await(gate))
            yield* step("b")
            return yield* wait("go")
          })
        )
        yield* start(Subject)
        yield* runs.reached("a")
        yield* Effect.forEach(numbers(5), () => resume(Subject), { concurrency: 5 })
        yield* quiet
        yield* Deferred.succeed(gate, "a")
        yield* suspended(Subject)
        yield* Effect.forEach(numbers(5), () => resume(Subject), { concurrency: 5 })
        yield* quiet
        yield* suspended(Subject)
        yield* tell(Subject, "go")
        assert.strictEqual(yield* ended(Subject), "go")
        yield* resume(Subject)
        yield* quiet
        assert.deepStrictEqual(yield* runs.log, ["a", "b"])
      })
    )

    test(
      "the end of a child while its parent is still cleaning up",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<void>()
        yield* register(Child, () => Effect.andThen(step("c"), wait("go")))
        yield* register(Parent, () =>
          Child.execute({ id: "c" }).pipe(
            Effect.onInterrupt(() => Effect.andThen(hit("cleaning up"), Deferred.await(gate)))
          )
        )
        yield* start(Parent)
        yield* runs.reached("cleaning up")
        yield* tell(Child, "go", "go", "c")
        yield* ended(Child, "c")
        yield* pause
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* ended(Parent), "go")
        assert.deepStrictEqual(yield* runs.counts, { c: 1, "cleaning up": 1 })
      })
    )

    test(
      "the end of a child at every moment around its parent's suspension",
      Effect.gen(function* () {
        const moments = numbers(30)
        const reached = yield* Effect.forEach(moments, () => Deferred.make<void>())
        yield* register(Child, (id) =>
          Effect.gen(function* () {
            const here = reached[Number(id)]
            if (here !== undefined) yield* Deferred.succeed(here, undefined)
            return yield* wait("go")
          })
        )
        yield* register(Parent, (id) => Effect.tap(Child.execute({ id }), () => step("p")))
        yield* Effect.forEach(
          reached,
          (here, moment) =>
            Effect.gen(function* () {
              yield* start(Parent, `${moment}`)
              yield* Deferred.await(here)
              yield* turns(moment)
              yield* tell(Child, "go", "go", `${moment}`)
            }),
          { concurrency: 4 }
        )
        for (const moment of moments) assert.strictEqual(yield* ended(Parent, `${moment}`), "go")
        assert.deepStrictEqual(yield* (yield* Runs).counts, { p: 30 })
      })
    )

    test(
      "an interrupt while the run is still cleaning up, together with the signal: it ends",
      Effect.gen(function* () {
        const runs = yield* Runs
        const gate = yield* Deferred.make<void>()
        yield* register(Subject, () =>
          Effect.andThen(step("a"), Effect.andThen(waitWithCleanUp("go", gate), step("b")))
        )
        yield* start(Subject)
        yield* runs.reached("cleaning up")
        yield* Effect.forkChild(interrupt(Subject))
        yield* Effect.forkChild(tell(Subject, "go"))
        yield* pause
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* ended(Subject), "interrupted")
        assert.strictEqual((yield* runs.counts)["b"], undefined)
      })
    )

    test(
      "whoever waits for the result is told when it comes, not later",
      Effect.gen(function* () {
        yield* register(Subject, () => Effect.andThen(step("a"), wait("go")))
        const callers = numbers(5).map(() => Subject.execute({ id: "1" }))
        yield* Effect.forkChild(Effect.andThen(suspended(Subject), tell(Subject, "go")))
        // The clock of the test stands still: nobody is helped by asking again after a while.
        const answers = yield* Effect.all(callers, { concurrency: 5 })
        assert.deepStrictEqual([...new Set(answers)], ["go"])
      })
    )
  })
