/**
 * The coordinator's executor: every child works on the same message, and their answers become one.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import { TaskOutput } from "../../services/durable/AgentTask.ts"
import { ExecutorError, progress, Step } from "../../services/durable/Step.ts"
import { Colleague, Delegation, DelegationResult } from "../../services/team/Delegation.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"

const refusal = (error: { readonly message: string }) => new ExecutorError({ reason: "refused", detail: error.message })

/**
 * Delegates the message to every child at once (within the configured bound) and answers with a section for each, in the
 * order of their names.
 *
 * **Details**
 *
 * Who the children are is a step, and so is each delegation: after a crash the answers that are there are kept. The
 * `messageId` of a delegation is made of the task's id and the child's, so that a child that already works on it goes on.
 * One child that fails fails the task, with the reason; the answers of the others stay in their own tasks.
 */
export const layer = Layer.effect(
  AgentExecutor,
  Effect.gen(function* () {
    const delegation = yield* Delegation
    const { delegationConcurrency } = yield* WorkspaceSettings

    return AgentExecutor.of({
      name: "fan-out",
      execute: Effect.fn("ExecutorFanOut.execute")(function* (task) {
        const { emit, step } = yield* Step
        const children = yield* step("children", Schema.Array(Colleague), Effect.mapError(delegation.children, refusal))
        if (children.length === 0) {
          return yield* new ExecutorError({
            reason: "invalid",
            detail: "this coordinator has no children to delegate to",
            remedy: "create workspaces with its id as parent_id"
          })
        }
        yield* emit(progress(`delegating to ${children.map(({ name }) => name).join(", ")}`))
        const answers = yield* Effect.forEach(
          children,
          (child) =>
            step(
              `delegate/${child.name}`,
              DelegationResult,
              delegation
                .delegate({
                  target: child.id,
                  messageId: `${task.taskId}/${child.id}`,
                  contextId: task.taskId,
                  text: task.text
                })
                .pipe(Effect.mapError(refusal))
            ).pipe(Effect.tap(() => emit(progress(`${child.name} has answered`)))),
          { concurrency: delegationConcurrency }
        )
        const sections = children.map(({ name }, index) => `## ${name}\n\n${(answers[index]?.text ?? "").trim()}`)
        return new TaskOutput({ text: sections.join("\n\n") })
      })
    })
  })
)
