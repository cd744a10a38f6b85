import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { accessTable, type Credential, credentials, expectedStatus } from "../../../src/services/platform/Access.ts"
import { MintedOrgToken } from "../../../src/services/platform/PlatformSchemas.ts"
import { TestPlatform } from "../../support/platform.ts"
import { create, layerWith, send } from "./call.ts"
import { isAccessKey, requestFor } from "./requests.ts"

const needsNoDatabase = new Set<string>(["system.health", "system.keys"])

describe("a failing database", () => {
  layer(layerWith())((it) => {
    it.effect("is a 503 for every credential on every endpoint that needs it: never an open door, never a 401", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const sql = yield* SqlClient
        const subject = yield* create()
        const target = yield* create()
        const fresh = yield* create({ url: "http://127.0.0.1:9/" })
        const org = yield* send({ method: "POST", path: "/org/tokens", bearer: adminToken })
        const { auth_token: orgToken } = yield* Schema.decodeUnknownEffect(MintedOrgToken)(org.json)
        const tables = ["workspace_tokens", "org_tokens", "workspaces", "workflow_checkpoints", "relay_entries"]
        for (const table of tables) {
          yield* sql`ALTER TABLE ${sql(table)} RENAME TO ${sql(`broken_${table}`)}`
        }
        const bearers: Record<Credential, string | undefined> = {
          none: undefined,
          own: subject.token,
          other: target.token,
          revoked: "revoked",
          deleted: "deleted",
          admin: adminToken,
          org: orgToken
        }
        for (const key of Object.keys(accessTable).filter(isAccessKey)) {
          for (const credential of credentials) {
            const verdict = accessTable[key].verdicts[credential]
            const about = verdict === "firstToken" ? fresh.id : subject.id
            const call = requestFor(key, {
              subject: about,
              target: target.id,
              tokenId: "t",
              url: "http://127.0.0.1:9/",
              purpose: "p"
            })
            const answer = yield* send({ ...call, bearer: bearers[credential] })
            const label = `${key} × ${credential}: ${answer.text}`
            if (needsNoDatabase.has(key)) {
              assert.strictEqual(answer.status, 200, label)
              continue
            }
            // Without a bearer, and with the admin's, there is nothing to look up: what is refused then is refused as
            // always. Nothing else is told, least of all that a token is wrong.
            const letIn = verdict === "allow" || verdict === "public" || verdict === "firstToken"
            if (!letIn && (credential === "none" || credential === "admin")) {
              assert.strictEqual(answer.status, expectedStatus(key, credential), label)
              continue
            }
            assert.deepStrictEqual(
              [answer.status, answer.json],
              [503, { error: "platform datastore unavailable — retry shortly", code: "platform_unavailable" }],
              label
            )
          }
        }
      })
    )
  })
})
