/**
 * How a task looks in A2A 1.0: the record and its events, turned into the protocol's objects.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import { streamResumption } from "../../services/a2a/A2AOperations.ts"
import type * as P from "../../services/a2a/A2AProtocol.ts"
import { messageOf, type TaskInput } from "../../services/durable/AgentTask.ts"
import { type Artifact, type Message, type Part, textPart } from "../../services/durable/Content.ts"
import * as Cursor from "../../services/durable/Cursor.ts"
import type { TaskEvent, TaskRecord, TaskState } from "../../services/durable/TaskStore.ts"

const theirs = {
  submitted: "TASK_STATE_SUBMITTED",
  working: "TASK_STATE_WORKING",
  "input-required": "TASK_STATE_INPUT_REQUIRED",
  "auth-required": "TASK_STATE_AUTH_REQUIRED",
  completed: "TASK_STATE_COMPLETED",
  failed: "TASK_STATE_FAILED",
  canceled: "TASK_STATE_CANCELED",
  rejected: "TASK_STATE_REJECTED"
} as const satisfies Readonly<Record<TaskState, P.TaskState>>

const ours = {
  TASK_STATE_SUBMITTED: "submitted",
  TASK_STATE_WORKING: "working",
  TASK_STATE_INPUT_REQUIRED: "input-required",
  TASK_STATE_AUTH_REQUIRED: "auth-required",
  TASK_STATE_COMPLETED: "completed",
  TASK_STATE_FAILED: "failed",
  TASK_STATE_CANCELED: "canceled",
  TASK_STATE_REJECTED: "rejected"
} as const satisfies Readonly<Record<P.TaskState, TaskState>>

/** The protocol's state in our words. */
export const stateOf = (state: P.TaskState): TaskState => ours[state]

/** A task whose sender named no context is a context of its own. */
export const contextOf = ({ contextId, taskId }: TaskInput): string => (contextId === "" ? taskId : contextId)

type Parts = readonly [Part, ...ReadonlyArray<Part>]

/** A message of the agent; its id tells what it is about, so that it is the same whenever it is asked for. */
export const agentMessage = (input: TaskInput, about: string, parts: Parts): Message => ({
  messageId: `${input.taskId}-${about}`,
  role: "ROLE_AGENT",
  parts,
  contextId: contextOf(input),
  taskId: input.taskId
})

const iso = DateTime.formatIso

// The artifact of output that belongs to no step.
const artifactId = (step: string) => (step === "" ? "answer" : step)

/** What a state event says of it. Why a task failed is in its record. */
const stateMessage = ({ error, input }: TaskRecord, { event, sequence }: TaskEvent): Message | undefined => {
  if (event._tag !== "State") return undefined
  if (event.message !== undefined) return agentMessage(input, `event-${sequence}`, event.message)
  const failed = event.state === "failed" || event.state === "rejected"
  return failed && error !== undefined ? agentMessage(input, "error", [textPart(error.message)]) : undefined
}

const remark = ({ input }: TaskRecord, { event, sequence }: TaskEvent): Message | undefined => {
  if (event._tag === "Progress") return agentMessage(input, `event-${sequence}`, [textPart(event.text)])
  return event._tag === "Remark" ? agentMessage(input, `event-${sequence}`, event.parts) : undefined
}

const withMessage = (message: Message | undefined) => (message === undefined ? undefined : { message })

// The state as its last event tells it: a task that asks for something says so for as long as it does.
const status = (task: TaskRecord, events: ReadonlyArray<TaskEvent>): P.TaskStatus => {
  const last = events.findLast(({ event }) => event._tag === "State" && event.state === task.state)
  return {
    state: theirs[task.state],
    timestamp: iso(task.updatedAt),
    ...withMessage(last === undefined ? undefined : stateMessage(task, last))
  }
}

interface Growing {
  readonly attempt: number
  readonly step: string
  readonly artifact: Artifact
}

const addText = (parts: ReadonlyArray<Part>, text: string): ReadonlyArray<Part> => {
  const last = parts.at(-1)
  return last !== undefined && "text" in last
    ? [...parts.slice(0, -1), { ...last, text: last.text + text }]
    : [...parts, textPart(text)]
}

const grown = (known: Growing | undefined, { attempt, event, step }: TaskEvent): Growing | undefined => {
  // What a former run of the step has put out does not count any more.
  const before = known?.step === step && known.attempt === attempt ? known : undefined
  if (known?.step === step && attempt < known.attempt) return known
  if (event._tag === "Output") {
    const { artifact = { artifactId: artifactId(step), parts: [] } } = before ?? {}
    return { attempt, step, artifact: { ...artifact, parts: addText(artifact.parts, event.text) } }
  }
  if (event._tag !== "Artifact") return known
  if (!event.append || before === undefined) return { attempt, step, artifact: event.artifact }
  const parts = [...before.artifact.parts, ...event.artifact.parts]
  return { attempt, step, artifact: { ...before.artifact, parts } }
}

/** What a task has put out so far, each artifact whole. */
export const artifacts = (events: ReadonlyArray<TaskEvent>): ReadonlyArray<Artifact> => {
  const known = new Map<string, Growing>()
  for (const said of events) {
    const { event, step } = said
    if (event._tag !== "Output" && event._tag !== "Artifact") continue
    const id = event._tag === "Output" ? artifactId(step) : event.artifact.artifactId
    const next = grown(known.get(id), said)
    if (next !== undefined) known.set(id, next)
  }
  return Array.from(known.values(), ({ artifact }) => artifact)
}

/** The message that the task began with, as it was sent; it is the task's from then on. */
const firstMessage = (input: TaskInput): Message => ({
  ...messageOf(input),
  taskId: input.taskId,
  contextId: contextOf(input)
})

/** What the two said to each other, oldest first: messages to the task, and questions and remarks of the agent. */
export const history = (task: TaskRecord, events: ReadonlyArray<TaskEvent>): ReadonlyArray<Message> => [
  firstMessage(task.input),
  ...events.flatMap((said) => {
    if (said.event._tag === "Received") return [said.event.message]
    const message = stateMessage(task, said) ?? remark(task, said)
    return message === undefined ? [] : [message]
  })
]

const recent = (messages: ReadonlyArray<Message>, length: number | undefined) => {
  if (length === 0) return undefined
  return { history: length === undefined ? messages : messages.slice(-length) }
}

/** What of a task is wanted. Without a length the whole history is; 0 leaves it out. */
export interface Wanted {
  readonly historyLength?: number | undefined
  readonly artifacts?: boolean
}

/** The task as it stands. */
export const toTask = (task: TaskRecord, events: ReadonlyArray<TaskEvent>, wanted: Wanted = {}): P.Task => ({
  id: task.input.taskId,
  contextId: contextOf(task.input),
  status: status(task, events),
  ...(wanted.artifacts === false ? undefined : { artifacts: artifacts(events) }),
  ...recent(history(task, events), wanted.historyLength)
})

/** The task at the moment that it was accepted. */
export const asItBegan = ({ createdAt, input }: TaskRecord): TaskRecord => ({
  input,
  state: "submitted",
  createdAt,
  updatedAt: createdAt
})

const idsOf = ({ input }: TaskRecord) => ({ taskId: input.taskId, contextId: contextOf(input) })

/**
 * The stream's view of one event, the same whenever it is asked for; `undefined` for what nobody is told. `append` is false
 * for the first piece of an artifact in a run of its step, so that a step that is run a second time replaces what its
 * first run had put out.
 */
export const toItem = (task: TaskRecord, said: TaskEvent, append: boolean): P.StreamResponse | undefined => {
  const { at, event, step } = said
  switch (event._tag) {
    case "Output":
      return {
        artifactUpdate: {
          ...idsOf(task),
          artifact: { artifactId: artifactId(step), parts: [textPart(event.text)] },
          append,
          lastChunk: false
        }
      }
    case "Artifact":
      return {
        artifactUpdate: {
          ...idsOf(task),
          artifact: event.artifact,
          append,
          lastChunk: event.lastChunk
        }
      }
    case "Received":
      return undefined
    case "State":
      return {
        statusUpdate: {
          ...idsOf(task),
          status: { state: theirs[event.state], timestamp: iso(at), ...withMessage(stateMessage(task, said)) }
        }
      }
    default:
      return {
        statusUpdate: {
          ...idsOf(task),
          status: { state: "TASK_STATE_WORKING", timestamp: iso(at), ...withMessage(remark(task, said)) }
        }
      }
  }
}

/** The stream's view of what is missing from it: where the task stands now, with the gap in the metadata. */
export const toGap = (task: TaskRecord, { from, reason, to }: Cursor.Gap): P.StreamResponse => ({
  statusUpdate: {
    ...idsOf(task),
    status: status(task, []),
    metadata: { [streamResumption.gap]: { reason, from: Cursor.format(from), to: Cursor.format(to) } }
  }
})
