import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HttpMethod } from "effect/http/HttpMethod"
import { SqlClient } from "effect/sql/SqlClient"
import { connect } from "node:net"
import { unserved } from "../../../src/services/platform/Unserved.ts"
import { TestPlatform } from "../../support/platform.ts"
import { groups } from "../../compatibility/routes.ts"
import { create, layerWith, send } from "./call.ts"

const methods: ReadonlyArray<HttpMethod> = ["GET", "POST", "PUT", "PATCH", "DELETE"]
const rows = Object.values(unserved).flatMap(({ routes, sentence }) =>
  routes.flatMap((route) => {
    const [wanted = "", path = ""] = route.split(" ")
    const here = methods.filter((method) => wanted === "ANY" || wanted === method)
    assert.isNotEmpty(here, route)
    return here.map((method) => ({ method, path, sentence, hasBody: method !== "GET" && method !== "DELETE" }))
  })
)
const filled = (path: string, id: string) => path.replaceAll(/:\w+/g, id).replace(/\*$/, "some/thing.txt")
const unknown = "00000000-0000-4000-8000-000000000000"

describe("what the original has and we have not", () => {
  layer(layerWith({ maxBodyBytes: 1000 }), { excludeTestServices: true })((it) => {
    it.effect("is a 501 with its sentence, the same for everyone and whatever is sent", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const { id, token } = yield* create()
        const askers = [
          { about: id, bearer: undefined, raw: undefined },
          { about: id, bearer: token, raw: "{}" },
          { about: unknown, bearer: adminToken, raw: "[".repeat(500) },
          { about: "x", bearer: "made-up", raw: "x".repeat(5000) }
        ]
        for (const { hasBody, method, path, sentence } of rows) {
          for (const { about, bearer, raw } of askers) {
            const answer = yield* send({
              method,
              path: `${filled(path, about)}?a=b`,
              bearer,
              raw: hasBody ? raw : undefined
            })
            const label = `${method} ${path}`
            assert.deepStrictEqual([answer.status, answer.json], [501, { error: sentence }], label)
            assert.strictEqual(answer.headers["content-type"], "application/json", label)
            assert.strictEqual(answer.headers["x-content-type-options"], "nosniff", label)
            assert.strictEqual(answer.headers["x-ratelimit-limit"], "1000000", label)
          }
        }
      })
    )

    it.effect("a slash at its end is redirected; other methods, and what nobody knows, stay 404", () =>
      Effect.gen(function* () {
        const redirect = yield* send({ method: "GET", path: "/templates/" })
        assert.deepStrictEqual([redirect.status, redirect.headers["location"]], [308, "/templates"])
        for (const [method, path] of [
          ["POST", "/templates"],
          ["GET", "/workspaces/x/restart"],
          ["GET", "/workspaces/x/y/plugins"],
          ["GET", "/cp"],
          ["GET", "/cpx/y"],
          ["GET", "/Plugins"],
          ["POST", "/secrets/validate"]
        ] as const) {
          const answer = yield* send({ method, path })
          assert.deepStrictEqual([answer.status, answer.text], [404, "404 page not found"], path)
        }
      })
    )

    it.effect("what is still to come is 404", () =>
      Effect.gen(function* () {
        for (const { route, standing } of groups.flatMap(({ routes }) => routes)) {
          if (standing._tag !== "open") continue
          const [wanted = "", path = ""] = route.split(" ")
          const method = methods.find((one) => one === wanted)
          if (method === undefined) return assert.fail(route)
          const answer = yield* send({ method, path: filled(path, unknown) })
          assert.strictEqual(answer.status, 404, `${route} is served: say so in test/compatibility/routes.ts`)
        }
      })
    )

    it.effect("needs no database, and tells so who wants to open a socket", () =>
      Effect.gen(function* () {
        const { url } = yield* TestPlatform
        const told = yield* Effect.callback<string>((resume) => {
          const { hostname, port } = new URL(url)
          let answer = ""
          const socket = connect(Number(port), hostname, () =>
            socket.write(
              `GET /workspaces/${unknown}/terminal HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
          )
          socket.on("data", (chunk) => {
            answer += chunk.toString("latin1")
            if (answer.endsWith("}")) socket.end()
          })
          socket.on("close", () => resume(Effect.succeed(answer)))
        })
        assert.match(told, /^HTTP\/1\.1 501 /)
        assert.include(told, unserved.terminal.sentence)
        const sql = yield* SqlClient
        yield* sql`ALTER TABLE workspace_tokens RENAME TO away`
        const terminal = yield* send({ method: "GET", path: `/workspaces/${unknown}/terminal`, bearer: "x" })
        assert.strictEqual(terminal.status, 501)
        yield* sql`ALTER TABLE away RENAME TO workspace_tokens`
      })
    )
  })

  layer(layerWith({ requestsPerMinute: 3 }))("and the rate limit", (it) => {
    it.effect("counts it as any other request", () =>
      Effect.gen(function* () {
        const statuses = yield* Effect.forEach([1, 2, 3, 4], () =>
          Effect.map(send({ method: "GET", path: "/plugins" }), ({ status }) => status)
        )
        assert.deepStrictEqual(statuses, [501, 501, 501, 429])
      })
    )
  })
})
