/**
 * `PlatformConfig` from the environment: `PLATFORM_URL`, `WORKSPACE_ID`, `MOLECULE_STATE_DIR`.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { Container } from "../../services/workspace/Container.ts"
import { defaultPlatformUrl, type DefaultPlatformUrl, PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

const isBaseUrl = (value: string) => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  return (
    url !== undefined &&
    url.username === "" &&
    url.password === "" &&
    // As it is written: `URL` forgives `http:host`, backslashes, line breaks, and an empty query.
    /^https?:\/\/[^\s\\?#]+$/i.test(value)
  )
}

// Trimmed, without slashes at its end. The message names the variable and the value: it is all that a person sees.
const PlatformUrl = Schema.String.pipe(
  Schema.decode(
    SchemaTransformation.transform({ decode: (value) => value.trim().replace(/\/+$/, ""), encode: (value) => value })
  ),
  Schema.check(
    Schema.makeFilter((value) =>
      isBaseUrl(value)
        ? undefined
        : `PLATFORM_URL must be an http or https URL without credentials, query or fragment, such as http://127.0.0.1:8080; it is ${JSON.stringify(value)}`
    )
  )
)

const WorkspaceIdFromEnv = Schema.String.pipe(
  Schema.decode(
    SchemaTransformation.transform({ decode: (value) => value.trim().toLowerCase(), encode: (value) => value })
  ),
  Schema.check(
    Schema.makeFilter((value) =>
      Schema.is(WorkspaceId)(value)
        ? undefined
        : `WORKSPACE_ID must be the UUID that the platform gave the workspace, such as bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee; it is ${JSON.stringify(value)}`
    )
  ),
  Schema.decodeTo(WorkspaceId)
)

// A blank variable is one that is not set.
const unlessBlank = (name: string) =>
  Config.option(Config.String(name)).pipe(Config.map(Option.filter((value) => value.trim() !== "")))

const platformUrl = unlessBlank("PLATFORM_URL").pipe(
  Config.flatMap(
    Option.match({
      onNone: (): Config.Config<Option.Option<string>> => Config.succeed(Option.none()),
      onSome: () => Config.map(Config.schema(PlatformUrl, "PLATFORM_URL"), Option.some)
    })
  )
)

const workspaceIdFromEnv = Config.schema(WorkspaceIdFromEnv, "WORKSPACE_ID")

/**
 * Where the state is, as an absolute path: `MOLECULE_STATE_DIR`, or else `$HOME/.molecule/<WORKSPACE_ID>`. What is missing or
 * cannot be understood is a `ConfigError`.
 */
export const stateDirectory = Effect.gen(function* () {
  const path = yield* Path.Path
  const given = yield* unlessBlank("MOLECULE_STATE_DIR")
  return path.resolve(
    Option.isSome(given)
      ? given.value.trim()
      : path.join(yield* Config.NonEmptyString("HOME"), ".molecule", yield* workspaceIdFromEnv)
  )
})

const make = Effect.fnUntraced(function* (defaults: DefaultPlatformUrl) {
  const { inContainer } = yield* Container
  const url = yield* platformUrl
  return PlatformConfig.of({
    platformUrl: Option.getOrElse(url, () => (inContainer ? defaults.inContainer : defaults.onHost)),
    workspaceId: yield* workspaceIdFromEnv,
    stateDirectory: yield* stateDirectory
  })
})

/**
 * Reads the environment, with other defaults for where `PLATFORM_URL` is not set.
 *
 * **Details**
 *
 * `PLATFORM_URL` is trimmed and loses slashes at its end; blank counts as not set. `WORKSPACE_ID` is required.
 * `MOLECULE_STATE_DIR` is `$HOME/.molecule/<workspace id>` unless set. What cannot be understood is a `ConfigError` that
 * names the variable and its value.
 */
export const layerWith = (options: { readonly defaults?: DefaultPlatformUrl } = {}) =>
  Layer.effect(PlatformConfig, make(options.defaults ?? defaultPlatformUrl))

/** {@link layerWith} the original runtime's defaults. */
export const layer = layerWith()
