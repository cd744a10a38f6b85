/**
 * Tasks that a start has taken up, and that have not shown yet that they do not bring the process down.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isTerminal, TaskStore } from "../../services/durable/TaskStore.ts"

/** Makes the list. */
export const make = Effect.gen(function* () {
  const store = yield* TaskStore
  const suspects = new Set<string>()

  // Whatever ends the process later, it was not the taking up.
  const clear = Effect.fnUntraced(
    function* (taskId: string) {
      if (!suspects.delete(taskId)) return
      const task = yield* store.get(taskId)
      const { boots, held } = yield* store.standing(taskId)
      if (Option.isNone(task) || isTerminal(task.value.state) || held !== undefined || boots === 0) return
      yield* store.note(taskId, { _tag: "TaskReleased" })
    },
    Effect.catch((error) => Effect.logWarning("what the task has withstood could not be noted", error))
  )

  return {
    add: (taskId: string) => {
      suspects.add(taskId)
    },
    /** The task stands at a wait, or has run for a while. */
    clear
  }
})
