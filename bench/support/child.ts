/**
 * The processes that a bench starts, on the Node that runs us. Each is gone when its scope is closed: with the whole of
 * its process group, or by itself once it has cleaned up.
 *
 * @module
 */
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ChildProcess from "effect/process/ChildProcess"

/** A process of the bench did not do its work. What it had to say is on our standard error. */
export class ChildFailed extends Schema.TaggedError<ChildFailed>()("ChildFailed", {
  program: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.program} ${this.detail}`
  }
}

const spawn = (program: URL, argument: string, stdout: "pipe" | "ignore") =>
  ChildProcess.make(
    process.execPath,
    ["--no-warnings", fileURLToPath(program), argument],
    // Standard input stays open as long as we live: the child ends with it.
    { stdin: "pipe", stdout, stderr: "inherit", extendEnv: true, forceKillAfter: "5 seconds" }
  )

/** Runs a program to its end; a code other than 0 is a failure. Times out after `seconds`. */
export const runToEnd = Effect.fnUntraced(function* (program: URL, argument: string, name: string, seconds: number) {
  const handle = yield* spawn(program, argument, "ignore")
  const code = yield* Effect.timeoutOrElse(handle.exitCode, {
    duration: `${seconds} seconds`,
    orElse: () => Effect.fail(new ChildFailed({ program: name, detail: `did not end within ${seconds} s` }))
  })
  if (code !== 0) return yield* new ChildFailed({ program: name, detail: `ended with code ${code}` })
}, Effect.scoped)

/** Starts a program that serves until the scope is closed, and answers the first line that it prints. */
export const serve = Effect.fnUntraced(function* (program: URL, argument: string, name: string) {
  const handle = yield* spawn(program, argument, "pipe")
  const lines = yield* handle.stdout.pipe(Stream.decodeText, Stream.splitLines, Stream.take(1), Stream.runCollect)
  const [line] = lines
  if (line === undefined) return yield* new ChildFailed({ program: name, detail: "ended before it was ready" })
  return line
})
