/**
 * The token of a workspace for those who only use it: a tool beside the running workspace, which holds the state directory.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { Credentials, CredentialsError } from "../../services/workspace/Credentials.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"

const make = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = (yield* Path.Path).join((yield* PlatformConfig).stateDirectory, "token")
  const initial = yield* Config.option(Config.Redacted("WORKSPACE_AUTH_TOKEN"))
  const read = Effect.gen(function* () {
    if (!(yield* files.exists(path))) return initial
    const text = (yield* files.readFileString(path)).trim()
    return text === "" ? initial : Option.some(Redacted.make(text))
  })
  return Credentials.of({
    load: Effect.mapError(read, (cause) => new CredentialsError({ operation: "load", path, cause })),
    store: () =>
      Effect.fail(new CredentialsError({ operation: "store", path, cause: "it is the workspace's to write" }))
  })
})

/** The file `token` of the state directory, or else `WORKSPACE_AUTH_TOKEN`. Storing fails. */
export const layer = Layer.effect(Credentials, make)
