/**
 * How `a2a` says that something went wrong.
 *
 * @module
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type CliError, Envelope, type WorkspaceCommandFailed } from "./a2aErrors.ts"

const toJson = Schema.encodeEffect(Schema.fromJsonString(Envelope))

/** Says it, and succeeds with the exit code. As JSON an error is the result; otherwise it is for whoever reads stderr. */
export const report = Effect.fnUntraced(function* (error: CliError | WorkspaceCommandFailed, json: boolean) {
  if (error._tag === "WorkspaceCommandFailed") {
    if (error.message !== "") yield* Console.error(error.message)
    return 1
  }
  const { a2aCode, code, exit, hint, message } = error
  if (json) yield* Console.log(yield* Effect.orDie(toJson({ error: { code, message, hint, a2aCode } })))
  else yield* Console.error(`Error: ${code}: ${message}${hint === null ? "" : `\nHint: ${hint}`}`)
  return exit
})
