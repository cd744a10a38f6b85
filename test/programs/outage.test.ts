import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as A2AClientPlatform from "../../src/layers/a2a/A2AClientPlatform.ts"
import { A2AClient } from "../../src/services/a2a/A2AClient.ts"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import { aPort, eventually, Machine, startPlatform, startWorkspace, temporaryDirectory } from "../support/processes.ts"

/** How long the platform is away, as issue 3 demands. */
const outage = "20 seconds"

describe("an outage of the platform", () => {
  it.live(
    "kill -9 for 20 s loses nothing: the workspaces come back by themselves, and a task sent before finishes",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const port = yield* aPort
        const before = yield* startPlatform(`${directory}/platform`, port)

        yield* Effect.gen(function* () {
          const { checkpoints, workspaces } = yield* PlatformClient
          const lead = yield* workspaces.create({ payload: { name: "lead", external: true } })
          const child = yield* workspaces.create({ payload: { name: "slow", external: true, parent_id: lead.id } })
          const processes = [
            yield* startWorkspace(before.url, lead, `${directory}/lead`, { MOLECULE_EXECUTOR: "fan-out" }),
            yield* startWorkspace(before.url, child, `${directory}/slow`, {
              MOLECULE_EXECUTOR: "command",
              MOLECULE_COMMAND: JSON.stringify(["/bin/sh", "-c", "cat; sleep 2; echo done"])
            })
          ]
          const online = Effect.filterOrFail(workspaces.list(), (rows) =>
            rows.every(({ status }) => status === "online")
          )
          yield* eventually(online).pipe(
            Effect.tapError(() =>
              Effect.forEach(processes, (one) => Effect.flatMap(one.output, (text) => Effect.logError(text)))
            )
          )

          const a2a = yield* A2AClient
          const exchange = yield* Effect.forkChild(
            a2a.exchange({
              target: lead.id,
              messageId: "before the outage",
              contextId: "c",
              text: "hello\n",
              timeout: Duration.minutes(2)
            })
          )
          // The child is at work when the platform dies.
          yield* eventually(
            Effect.filterOrFail(workspaces.list(), (rows) =>
              rows.some((row) => row.name === "slow" && row.active_tasks === 1)
            )
          )
          yield* before.signal("SIGKILL")
          yield* before.exitCode
          yield* Effect.sleep(outage)
          const after = yield* startPlatform(`${directory}/platform`, port)
          assert.strictEqual(after.adminToken, before.adminToken)

          const ended = yield* Fiber.join(exchange)
          assert.deepInclude(ended, { state: "completed", text: "## slow\n\nhello\ndone" })
          // No workspace was restarted, and a heartbeat after the restart has come from each.
          yield* eventually(online)
          for (const one of processes) assert.isTrue(yield* Effect.sync(() => process.kill(one.pid, 0)))
          for (const { id } of [lead, child]) {
            const steps = Effect.flatMap(checkpoints.latest({ params: { id } }), (latest) =>
              checkpoints.list({ params: { id, workflowId: latest.workflow_id } })
            )
            const rows = yield* eventually(Effect.filterOrFail(steps, (found) => found.length === 3))
            assert.deepStrictEqual(
              rows.map(({ step_index }) => step_index),
              [2, 1, 0]
            )
          }
        }).pipe(Effect.provide(A2AClientPlatform.layer.pipe(Layer.provideMerge(before.client))))
      }).pipe(Effect.scoped, Effect.provide(Machine)),
    120_000
  )
})
