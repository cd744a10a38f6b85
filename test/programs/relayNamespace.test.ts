import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { connect } from "node:net"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import * as Network from "../support/network.ts"
import { aPort, eventually, Machine, startPlatform, startWorkspace, temporaryDirectory } from "../support/processes.ts"

/** How long the cable is cut. `MOLECULE_TEST_LINK_DOWN="1 minute"` for as long as the issue says. */
const outage = Config.Duration("MOLECULE_TEST_LINK_DOWN").pipe(Config.withDefault(Duration.seconds(5)))

const agentPort = 9000

const Completed = Schema.Struct({
  result: Schema.Struct({
    task: Schema.Struct({
      id: Schema.String,
      status: Schema.Struct({ state: Schema.Literal("TASK_STATE_COMPLETED") }),
      artifacts: Schema.NonEmptyArray(
        Schema.Struct({ parts: Schema.NonEmptyArray(Schema.Struct({ text: Schema.String })) })
      )
    })
  })
})
const Listed = Schema.Struct({ result: Schema.Struct({ totalSize: Schema.Int }) })

/** What becomes of a connection: made, refused, or nothing at all. */
const reach = (host: string, port: number) =>
  Effect.callback<string>((resume) => {
    const socket = connect({ host, port })
    socket.on("connect", () => resume(Effect.succeed("connected")))
    socket.on("error", (error) => resume(Effect.succeed(String(error))))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: "1500 millis", orElse: () => Effect.succeed("silence") }))

describe("an agent in a network of its own, with inbound traffic dropped", () => {
  it.live.skipIf(!Network.allowed)(
    "gets and answers its tasks by polling; a cut of its link loses nothing and doubles nothing",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const port = yield* aPort
        const cable = yield* Network.cableTo(port)
        const platform = yield* startPlatform(`${directory}/platform`, port, {
          MOLECULE_PLATFORM_HOST: "0.0.0.0",
          MOLECULE_PLATFORM_QUEUE_LEASE: "3 seconds"
        })
        const { workspaces } = yield* Effect.provide(PlatformClient, platform.client)
        const target = yield* workspaces.create({ payload: { name: "behind NAT" } })
        const agent = yield* startWorkspace(
          `http://${cable.here}:${port}`,
          target,
          `${directory}/agent`,
          {
            MOLECULE_A2A_MODE: "poll",
            MOLECULE_A2A_HOST: "0.0.0.0",
            MOLECULE_A2A_PORT: String(agentPort),
            MOLECULE_EXECUTOR: "command",
            MOLECULE_COMMAND: JSON.stringify(["/bin/sh", "-c", "sleep 1; cat; echo ' was here'"])
          },
          cable.under
        )
        yield* Effect.addFinalizer((exit) =>
          exit._tag === "Success" ? Effect.void : Effect.flatMap(agent.output, (text) => Effect.logError(text))
        )
        const status = Effect.map(workspaces.get({ params: { id: target.id } }), (row) => row.status)
        yield* eventually(Effect.filterOrFail(status, (now) => now === "online"))
        assert.strictEqual(yield* reach(cable.there, agentPort), "silence")

        const call = Effect.fnUntraced(function* (method: string, params: Schema.Json) {
          const response = yield* HttpClient.execute(
            HttpClientRequest.post(`${platform.url}/workspaces/${target.id}/a2a`).pipe(
              HttpClientRequest.setHeaders({ authorization: `Bearer ${platform.adminToken}`, "a2a-version": "1.0" }),
              HttpClientRequest.setBody(HttpBody.text(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })))
            )
          )
          return yield* response.text
        })
        const message = (messageId: string) => ({
          message: { messageId, role: "ROLE_USER", parts: [{ text: messageId }] }
        })
        const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Completed))
        const ask = Effect.fnUntraced(function* (messageId: string) {
          const text = yield* call("SendMessage", message(messageId))
          const { result } = yield* Effect.tapError(decode(text), () => Effect.logError(text))
          return result.task.artifacts[0].parts[0].text
        })

        assert.include(yield* ask("m-1"), "m-1 was here")
        const stream = yield* call("SendStreamingMessage", message("m-2"))
        assert.match(stream, /^data: /m)
        assert.include(stream, "TASK_STATE_COMPLETED")

        // One that the agent is at work on when the cable is cut, and three that are sent while it is.
        const before = yield* Effect.forkChild(ask("m-3"))
        const busy = Effect.map(workspaces.get({ params: { id: target.id } }), (row) =>
          "active_tasks" in row ? row.active_tasks : 0
        )
        yield* eventually(Effect.filterOrFail(busy, (count) => count === 1))
        yield* cable.cut
        const during = yield* Effect.forEach(["m-4", "m-5", "m-6"], (id) => Effect.forkChild(ask(id)))
        yield* Effect.sleep(yield* outage)
        for (const fiber of [before, ...during]) assert.isUndefined(fiber.pollUnsafe())
        yield* cable.mend
        assert.include(yield* Fiber.join(before), "m-3 was here")
        for (const [index, fiber] of during.entries())
          assert.include(yield* Fiber.join(fiber), `m-${index + 4} was here`)
        const listed = yield* call("ListTasks", {})
        const { result } = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Listed))(listed)
        assert.strictEqual(result.totalSize, 6)
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    180_000
  )
})
