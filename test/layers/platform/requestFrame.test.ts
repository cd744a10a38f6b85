import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { connect } from "node:net"
import { TestPlatform } from "../../support/platform.ts"
import { create, layerWith, send } from "./call.ts"

const body = JSON.stringify({ name: "w" })

// One exchange in the bytes of HTTP itself, for what no client would send.
const exchange = (url: string, bytes: string) =>
  Effect.callback<string>((resume) => {
    const { hostname, port } = new URL(url)
    let answer = ""
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")))
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(answer)))
  })

describe("around every request", () => {
  layer(layerWith({ maxBodyBytes: 10_000, corsOrigins: ["https://page.test"], externalUrl: "https://platform.test" }), {
    excludeTestServices: true
  })((it) => {
    it.effect("no route, a wrong method, another case: 404 in plain text; a slash at the end is redirected", () =>
      Effect.gen(function* () {
        const none: ReadonlyArray<readonly ["GET" | "POST" | "DELETE" | "PUT" | "OPTIONS", string]> = [
          ["GET", "/"],
          ["GET", "/nothing"],
          ["POST", "/health"],
          ["DELETE", "/workspaces"],
          ["PUT", "/workspaces/x"],
          ["GET", "/HEALTH"],
          ["GET", "//health"],
          ["OPTIONS", "/health"],
          ["GET", "/workspaces/%zz"],
          ["GET", "/workspaces/%E0%A4%A"],
          ["GET", "//evil.test/"],
          ["GET", "/\\evil.test/"]
        ]
        for (const [method, path] of none) {
          const answer = yield* send({ method, path })
          assert.deepStrictEqual([answer.status, answer.text], [404, "404 page not found"], path)
          assert.match(String(answer.headers["content-type"]), /^text\/plain/)
        }
        const redirect = yield* send({ method: "POST", path: "/workspaces/?a=/b/", raw: body })
        assert.deepStrictEqual([redirect.status, redirect.headers["location"]], [308, "/workspaces?a=/b/"])
      })
    )

    it.effect("a body over the limit is 413, with a length or without, and the next request is served", () =>
      Effect.gen(function* () {
        const { adminToken, url } = yield* TestPlatform
        const large = yield* send({ method: "POST", path: "/workspaces", bearer: adminToken, raw: "x".repeat(10_001) })
        assert.deepStrictEqual(
          [large.status, large.json],
          [413, { error: "request body is larger than the limit of 10000 bytes" }]
        )
        const chunk = `1000\r\n${"x".repeat(4096)}\r\n`
        const chunked = yield* exchange(
          url,
          `POST /workspaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`
        )
        assert.match(chunked, /^HTTP\/1\.1 413 /)
        const fits = yield* send({
          method: "POST",
          path: "/workspaces",
          bearer: adminToken,
          raw: `${body}${" ".repeat(10_000 - body.length)}`
        })
        assert.strictEqual(fits.status, 201)
      })
    )

    it.effect("JSON too deep to walk through is a 400, wherever it is sent", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const own = yield* create()
        const deep = `{"name":${"[".repeat(4000)}${"]".repeat(4000)}}`
        for (const path of [
          "/workspaces",
          "/registry/heartbeat",
          `/workspaces/${own.id}/checkpoints`,
          `/workspaces/${own.id}/a2a`
        ]) {
          const answer = yield* send({ method: "POST", path, bearer: adminToken, raw: deep })
          assert.strictEqual(answer.status, 400, path)
          assert.include(answer.text, "nested deeper than")
        }
      })
    )

    it.effect("whatever the content type says, the body is JSON", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        for (const type of [
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=x",
          "nonsense",
          "text/html; charset=utf-16"
        ]) {
          const answer = yield* send({
            method: "POST",
            path: "/workspaces",
            bearer: adminToken,
            raw: body,
            headers: { "content-type": type }
          })
          assert.strictEqual(answer.status, 201, type)
        }
      })
    )

    it.effect("every answer carries the headers that protect browsers, and the rate", () =>
      Effect.gen(function* () {
        for (const path of ["/health", "/nothing", "/workspaces", "/docs"]) {
          const { headers } = yield* send({ method: "GET", path })
          assert.strictEqual(headers["x-content-type-options"], "nosniff", path)
          assert.strictEqual(headers["x-frame-options"], "DENY")
          assert.match(String(headers["content-security-policy"]), /^default-src 'self'/)
          assert.strictEqual(headers["x-ratelimit-limit"], "1000000")
          assert.match(String(headers["x-ratelimit-reset"]), /^\d+$/)
        }
      })
    )

    it.effect("CORS: listed pages may, others may not unless they show a token, and no origin is a credential", () =>
      Effect.gen(function* () {
        const { adminToken, url } = yield* TestPlatform
        const from = (origin: string, more: Partial<Parameters<typeof send>[0]> = {}) =>
          send({ method: "GET", path: "/health", headers: { origin }, ...more })
        const listed = yield* from("https://page.test")
        assert.deepStrictEqual(
          [listed.status, listed.headers["access-control-allow-origin"]],
          [200, "https://page.test"]
        )
        const preflight = yield* from("https://page.test", { method: "OPTIONS", path: "/workspaces" })
        assert.strictEqual(preflight.status, 204)
        assert.include(String(preflight.headers["access-control-allow-headers"]), "Authorization")
        const foreign = yield* from("https://evil.test")
        assert.deepStrictEqual([foreign.status, foreign.json], [403, { error: "origin not allowed" }])
        assert.strictEqual((yield* from("https://evil.test", { method: "OPTIONS" })).status, 403)
        const sdk = yield* from("https://evil.test", { path: "/workspaces", bearer: adminToken })
        assert.deepStrictEqual([sdk.status, sdk.headers["access-control-allow-origin"]], [200, undefined])
        assert.strictEqual((yield* from(url, { path: "/workspaces" })).status, 401)
        assert.strictEqual((yield* from(url)).status, 200)
      })
    )

    it.effect("the URL told to operators is the configured one, whatever a proxy's headers say", () =>
      Effect.gen(function* () {
        const { adminToken } = yield* TestPlatform
        const answer = yield* send({
          method: "POST",
          path: "/workspaces",
          bearer: adminToken,
          raw: body,
          headers: { "x-forwarded-host": "evil.test", "x-forwarded-proto": "gopher" }
        })
        assert.include(answer.text, '"platform_url":"https://platform.test"')
        assert.notInclude(answer.text, "evil.test")
      })
    )

    it.effect("the documentation needs no network", () =>
      Effect.gen(function* () {
        const page = yield* send({ method: "GET", path: "/docs" })
        assert.strictEqual(page.status, 200)
        assert.notMatch(page.text.slice(0, 2000), /<(script|link)[^>]+(src|href)="https?:/)
        const document = yield* send({ method: "GET", path: "/openapi.json" })
        assert.include(document.text, "Status by credential: none 401")
      })
    )
  })
})

describe("the rate limit", () => {
  layer(layerWith({ requestsPerMinute: 20 }))((it) => {
    it.effect("counts each good token by itself, and everyone else together", () =>
      Effect.gen(function* () {
        // Virtual time stands still: all of this is one minute.
        const { adminToken } = yield* TestPlatform
        const get = (bearer?: string) => send({ method: "GET", path: "/workspaces", bearer })
        assert.strictEqual((yield* get(adminToken)).status, 200)
        const mine = yield* Effect.forEach(Array.from({ length: 25 }), () => get(adminToken))
        assert.strictEqual(mine.filter(({ status }) => status === 200).length, 20)
        const refused = mine.find(({ status }) => status === 429)
        assert.deepStrictEqual(refused?.json, { error: "rate limit of 20 requests a minute exceeded", retry_after: 60 })
        assert.strictEqual(refused?.headers["retry-after"], "60")
        assert.strictEqual(refused?.headers["x-ratelimit-remaining"], "0")
        // Made-up tokens do not get a share each.
        const others = yield* Effect.forEach(Array.from({ length: 25 }), (_, n) => get(`made-up-${n}`))
        assert.strictEqual(others.filter(({ status }) => status === 401).length, 19)
        assert.strictEqual((yield* send({ method: "GET", path: "/health" })).status, 429)
      })
    )
  })
})
