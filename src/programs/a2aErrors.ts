/**
 * What can go wrong in `a2a`, in the words and with the exit codes that the A2A project's command line has.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { type A2AError, errors, type Reason } from "../services/a2a/A2AError.ts"
import type { AgentFailure, ConnectFailure } from "../services/a2a/AgentClient.ts"

/** A failure of the tool: what is printed, and the exit code. */
export class CliError extends Schema.TaggedError<CliError>()("CliError", {
  code: Schema.String,
  message: Schema.String,
  hint: Schema.NullOr(Schema.String),
  a2aCode: Schema.NullOr(Schema.Union([Schema.Int, Schema.String])),
  exit: Schema.Int
}) {}

/** A command among workspaces could not do its work: one line for stderr, exit code 1. */
export class WorkspaceCommandFailed extends Schema.TaggedError<WorkspaceCommandFailed>()("WorkspaceCommandFailed", {
  message: Schema.String
}) {}

/** What is printed of it with `-o json`. */
export const Envelope = Schema.Struct({
  error: Schema.Struct({
    code: Schema.String,
    message: Schema.String,
    hint: Schema.NullOr(Schema.String),
    a2aCode: Schema.NullOr(Schema.Union([Schema.Int, Schema.String]))
  })
})

const exits = {
  USAGE: 2,
  CARD_NOT_FOUND: 3,
  CARD_INVALID: 1,
  UNREACHABLE: 3,
  CREDENTIALS_MISSING: 4,
  AUTH_FAILED: 4,
  TIMEOUT: 5,
  INTERNAL: 1
} as const

/** A condition that the protocol has no name for. */
export const local = (symbol: keyof typeof exits, message: string, hint: string | null = null): CliError =>
  new CliError({ code: `A2ACLI_ERR_${symbol}`, message, hint, a2aCode: null, exit: exits[symbol] })

// The names of the protocol's text. `BUSY` and `UNAVAILABLE` are ours, and so are their names.
const names: Readonly<Record<Reason, string>> = {
  PARSE_ERROR: "JSONParseError",
  INVALID_REQUEST: "InvalidRequestError",
  METHOD_NOT_FOUND: "MethodNotFoundError",
  INVALID_PARAMS: "InvalidParamsError",
  INTERNAL: "InternalError",
  UNAUTHENTICATED: "A2ACLI_ERR_AUTH_FAILED",
  TOO_LARGE: "InvalidRequestError",
  BUSY: "MOLECULE_ERR_BUSY",
  UNAVAILABLE: "MOLECULE_ERR_UNAVAILABLE",
  TASK_NOT_FOUND: "TaskNotFoundError",
  TASK_NOT_CANCELABLE: "TaskNotCancelableError",
  PUSH_NOTIFICATION_NOT_SUPPORTED: "PushNotificationNotSupportedError",
  UNSUPPORTED_OPERATION: "UnsupportedOperationError",
  CONTENT_TYPE_NOT_SUPPORTED: "ContentTypeNotSupportedError",
  INVALID_AGENT_RESPONSE: "InvalidAgentResponseError",
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: "ExtendedAgentCardNotConfiguredError",
  EXTENSION_SUPPORT_REQUIRED: "ExtensionSupportRequiredError",
  VERSION_NOT_SUPPORTED: "VersionNotSupportedError"
}

const violations = ({ fieldViolations = [], message }: A2AError) =>
  fieldViolations.length === 0
    ? message
    : `${message}: ${fieldViolations.map(({ description, field }) => `${field}: ${description}`).join("; ")}`

const hints: Partial<Record<Reason, string>> = {
  TASK_NOT_FOUND: "see which tasks there are: a2a task list",
  TASK_NOT_CANCELABLE: "the task has ended: a2a task get <task-id>",
  UNSUPPORTED_OPERATION: "see what the agent offers: a2a card get",
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: "there is only the public card: a2a card get"
}

/** What was asked, as far as hints depend on it. */
export interface Asked {
  readonly credentials: boolean
  /** The task that a message was for. */
  readonly taskId: string | undefined
}

const unauthorized = (asked: Asked, message: string) =>
  asked.credentials
    ? local("AUTH_FAILED", message, "check the token or the key: it may have expired, or be another agent's")
    : local("CREDENTIALS_MISSING", message, "set A2ACLI_BEARER or A2ACLI_API_KEY; `a2a card get` shows the schemes")

/** A failure of the client as one of the tool. */
export const ofClient = (error: AgentFailure | ConnectFailure, asked: Asked): CliError => {
  switch (error._tag) {
    case "A2AError": {
      if (error.reason === "UNAUTHENTICATED") return unauthorized(asked, error.message)
      const rejected =
        asked.taskId !== undefined ? `no new task was made; run again with --debug for what was said` : null
      return new CliError({
        code: names[error.reason],
        message: violations(error),
        hint: rejected ?? hints[error.reason] ?? null,
        // The same over every binding.
        a2aCode: errors[error.reason].code,
        exit: 1
      })
    }
    case "AgentUnauthorized":
      return unauthorized(asked, error.message)
    case "AgentUnreachable":
      return local("UNREACHABLE", error.message, "is the agent running, and is this its address?")
    case "AgentTimeout":
      return local("TIMEOUT", error.message, "wait longer with --timeout")
    case "AgentCardNotFound":
      return local("CARD_NOT_FOUND", error.message, "give the agent's origin or the URL of its card with --agent-card")
    case "AgentCardInvalid":
      return local("CARD_INVALID", error.message)
    case "InvalidAgentResponse":
      return new CliError({
        code: names.INVALID_AGENT_RESPONSE,
        message: error.message,
        hint: "run again with --debug",
        a2aCode: errors.INVALID_AGENT_RESPONSE.code,
        exit: 1
      })
    case "NoCommonInterface": {
      const old = error.offered.find((one) => one.startsWith("JSONRPC 0."))
      if (!error.versionOnly) return local("INTERNAL", error.message, "this tool speaks JSONRPC and HTTP+JSON")
      return new CliError({
        code: names.VERSION_NOT_SUPPORTED,
        message: error.message,
        hint: old === undefined ? null : "to speak the old version: --a2a-version 0.3",
        a2aCode: errors.VERSION_NOT_SUPPORTED.code,
        exit: 1
      })
    }
  }
}
