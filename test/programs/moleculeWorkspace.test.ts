/**
 * `molecule` beside the workspace program itself.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as A2AClientPlatform from "../../src/layers/a2a/A2AClientPlatform.ts"
import { A2AClient } from "../../src/services/a2a/A2AClient.ts"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import {
  aPort,
  eventually,
  Machine,
  start,
  startPlatform,
  startWorkspace,
  temporaryDirectory
} from "../support/processes.ts"

const molecule = Effect.fnUntraced(function* (state: string, ...args: ReadonlyArray<string>) {
  const program = yield* start("molecule", [...args, "--state", state], {})
  const exitCode = yield* program.exitCode
  return { exitCode, output: yield* program.output }
})

describe("molecule beside the workspace program", () => {
  it.live(
    "shows what a task is doing and ends it, its program with it, over a socket that only the owner's user can open",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const directory = yield* temporaryDirectory
        const platform = yield* startPlatform(`${directory}/platform`, yield* aPort)
        const context = yield* Layer.build(A2AClientPlatform.layer.pipe(Layer.provideMerge(platform.client)))
        yield* Effect.gen(function* () {
          const client = yield* PlatformClient
          const a2a = yield* A2AClient
          const created = yield* client.workspaces.create({ payload: { name: "worker", external: true } })
          const state = `${directory}/worker`
          const worker = yield* startWorkspace(platform.url, created, state, {
            MOLECULE_EXECUTOR: "command",
            MOLECULE_COMMAND: JSON.stringify(["/bin/sh", "-c", "echo $$ > ../pid; sleep 60"]),
            MOLECULE_COMMAND_KILL_GRACE: "100 millis"
          })
          const row = Effect.map(client.workspaces.list(), (rows) => rows.find(({ id }) => id === created.id))
          yield* eventually(Effect.filterOrFail(row, (found) => found?.status === "online")).pipe(
            Effect.tapError(() => Effect.flatMap(worker.output, Effect.logError))
          )
          const exchange = yield* Effect.forkChild(
            a2a.exchange({
              target: created.id,
              messageId: "m",
              contextId: "c",
              text: "sleep",
              timeout: Duration.seconds(30)
            })
          )
          yield* eventually(files.stat(`${state}/pid`))

          assert.strictEqual((yield* files.stat(`${state}/control.sock`)).mode & 0o777, 0o600)
          const [list, health] = yield* Effect.all(
            [molecule(state, "tasks", "list", "--only", "unfinished"), molecule(state, "health")],
            { concurrency: 2 }
          )
          assert.match(list.output, /^[0-9a-f]{8} +working .* sleep /m)
          assert.deepInclude(health, { exitCode: 0 }, health.output)
          assert.match(health.output, new RegExp(`^process +${worker.pid}\ntasks +1 running`))
          const url = (yield* row)?.url ?? ""
          assert.strictEqual((yield* HttpClient.get(new URL("/pid", url))).status, 404)

          const id = /^([0-9a-f]{8}) /m.exec(list.output)?.[1] ?? ""
          const canceled = yield* molecule(state, "tasks", "cancel", id)
          assert.strictEqual(canceled.exitCode, 0, canceled.output)
          assert.deepInclude(yield* Fiber.join(exchange), { state: "canceled" })
          assert.include((yield* molecule(state, "tasks", "show", id)).output, "canceled")
        }).pipe(Effect.provideContext(context))
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    60_000
  )
})
