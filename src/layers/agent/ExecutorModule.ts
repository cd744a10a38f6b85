/**
 * The executor that a file of the user's own exports.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import type { HttpClient } from "effect/http/HttpClient"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { pathToFileURL } from "node:url"
import { AgentExecutor } from "../../services/agent/AgentExecutor.ts"
import type { Delegation } from "../../services/team/Delegation.ts"

/** The variable that names the file, for messages. */
export const variable = "MOLECULE_EXECUTOR_MODULE"

/** What the default export may be. */
const wanted =
  "export default a Layer that provides AgentExecutor, or a value with a name and a function execute (docs/workspace.md)"

/** The file is missing, cannot be loaded, or does not export an executor. */
export class ExecutorModuleError extends Schema.TaggedError<ExecutorModuleError>()("ExecutorModuleError", {
  file: Schema.String,
  reason: Schema.Literals(["missing", "load", "export", "build"]),
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message() {
    return `${variable}=${this.file}: ${this.detail}; ${this.remedy}`
  }
}

/** What the layer that a module exports may require; the workspace program provides it. */
export type ModuleServices =
  | FileSystem.FileSystem
  | Path.Path
  | ChildProcessSpawner
  | HttpClient
  | SecureRandom
  | Delegation

/** A default export that is a layer. */
export type ModuleLayer = Layer.Layer<AgentExecutor, unknown, ModuleServices>

const isOurs = Schema.is(ExecutorModuleError)
const describe = (cause: unknown) => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause))

const isExecutor = (value: unknown): value is AgentExecutor["Service"] =>
  Predicate.hasProperty(value, "execute") &&
  Predicate.isFunction(value.execute) &&
  Predicate.hasProperty(value, "name") &&
  Predicate.isString(value.name)

const buildFailure = (file: string, detail: string) =>
  new ExecutorModuleError({
    file,
    reason: "build",
    detail: `its layer cannot be built: ${detail}`,
    remedy:
      "it may require FileSystem, Path, ChildProcessSpawner, HttpClient, SecureRandom and Delegation, and must come from the same version of effect"
  })

const load = Effect.fnUntraced(function* (given: string) {
  const files = yield* FileSystem.FileSystem
  const { resolve } = yield* Path.Path
  const file = resolve(given)
  const isFile = yield* files.stat(file).pipe(
    Effect.map(({ type }) => type === "File"),
    Effect.orElseSucceed(() => false)
  )
  if (!isFile) {
    return yield* new ExecutorModuleError({
      file,
      reason: "missing",
      detail: "there is no such file",
      remedy: "name a .js or .ts file, absolute or relative to where the program was started"
    })
  }
  const loaded: unknown = yield* Effect.tryPromise({
    try: () => import(pathToFileURL(file).href),
    catch: (cause) =>
      new ExecutorModuleError({
        file,
        reason: "load",
        detail: `it cannot be loaded: ${describe(cause)}`,
        remedy: "try it alone with node; TypeScript must be of the kind whose types can be stripped"
      })
  })
  const exported = Predicate.hasProperty(loaded, "default") ? loaded.default : undefined
  if (isExecutor(exported)) return Layer.succeed(AgentExecutor, exported)
  if (!Layer.isLayer(exported)) {
    const detail = exported === undefined ? "it has no default export" : "its default export is not an executor"
    return yield* new ExecutorModuleError({ file, reason: "export", detail, remedy: wanted })
  }
  // @effect-diagnostics unsafeEffectTypeAssertion:off anyUnknownInErrorContext:off -- what is loaded at run time has no types
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a file loaded at run time exports has no type; what its layer provides is looked at below
  const layer = exported as ModuleLayer
  return Layer.effect(
    AgentExecutor,
    Effect.gen(function* () {
      const context = yield* Layer.build(layer)
      const executor: unknown = context.mapUnsafe.get(AgentExecutor.key)
      return isExecutor(executor)
        ? executor
        : yield* new ExecutorModuleError({
            file,
            reason: "export",
            detail: "the layer that it exports does not provide AgentExecutor",
            remedy: wanted
          })
    }).pipe(
      Effect.catchCause((cause) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(Cause.interrupt())
        const error = Cause.squash(cause)
        return Effect.fail(isOurs(error) ? error : buildFailure(file, describe(error)))
      })
    )
  )
})

/**
 * The executor that the file's default export is, or provides.
 *
 * **Details**
 *
 * The file is loaded once, when the layer is built. It must use the same version of `effect` as this package, and its
 * layer may require {@link ModuleServices}. Everything that can be wrong with it is an {@link ExecutorModuleError}.
 *
 * **Example**
 *
 * ```ts
 * // shout.ts, loaded with ExecutorModule.layerWith({ file: "shout.ts" })
 * export default ExecutorFunction.layer((task) => Effect.succeed(new TaskOutput({ text: task.text.toUpperCase() })))
 * ```
 */
export const layerWith = (options: { readonly file: string }) => Layer.unwrap(load(options.file))
