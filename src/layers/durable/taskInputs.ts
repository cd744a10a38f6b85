/**
 * What reaches a suspended task from outside: values for its waits, and messages from its sender.
 *
 * @module
 */
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { AgentTask, executionId } from "../../services/durable/AgentTask.ts"
import { Message } from "../../services/durable/Content.ts"
import { type JournalEntry, Staging } from "../../services/durable/Journal.ts"
import { ExecutorError } from "../../services/durable/Step.ts"
import { TaskTakesNoMessage, WaitNotOpen } from "../../services/durable/TaskRunner.ts"
import { isInterrupted, MessageConflict, type TaskRecord, TaskStore } from "../../services/durable/TaskStore.ts"
import type { OpenWait } from "../../services/durable/Waits.ts"
import * as StepExit from "./stepExit.ts"
import { clockName, waitName } from "./stepNames.ts"
import { askName } from "./stepWorkflow.ts"
import type { TaskFeed } from "./taskFeed.ts"
import * as TaskRecords from "./taskRecords.ts"

const resultOf = StepExit.of(Schema.Json)

const encodeMessage = Schema.encodeEffect(Schema.toCodecJson(Message))

/** What is known of a wait once its task waits in this process. */
export interface Expected {
  /** Does the value fit? */
  readonly accepts: (value: Schema.Json) => boolean
  /** The place of the wait among the task's steps. */
  readonly place: number
}

/** Makes the ways in. `save` makes a checkpoint of a wait's value, where there is a place for it. */
export const make = Effect.fnUntraced(function* (
  feed: TaskFeed,
  save: (taskId: string, name: string, place: number, encoded: Schema.Json) => Effect.Effect<void>
) {
  const engine = yield* WorkflowEngine
  const store = yield* TaskStore
  const waiting = new Map<string, Expected>()
  const oneByOne = yield* Semaphore.make(1)

  const end = Effect.fnUntraced(function* (
    { kind, taskId, wait }: Pick<OpenWait, "kind" | "taskId" | "wait">,
    exit: Exit.Exit<Schema.Json, ExecutorError>
  ) {
    const deferredName = kind === "timer" ? clockName(wait) : waitName(wait)
    const deferred = DurableDeferred.make(deferredName, { success: Schema.Json, error: ExecutorError })
    const about = { workflowName: AgentTask._tag, deferredName, exit }
    // An execution takes over what came to the one before it until it began: what came later is given to it, too.
    for (let given = -1; ;) {
      const { segment } = yield* store.standing(taskId)
      if (segment === given) return
      yield* engine.deferredDone(deferred, { ...about, executionId: executionId(taskId, segment) })
      given = segment
    }
  })

  // The value, its checkpoint, and that the wait is over, in one commit where the engine has commits.
  const endWait = Effect.fnUntraced(function* (
    open: Pick<OpenWait, "kind" | "taskId" | "wait">,
    exit: Exit.Exit<Schema.Json, ExecutorError>,
    how: "provided" | "overdue" = "provided"
  ) {
    const { taskId, wait } = open
    const note = { _tag: "WaitEnded", wait, how } as const
    const staging: Array<JournalEntry> = [{ stream: taskId, record: note }]
    const place = waiting.get(`${taskId}/${wait}`)?.place ?? 0
    const encoded = yield* resultOf.encode(exit)
    yield* save(taskId, waitName(wait), place, encoded).pipe(
      Effect.andThen(end(open, exit)),
      Effect.provideService(Staging, staging)
    )
    if (staging.length > 0) yield* Effect.provideService(store.note(taskId, note), Staging, staging.slice(1))
    waiting.delete(`${taskId}/${wait}`)
  })

  const openWait = (taskId: string, is: (wait: OpenWait) => boolean) =>
    Effect.map(store.waits, (waits) => waits.find((one) => one.taskId === taskId && is(one)))

  const provide = Effect.fnUntraced(function* (taskId: string, wait: string, value: Schema.Json) {
    const open = yield* openWait(taskId, (one) => one.wait === wait)
    const expected = waiting.get(`${taskId}/${wait}`)
    if (open === undefined || open.kind === "timer" || expected === undefined) {
      return yield* new WaitNotOpen({ taskId, wait, detail: "nothing is waited for under this name" })
    }
    if (!expected.accepts(value)) {
      const detail = `the value does not fit what is waited for (${open.reason})`
      return yield* new WaitNotOpen({ taskId, wait, detail })
    }
    yield* endWait(open, Exit.succeed(value))
  }, Effect.uninterruptible)

  const past = Effect.fnUntraced(function* (taskId: string) {
    const events = yield* store.events(taskId, 0)
    return events.flatMap(({ event }) => (event._tag === "Received" ? [event.message] : []))
  })

  // The message is on disk before the task is woken: one that is taken up by the next start finds it there.
  const receive = Effect.fnUntraced(
    function* ({ input, state }: TaskRecord, message: Message) {
      const { taskId } = input
      const before = yield* past(taskId)
      const same = before.find(({ messageId }) => messageId === message.messageId)
      if (same !== undefined && !Equal.equals(same, message)) {
        return yield* new MessageConflict({ messageId: message.messageId, taskId })
      }
      if (same !== undefined) return
      if (!isInterrupted(state)) return yield* new TaskTakesNoMessage({ taskId, state })
      const event = { _tag: "Received", message } as const
      const number = before.length + 1
      yield* store.append({ taskId, step: TaskRecords.receivedStep, attempt: 1, number, event })
      yield* feed.setState(taskId, { state: "working" })
      const open = yield* openWait(taskId, ({ wait }) => wait.startsWith(askName("")))
      if (open === undefined) return
      yield* endWait(open, Exit.succeed(yield* Effect.orDie(encodeMessage(message))))
    },
    Effect.uninterruptible,
    (effect) => oneByOne.withPermit(effect)
  )

  return {
    /** Makes known how the value for a wait is checked. */
    expect: (taskId: string, wait: string, expected: Expected) => {
      waiting.set(`${taskId}/${wait}`, expected)
    },
    end,
    /** Ends a wait whose time is over. */
    giveUp: (wait: OpenWait, error: ExecutorError) => endWait(wait, Exit.fail(error), "overdue"),
    provide,
    receive
  }
})
