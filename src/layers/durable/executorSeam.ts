/**
 * Where the executor is called: it may come from a file that nobody has type-checked, and then does what it likes.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { type TaskInput, TaskOutput } from "../../services/durable/AgentTask.ts"
import { ExecutorError, type Step } from "../../services/durable/Step.ts"

const describe = (value: unknown): string => {
  if (value instanceof Promise) return "a Promise"
  return value instanceof Error ? `${value.name}: ${value.message}` : Formatter.format(value).slice(0, 200)
}

const wrong = (detail: string, remedy: string) => new ExecutorError({ reason: "failed", detail, remedy })

const isOutput = Schema.is(TaskOutput)
const isText = Schema.is(Schema.Struct({ text: Schema.String }))

const checked = (answer: unknown): Effect.Effect<TaskOutput, ExecutorError> => {
  if (isOutput(answer)) return Effect.succeed(answer)
  if (isText(answer)) return Effect.succeed(new TaskOutput({ text: answer.text }))
  const detail = `the executor answered ${describe(answer)} in place of a TaskOutput`
  return Effect.fail(wrong(detail, "let its execute answer new TaskOutput({ text }), or { text }"))
}

const isOurs = Schema.is(ExecutorError)
const decode = Schema.decodeUnknownOption(ExecutorError)

// That of another copy of this package is as good.
const failure = (error: unknown): ExecutorError =>
  isOurs(error)
    ? error
    : Option.getOrElse(decode(error), () =>
        wrong(
          `the executor failed with ${describe(error)} in place of an ExecutorError`,
          "let its execute fail with new ExecutorError({ reason, detail })"
        )
      )

const noEffect = (given: unknown) =>
  wrong(
    `the executor's execute gave ${describe(given)} in place of an Effect`,
    "let it return an Effect; Effect.promise and Effect.tryPromise make one of what is async"
  )

/** What the sender is told of a defect. */
export const internal = new ExecutorError({
  reason: "failed",
  detail: "internal error",
  remedy: "the workspace's log has the cause under this task's id"
})

/** What the executor answers or fails with, whatever that is. What it throws, or dies of, is a defect. */
export const call = (
  execute: AgentExecutor["Service"]["execute"],
  input: TaskInput
): Effect.Effect<TaskOutput, ExecutorError, Step> =>
  Effect.suspend(() => {
    const work = execute(input)
    // By its types it is one.
    const given: unknown = work
    return Effect.isEffect(given) ? work : Effect.fail(noEffect(given))
  }).pipe(Effect.mapError(failure), Effect.flatMap(checked))
