import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as KnownSecretsEnv from "../../../src/layers/workspace/KnownSecretsEnv.ts"
import { KnownSecrets } from "../../../src/services/workspace/KnownSecrets.ts"

const read = (environment: Record<string, string>) =>
  Effect.map(KnownSecrets, ({ values }) =>
    Object.fromEntries(Array.from(values, ([name, value]) => [name, Redacted.value(value)]))
  ).pipe(
    Effect.provide(
      KnownSecretsEnv.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment))))
    )
  )

describe("KnownSecretsEnv", () => {
  it.effect("nothing set is no secret", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({ HOME: "/root", PASSWORD: "not-named" }), {})
    })
  )

  it.effect("knows its own token, what is named, and what a command is given under a telling name", () =>
    Effect.gen(function* () {
      const secrets = yield* read({
        WORKSPACE_AUTH_TOKEN: "token-of-mine",
        MOLECULE_SECRETS: " PLAIN_NAME , GONE,, OPENAI_API_KEY",
        PLAIN_NAME: "plain-value",
        OPENAI_API_KEY: "sk-1",
        MOLECULE_COMMAND_ENV: JSON.stringify({ DB_PASSWORD: "from-json", MODE: "fast" }),
        MOLECULE_COMMAND_PASS_ENV: "PATH,GITHUB_TOKEN",
        PATH: "/bin",
        GITHUB_TOKEN: "gh-token"
      })
      assert.deepStrictEqual(secrets, {
        DB_PASSWORD: "from-json",
        WORKSPACE_AUTH_TOKEN: "token-of-mine",
        PLAIN_NAME: "plain-value",
        OPENAI_API_KEY: "sk-1",
        GITHUB_TOKEN: "gh-token"
      })
    })
  )

  it("knows names that tell of a secret", () => {
    for (const name of [
      "AWS_SECRET",
      "npm_token",
      "PGPASSWORD",
      "SSH_PRIVATE_KEY",
      "X_API_KEY",
      "APIKEY",
      "BASIC_AUTH"
    ]) {
      assert.isTrue(KnownSecretsEnv.looksSecret(name), name)
    }
    for (const name of ["HOME", "PATH", "MODE", "LANG"]) assert.isFalse(KnownSecretsEnv.looksSecret(name), name)
  })

  it.effect("a broken MOLECULE_COMMAND_ENV is an error that names it, and shows no value", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read({ MOLECULE_COMMAND_ENV: '{"PASSWORD": "hunter22"' }))
      assert.include(error.message, "MOLECULE_COMMAND_ENV")
      assert.notInclude(error.message, "hunter22")
    })
  )
})
