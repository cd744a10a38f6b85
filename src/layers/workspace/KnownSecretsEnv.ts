/**
 * The known secrets from the environment.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { KnownSecrets } from "../../services/workspace/KnownSecrets.ts"

const words = (name: string) =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((value) =>
      value
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== "")
    )
  )

/** The token that a workspace is given at its creation. */
const ownToken = "WORKSPACE_AUTH_TOKEN"

/** Does a variable of this name hold a secret, as names go? */
export const looksSecret = (name: string): boolean =>
  /secret|token|passw|passphrase|credential|private_?key|api_?key|access_?key|auth/i.test(name)

const Environment = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

const commandEnvironment = Config.schema(Environment, "MOLECULE_COMMAND_ENV").pipe(
  Config.withDefault({}),
  Config.map((variables) => Object.entries(variables).filter(([name]) => looksSecret(name)))
)

const variables = Config.all([words("MOLECULE_SECRETS"), words("MOLECULE_COMMAND_PASS_ENV")]).pipe(
  Config.map(([named, passed]) => Array.from(new Set([ownToken, ...named, ...passed.filter(looksSecret)])))
)

const named = variables.pipe(
  Config.flatMap((names) =>
    Config.all(
      names.map((name) =>
        Config.option(Config.Redacted(name)).pipe(
          Config.map(Option.map((value): readonly [string, Redacted.Redacted] => [name, value]))
        )
      )
    )
  )
)

/**
 * The variables that are read.
 *
 * **Details**
 *
 * `WORKSPACE_AUTH_TOKEN`; those that `MOLECULE_SECRETS` names, with commas between; and, where the name looks like that of
 * a secret, the values of `MOLECULE_COMMAND_ENV` and the variables that `MOLECULE_COMMAND_PASS_ENV` names. A variable
 * that is named and not set is none.
 */
export const config = Config.all([commandEnvironment, named]).pipe(
  Config.map(
    ([command, own]): ReadonlyMap<string, Redacted.Redacted> =>
      new Map([
        ...command.map(([name, value]): readonly [string, Redacted.Redacted] => [name, Redacted.make(value)]),
        ...own.flatMap(Option.toArray)
      ])
  )
)

/** The secrets as the environment gives them. */
export const layer = Layer.effect(
  KnownSecrets,
  Effect.map(config, (values) => KnownSecrets.of({ values }))
)
