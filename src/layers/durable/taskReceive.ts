/**
 * The checkpoint `task_receive`: what beginning a task again needs.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import type { CheckpointInput } from "../../services/durable/Checkpoint.ts"
import { type Phase, phases, type TaskInput } from "../../services/durable/AgentTask.ts"
import { Message } from "../../services/durable/Content.ts"
import type { Accepted } from "../../services/durable/InFlight.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

const phase: Phase = "task_receive"

const Received = Schema.Struct({
  task_id: Schema.String,
  context_id: Schema.String,
  message_id: Schema.String,
  caller: Schema.String,
  text: Schema.String,
  message: Schema.optionalKey(Message),
  version: Schema.Int,
  code: Schema.String
})

// What was decoded by the schema can be encoded by it.
// @effect-diagnostics-next-line schemaSync:off
const encodeMessage = Schema.encodeSync(Schema.toCodecJson(Message))

/** The payload. */
export const payload = (input: TaskInput, { code, version }: { readonly version: number; readonly code: string }) => ({
  task_id: input.taskId,
  status: "received",
  context_id: input.contextId,
  message_id: input.messageId,
  caller: input.caller,
  text: input.text,
  ...(input.message === undefined ? undefined : { message: encodeMessage(input.message) }),
  version,
  code
})

/** The checkpoint of an acceptance. */
export const checkpoint = (workspaceId: WorkspaceId, record: Accepted): CheckpointInput => ({
  workspaceId,
  workflowId: record.input.taskId,
  stepName: phase,
  stepIndex: phases.indexOf(phase),
  payload: payload(record.input, record)
})

const decode = Schema.decodeUnknownOption(Received)

/** What a payload says of the task; `None` where it is not one of these. */
export const read = (value: Schema.Json) => {
  const received = decode(value)
  if (received._tag === "None") return undefined
  const {
    caller,
    code,
    context_id: contextId,
    message,
    message_id: messageId,
    task_id: taskId,
    text,
    version
  } = received.value
  const whole = message === undefined ? undefined : { message }
  return { input: { taskId, contextId, messageId, caller, text, ...whole }, version, code }
}
