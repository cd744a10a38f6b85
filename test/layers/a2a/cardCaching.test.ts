import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, layer } from "@effect/vitest"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as CardRoutes from "../../../src/layers/a2a/cardRoutes.ts"
import { AgentIdentity } from "../../../src/services/a2a/AgentCard.ts"
import * as Http from "../../support/a2aHttp.ts"
import { card } from "../../support/a2aServer.ts"

const path = "/.well-known/agent-card.json"

const serverOf = (version: string) =>
  HttpRouter.serve(CardRoutes.layerWith({ maxAge: 60 }), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(Layer.succeed(AgentIdentity, { card: { ...card, version }, extendedCard: undefined })),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
    Layer.merge(Http.layer)
  )

layer(serverOf("1"))("the card over HTTP", (it) => {
  it.effect("says how long it may be kept, has a tag of its content, and is not sent again to who has it", () =>
    Effect.gen(function* () {
      const first = yield* Http.ask(path, undefined)
      assert.match(first.headers["cache-control"] ?? "", /max-age=60/)
      const etag = first.headers["etag"] ?? ""
      assert.match(etag, /^"[\w-]+"$/)
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const again = yield* Http.ask(path, undefined, { headers: { "if-none-match": known } })
        assert.deepStrictEqual([again.status, again.text], [304, ""])
        assert.strictEqual(again.headers["etag"], etag)
      }
      assert.strictEqual((yield* Http.ask(path, undefined, { headers: { "if-none-match": '"old"' } })).status, 200)
      // The other form is another content, and what is kept must know which of the two it is.
      const other = yield* Http.ask(path, undefined, { version: "0.3" })
      assert.notStrictEqual(other.headers["etag"], etag)
      assert.match(other.headers["vary"] ?? "", /a2a-version/i)
      // A card with another content has another tag.
      const changed = yield* Http.ask(path, undefined).pipe(Effect.provide(Layer.fresh(serverOf("2"))))
      assert.notStrictEqual(changed.headers["etag"], etag)
    })
  )
})
