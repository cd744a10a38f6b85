/**
 * What every connection of `AgentClient` must do, whoever the agent is.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { AgentTask, SendAnswer } from "../../src/services/a2a/AgentAnswer.ts"
import type { Connection } from "../../src/services/a2a/AgentClient.ts"

/** The task of an answer that must be one. */
export const taskOf = (answer: SendAnswer): AgentTask => {
  if (!("task" in answer)) return assert.fail(JSON.stringify(answer))
  return answer.task
}

/** How an error is called: by its reason, or by its tag. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, { readonly _tag: string }, R>) =>
  Effect.map(Effect.flip(effect), (error) => ("reason" in error ? String(error.reason) : error._tag))

/** Makes, reads, lists and deletes a push configuration of the task. */
export const keepsPushConfigs = Effect.fnUntraced(function* (connection: Connection, taskId: string) {
  const config = { taskId, id: "mine", url: "http://127.0.0.1:9/push", token: "t" }
  assert.include(yield* connection.createPushConfig(config), config)
  assert.include(yield* connection.getPushConfig({ taskId, id: "mine" }), config)
  const { configs } = yield* connection.listPushConfigs({ taskId })
  assert.deepStrictEqual(
    configs.map(({ id }) => id),
    ["mine"]
  )
  yield* connection.deletePushConfig({ taskId, id: "mine" })
  assert.deepStrictEqual((yield* connection.listPushConfigs({ taskId })).configs, [])
})
