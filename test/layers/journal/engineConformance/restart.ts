/**
 * A stop and a start, or a crash and a start.
 */
import * as Effect from "effect/Effect"
import { register, step, Subject } from "./calls.ts"
import type { Boot, Machine } from "./machine.ts"

/** In the first process a step that does not end; in the others one that does. */
export const stepThatHangs = (name: string, hangs: boolean) => step(name, hangs ? Effect.never : Effect.succeed(name))

/** Three steps, of which the second may hang. */
export const threeSteps = (hangs: boolean) =>
  register(Subject, () =>
    Effect.gen(function* () {
      const all = [yield* step("a"), yield* stepThatHangs("b", hangs), yield* step("c")]
      return all.join(" ")
    })
  )

/** What is done in a first process, and what in the next one; the log afterwards. */
export const overARestart = Effect.fnUntraced(function* (
  machine: Machine,
  how: "stop" | "crash",
  program: (first: boolean) => Parameters<Machine["boot"]>[0],
  before: Parameters<Boot["use"]>[0],
  after: Parameters<Boot["use"]>[0]
) {
  const first = yield* machine.boot(program(true))
  yield* first.use(before)
  yield* first.down(how)
  const second = yield* machine.boot(program(false))
  yield* second.use(after)
  return yield* machine.runs.log
})
