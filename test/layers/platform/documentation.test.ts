import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpApi from "effect/http-api/HttpApi"
import { credentials, expectedStatus } from "../../../src/services/platform/Access.ts"
import { PlatformApi } from "../../../src/services/platform/PlatformApi.ts"
import { isAccessKey } from "./requests.ts"

const rows: Array<string> = []
HttpApi.reflect(PlatformApi, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, group }) => {
    const key = `${group.identifier}.${endpoint.identifier}`
    if (!isAccessKey(key)) return assert.fail(key)
    const statuses = credentials.map((credential) => expectedStatus(key, credential)).join(" | ")
    rows.push(`| \`${endpoint.method} ${endpoint.path}\` | ${statuses} |`)
  }
})

describe("docs/platform.md", () => {
  it.effect("has the access table that the code has, names every setting, and is not long", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const text = yield* files.readFileString(new URL("../../../docs/platform.md", import.meta.url).pathname)
      const lines = text.split("\n")
      const table = lines.filter((line) => /^\| `(GET|POST|PATCH|DELETE) \//.test(line))
      assert.deepStrictEqual(table, rows)
      const source = yield* files.readFileString(
        new URL("../../../src/layers/platform/PlatformSettingsEnv.ts", import.meta.url).pathname
      )
      for (const [name] of source.matchAll(/MOLECULE_PLATFORM_[A-Z_]+/g)) assert.include(text, name)
      assert.isAtMost(lines.length - table.length, 90)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
