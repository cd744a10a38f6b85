/**
 * What the JSON-RPC endpoint knows about a version of A2A: its methods by name, and how it says an error. The endpoint
 * does the rest (envelope, caller, extensions, streams) for all versions alike.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { A2AError } from "../../services/a2a/A2AError.ts"
import { type Call, type Events, streamResumption } from "../../services/a2a/A2AOperations.ts"
import type { StreamResponse } from "../../services/a2a/A2AProtocol.ts"
import { CursorText } from "../../services/durable/Cursor.ts"
import type { Metadata } from "../../services/durable/Content.ts"
import { invalidParams, violationsOf } from "./fieldViolations.ts"

/** The `error` member of an answer. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: Schema.Json
}

/** Writes an item of a stream as the JSON text of a `result`. */
export type EncodeItem = (item: StreamResponse) => Exit.Exit<string, A2AError>

/** What a method gives: the JSON text of a `result`, or a stream of items. */
export type RpcAnswer =
  | { readonly _tag: "Value"; readonly json: string }
  | {
      readonly _tag: "Stream"
      readonly events: Events
      readonly encode: EncodeItem
      /** Whether each event tells its cursor: the caller knows the extension, or has shown that it does. */
      readonly resumable: boolean
    }

/** A method: who asks and the `params` member, undecoded (`undefined` where it is missing). */
export type RpcMethod = (call: Call, params: unknown) => Effect.Effect<RpcAnswer, A2AError>

/** The methods by name. */
export type RpcMethods = ReadonlyMap<string, RpcMethod>

/** A version of A2A over JSON-RPC. */
export interface RpcDialect {
  /** `Major.Minor`, as in `A2A-Version`. */
  readonly version: Call["version"]
  readonly methods: RpcMethods
  readonly encodeError: (error: A2AError) => RpcError
}

const invalidAnswer = (failure: Schema.SchemaError) =>
  new A2AError({
    reason: "INVALID_AGENT_RESPONSE",
    message: `The agent's answer is not what the protocol allows: ${violationsOf(failure)
      .map(({ description, field }) => `${field}: ${description}`)
      .join("; ")}`
  })

/**
 * Decodes a request; what is wrong with it is an `INVALID_PARAMS` with the fields' paths.
 *
 * **Details**
 *
 * Looking for all errors costs twice as much as stopping at the first, even where there is none: it is done for requests
 * that are known to be wrong.
 */
export const decoder = <A, I>(schema: Schema.Codec<A, I>) => {
  const decode = Schema.decodeUnknownExit(schema)
  const decodeAgain = Schema.decodeUnknownExit(schema, { errors: "all" })
  return (input: unknown): Exit.Exit<A, A2AError> => {
    const exit = decode(input)
    return Exit.mapError(exit._tag === "Success" ? exit : decodeAgain(input), invalidParams)
  }
}

/** Writes an answer as JSON text; an answer that the schema does not allow is an `INVALID_AGENT_RESPONSE`. */
export const encoder = <A, I>(schema: Schema.Codec<A, I>) => {
  const encode = Schema.encodeExit(Schema.fromJsonString(schema))
  return (value: A): Exit.Exit<string, A2AError> => Exit.mapError(encode(value), invalidAnswer)
}

/** A method that gives one value, written by `encode`. */
export const unaryWith = <P, PI, R>(
  params: Schema.Codec<P, PI>,
  encode: (result: R) => Exit.Exit<string, A2AError>,
  run: (call: Call, params: P) => Effect.Effect<R, A2AError>
): RpcMethod => {
  const decode = decoder(params)
  const write = (result: R) => Exit.map(encode(result), (json): RpcAnswer => ({ _tag: "Value", json }))
  return (call, input) => Effect.flatMap(decode(input ?? {}), (request) => Effect.flatMap(run(call, request), write))
}

/** A method that gives one value. */
export const unary = <P, PI, R, RI>(
  params: Schema.Codec<P, PI>,
  result: Schema.Codec<R, RI>,
  run: (call: Call, params: P) => Effect.Effect<R, A2AError>
): RpcMethod => unaryWith(params, encoder(result), run)

/** A method that gives a stream. A cursor in the `metadata` of its params counts where there is no `Last-Event-ID`. */
export const streaming = <P extends { readonly metadata?: Metadata }, PI>(
  params: Schema.Codec<P, PI>,
  encode: EncodeItem,
  open: (call: Call, params: P) => Effect.Effect<Events, A2AError>
): RpcMethod => {
  const decode = decoder(params)
  return (given, input) =>
    Effect.flatMap(decode(input ?? {}), (request) =>
      Effect.flatMap(withCursor(given, request.metadata), (call) =>
        Effect.map(open(call, request), (events): RpcAnswer => ({
          _tag: "Stream",
          events,
          encode,
          resumable: isResumable(call)
        }))
      )
    )
}

const isCursor = Schema.is(Schema.toEncoded(CursorText))

/** Whether the caller of a stream is told cursors; for others the stream is plain A2A. */
export const isResumable = (call: Call): boolean =>
  call.lastEventId !== undefined || call.extensions.includes(streamResumption.uri)

/** The call with the cursor that a request's metadata may hold; the header, if there is one too, is newer. */
export const withCursor = (call: Call, metadata: Metadata | undefined): Exit.Exit<Call, A2AError> => {
  const cursor = metadata?.[streamResumption.cursor]
  if (cursor === undefined || call.lastEventId !== undefined) return Exit.succeed(call)
  if (isCursor(cursor)) return Exit.succeed({ ...call, lastEventId: cursor })
  return Exit.fail(
    new A2AError({
      reason: "INVALID_PARAMS",
      message: "Invalid parameters",
      fieldViolations: [
        {
          field: `metadata.${streamResumption.cursor}`,
          description: "Expected the id of the last event that was received, as it came"
        }
      ]
    })
  )
}
