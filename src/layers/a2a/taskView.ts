/**
 * How a task looks in A2A 0.3: the record and its events, turned into the protocol's objects.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { Message, StreamResult, Task } from "../../services/a2a/Protocol03.ts"
import { metadataKey } from "../../services/a2a/Protocol03.ts"
import * as Cursor from "../../services/durable/Cursor.ts"
import { isTerminal, type TaskEvent, type TaskRecord } from "../../services/durable/TaskStore.ts"

const textPart = (text: string) => ({ kind: "text" as const, text })

// A task whose sender named no context is a context of its own.
const contextOf = ({ input }: TaskRecord) => (input.contextId === "" ? input.taskId : input.contextId)

const agentMessage = (task: TaskRecord, suffix: string, text: string): Message => ({
  kind: "message",
  role: "agent",
  messageId: `${task.input.taskId}-${suffix}`,
  taskId: task.input.taskId,
  contextId: contextOf(task),
  parts: [textPart(text)]
})

const userMessage = (task: TaskRecord): Message => ({
  kind: "message",
  role: "user",
  messageId: task.input.messageId,
  taskId: task.input.taskId,
  contextId: contextOf(task),
  parts: [textPart(task.input.text)]
})

const errorMessage = (task: TaskRecord) =>
  task.error === undefined ? undefined : { message: agentMessage(task, "error", task.error.message) }

const status = (task: TaskRecord): Task["status"] => ({
  state: task.state,
  timestamp: DateTime.formatIso(task.updatedAt),
  ...errorMessage(task)
})

// The artifact of output that belongs to no step.
const artifactId = (step: string) => (step === "" ? "answer" : step)

/** What each step has put out, whole; of a step that was run again only the last run counts. */
export const artifacts = (events: ReadonlyArray<TaskEvent>) => {
  const byStep = new Map<string, { readonly attempt: number; readonly text: string }>()
  for (const { attempt, event, step } of events) {
    if (event._tag !== "Output") continue
    const known = byStep.get(step)
    if (known === undefined || attempt > known.attempt) byStep.set(step, { attempt, text: event.text })
    else if (attempt === known.attempt) byStep.set(step, { attempt, text: known.text + event.text })
  }
  return Array.from(byStep, ([step, { text }]) => ({ artifactId: artifactId(step), parts: [textPart(text)] }))
}

/** The task as `tasks/get` shows it. `historyLength` 0 leaves the history out. */
export const toTask = (task: TaskRecord, events: ReadonlyArray<TaskEvent>, historyLength?: number): Task => ({
  kind: "task",
  id: task.input.taskId,
  contextId: contextOf(task),
  status: status(task),
  artifacts: artifacts(events),
  ...(historyLength === 0 ? undefined : { history: [userMessage(task)] })
})

/**
 * The answer to a blocking `message/send`: the agent's message for a task that went well (what the original runtime and
 * its clients expect), the task itself for one that did not.
 */
export const toAnswer = (task: TaskRecord, events: ReadonlyArray<TaskEvent>): Message | Task =>
  task.state === "completed" && task.output !== undefined
    ? agentMessage(task, "answer", task.output.text)
    : toTask(task, events)

/**
 * The stream's view of one event, the same whenever it is asked for; of a failure, the record tells why. `append` is false
 * for the first piece of an artifact in a run of its step, so that a step that is run a second time replaces what its
 * first run had put out.
 */
export const toStreamResult = (task: TaskRecord, event: TaskEvent, append: boolean): StreamResult => {
  const ids = { taskId: task.input.taskId, contextId: contextOf(task) }
  switch (event.event._tag) {
    case "Output":
      return {
        kind: "artifact-update",
        ...ids,
        artifact: { artifactId: artifactId(event.step), parts: [textPart(event.event.text)] },
        append,
        lastChunk: false
      }
    case "Progress":
      return {
        kind: "status-update",
        ...ids,
        status: {
          state: "working",
          timestamp: DateTime.formatIso(event.at),
          message: agentMessage(task, `event-${event.sequence}`, event.event.text)
        },
        final: false
      }
    case "Artifact":
    case "Remark":
    case "Received":
      return { kind: "status-update", ...ids, status: { state: "working" }, final: false }
    case "State":
      return {
        kind: "status-update",
        ...ids,
        status: {
          state: event.event.state,
          timestamp: DateTime.formatIso(event.at),
          ...(event.event.state === "failed" ? errorMessage(task) : undefined)
        },
        final: isTerminal(event.event.state)
      }
  }
}

/**
 * The stream's view of what is missing from it: where the task stands now, with the gap in the metadata. It never ends
 * the stream: what is kept follows.
 */
export const toGapResult = (task: TaskRecord, { from, reason, to }: Cursor.Gap): StreamResult => ({
  kind: "status-update",
  taskId: task.input.taskId,
  contextId: contextOf(task),
  status: status(task),
  final: false,
  metadata: { [metadataKey.gap]: { reason, from: Cursor.format(from), to: Cursor.format(to) } }
})

/** The text of a message: its text parts, joined by line breaks; `None` if it has a part of another kind. */
export const textOf = (message: Message): Option.Option<string> => {
  const texts: Array<string> = []
  for (const part of message.parts) {
    if (part.kind !== "text") return Option.none()
    texts.push(part.text)
  }
  return Option.some(texts.join("\n"))
}
