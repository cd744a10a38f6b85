import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as CheckpointPlatform from "../../../src/layers/durable/CheckpointPlatform.ts"
import * as RestoredSteps from "../../../src/layers/durable/restoredSteps.ts"
import * as RestorePlatform from "../../../src/layers/durable/RestorePlatform.ts"
import * as CredentialsMemory from "../../../src/layers/workspace/CredentialsMemory.ts"
import * as PlatformClientHttp from "../../../src/layers/workspace/PlatformClientHttp.ts"
import * as PlatformConfigFixed from "../../../src/layers/workspace/PlatformConfigFixed.ts"
import { Checkpoint, CheckpointUnavailable } from "../../../src/services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import { Journal } from "../../../src/services/durable/Journal.ts"
import { Restore } from "../../../src/services/durable/Restore.ts"
import { PlatformClient } from "../../../src/services/platform/PlatformClient.ts"
import { PlatformConfig } from "../../../src/services/workspace/PlatformConfig.ts"
import * as PlatformSupport from "../../support/platform.ts"
import { temporaryFile } from "../../support/journal.ts"
import { logged } from "../../support/logs.ts"
import { accepted, Config, flush, newPlatform, shared, workspaceId } from "./checkpointFixtures.ts"
import { begin, boot, end, lose, secret, step, tasks } from "./restoreFixtures.ts"

// The workspace as the platform knows it, with its token.
const Client = Layer.unwrap(
  Effect.gen(function* () {
    const { adminToken, url } = yield* PlatformSupport.TestPlatform
    const client = (workspaceId: PlatformConfig["Service"]["workspaceId"], token: string) =>
      PlatformClientHttp.layer.pipe(
        Layer.provide(CredentialsMemory.layer(Option.some(Redacted.make(token)))),
        Layer.provideMerge(PlatformConfigFixed.layer({ platformUrl: url, workspaceId, stateDirectory: "/nowhere" })),
        Layer.provide(NodeHttpClient.layerUndici),
        Layer.fresh
      )
    const admin = Context.get(yield* Layer.build(client(workspaceId, adminToken)), PlatformClient)
    const created = yield* Effect.orDie(admin.workspaces.create({ payload: { name: "w", external: true } }))
    return client(created.id, created.connection?.auth_token ?? "")
  })
).pipe(Layer.provide(PlatformSupport.layerWith({})))

layer(Layer.mergeAll(Client, NodeServices.layer), { excludeTestServices: true })(
  "Restore, from a real platform",
  (it) => {
    it.effect("rebuilds the tasks in flight whose acceptance was confirmed, with their steps and secrets", () =>
      Effect.gen(function* () {
        const filename = yield* temporaryFile
        const remote = CheckpointPlatform.layer
        const flushed = Effect.flatMap(CheckpointOutbox, (outbox) => outbox.flush)
        yield* boot(
          filename,
          Effect.gen(function* () {
            const { confirmed } = yield* CheckpointOutbox
            for (const task of ["a", "b", "c"]) yield* begin(task, `use ${secret} for ${task} \u0000 {{secret:X}}`)
            yield* step("a", "turn-1", 0, `the key is ${secret}`)
            yield* step("a", "turn/2 ü", 1, "second")
            yield* step("b", "turn-1", 0, "done")
            yield* end("b")
            yield* Effect.forEach(["a", "c"], confirmed, { concurrency: 2 })
            yield* flushed
          }),
          remote
        )
        // What the platform has is without the secret, and can be read by people.
        const { checkpoints } = yield* PlatformClient
        const { workspaceId } = yield* PlatformConfig
        const there = yield* checkpoints.list({ params: { id: workspaceId, workflowId: "a" } })
        assert.include(JSON.stringify(there), "use {{secret:API_KEY}} for a")
        assert.notInclude(JSON.stringify(there), secret)

        yield* lose(filename)
        yield* boot(
          filename,
          Effect.gen(function* () {
            assert.deepStrictEqual(
              (yield* tasks).map(({ restored, state, task_id }) => [task_id, restored, state]),
              [
                ["a", 1, "submitted"],
                ["c", 1, "submitted"]
              ]
            )
            const journal = yield* Journal
            const [row] = yield* journal.read("a", 0, 1)
            assert.strictEqual(row?.record._tag, "TaskAccepted")
            assert.deepStrictEqual(row?.record, {
              ...accepted("a", `use ${secret} for a \u0000 {{secret:X}}`),
              restored: true
            })
            const restored = yield* RestoredSteps.make
            const value = (taskId: string, name: string) => restored.step(taskId, name)
            assert.deepStrictEqual(
              yield* value("a", "turn-1"),
              Option.some({ _tag: "Success", value: `the key is ${secret}` })
            )
            assert.deepStrictEqual(yield* value("a", "turn/2 ü"), Option.some({ _tag: "Success", value: "second" }))
            assert.deepStrictEqual(yield* value("a", "turn-3"), Option.none())
            assert.deepStrictEqual(yield* value("c", "turn-1"), Option.none())
            // The platform has all of that: nothing is sent again.
            const { confirmed, pending } = yield* CheckpointOutbox
            assert.strictEqual(yield* pending, 0)
            yield* confirmed("a")
            const restore = yield* Restore
            assert.deepStrictEqual(yield* restore.cutTail, Option.none())
            // A new task takes the place that is free, and no other.
            yield* begin("d")
            yield* flushed
            const found = yield* restore.find
            assert.deepStrictEqual(
              found.tasks.map(({ input, slot }) => `${slot} ${input.taskId}`).toSorted(Order.String),
              ["0 a", "1 d", "2 c"]
            )
          }),
          remote
        )
        // Once in the life of a journal.
        yield* boot(filename, Effect.andThen(end("a"), flushed), remote)
        yield* boot(
          filename,
          Effect.gen(function* () {
            assert.strictEqual((yield* tasks).length, 3)
          }),
          remote
        )
      })
    )
  }
)

describe("Restore", () => {
  const local = <A, E, R>(effect: Effect.Effect<A, E, R | PlatformConfig | Scope.Scope>) =>
    effect.pipe(Effect.scoped, Effect.provide(Layer.merge(NodeServices.layer, Config)))

  it.effect("what the platform had not confirmed is not rebuilt; what was compacted is", () =>
    Effect.gen(function* () {
      const platform = newPlatform()
      const remote = Layer.succeed(Checkpoint, yield* shared(platform))
      const filename = yield* temporaryFile
      const start = <A, E, R>(use: Effect.Effect<A, E, R>) => boot(filename, use, remote)
      yield* start(
        Effect.gen(function* () {
          yield* begin("a")
          yield* flush
          platform.answer = () => "away"
          yield* begin("b")
          yield* step("a", "turn-1", 0, "never arrived")
        })
      )
      yield* lose(filename)
      platform.answer = () => "take"
      yield* start(
        Effect.gen(function* () {
          assert.deepStrictEqual(
            (yield* tasks).map(({ task_id }) => task_id),
            ["a"]
          )
          const journal = yield* Journal
          platform.answer = () => "away"
          yield* TestClock.adjust("1 second")
          for (let turn = 0; turn < 20; turn++) yield* step("a", `turn-${turn}`, turn, `value ${turn}`)
          yield* TestClock.adjust("1 second")
          const bounds = { upTo: Number.MAX_SAFE_INTEGER, keepEntries: 1, keepBytes: 1 }
          yield* journal.append([{ stream: "~checkpoints", record: { _tag: "OutboxCompacted", ...bounds } }])
        })
      )
      platform.answer = () => "take"
      yield* start(flush)
      assert.isBelow(platform.inputs.filter(({ workflowId }) => workflowId === "a/llm_call").length, 3)
      yield* lose(filename)
      yield* start(
        Effect.gen(function* () {
          const restored = yield* RestoredSteps.make
          for (let turn = 0; turn < 20; turn++) {
            const known = yield* restored.step("a", `turn-${turn}`)
            assert.deepStrictEqual(known, Option.some({ _tag: "Success", value: `value ${turn}` }))
          }
        })
      )
    }).pipe(local)
  )

  it.effect("a task that has ended is not begun again, also where its place still names it", () =>
    Effect.gen(function* () {
      const remote = Layer.succeed(Checkpoint, yield* shared(newPlatform()))
      const filename = yield* temporaryFile
      yield* boot(
        filename,
        Effect.gen(function* () {
          yield* begin("a")
          yield* begin("b")
          const checkpoint = yield* Checkpoint
          const payload = { task_id: "a", status: "completed" }
          yield* checkpoint.save({ workspaceId, workflowId: "a", stepName: "task_complete", stepIndex: 2, payload })
          yield* flush
        }),
        remote
      )
      yield* lose(filename)
      yield* boot(
        filename,
        Effect.gen(function* () {
          assert.deepStrictEqual(
            (yield* tasks).map(({ task_id }) => task_id),
            ["b"]
          )
        }),
        remote
      )
    }).pipe(local)
  )

  it.effect("a task whose secret is not known here is reported, and keeps its place", () =>
    Effect.gen(function* () {
      const remote = Layer.succeed(Checkpoint, yield* shared(newPlatform()))
      const filename = yield* temporaryFile
      yield* boot(filename, Effect.andThen(Effect.andThen(begin("a", secret), begin("b")), flush), remote)
      yield* lose(filename)
      yield* boot(
        filename,
        Effect.gen(function* () {
          const { lost } = yield* (yield* Restore).find
          assert.deepStrictEqual(
            lost.map(({ slot, taskId }) => [slot, taskId]),
            [[0, "a"]]
          )
          assert.match(lost[0]?.detail ?? "", /API_KEY/)
          assert.deepStrictEqual(
            (yield* tasks).map(({ task_id }) => task_id),
            ["b"]
          )
          yield* begin("c")
          yield* flush
        }),
        remote,
        {}
      )
      yield* lose(filename)
      yield* boot(
        filename,
        Effect.gen(function* () {
          assert.deepStrictEqual(
            (yield* tasks).map(({ task_id }) => task_id),
            ["a", "b", "c"]
          )
        }),
        remote
      )
    }).pipe(local)
  )

  it.effect("waits for a platform that is away, and does not for one that knows no token", () =>
    Effect.gen(function* () {
      const there = yield* shared(newPlatform())
      const filename = yield* temporaryFile
      let answer: "away" | "unauthorized" | "take" = "take"
      const remote = Layer.succeed(
        Checkpoint,
        Checkpoint.of({
          ...there,
          list: (workspace, workflowId) => {
            if (answer === "take") return there.list(workspace, workflowId)
            const cause = { _tag: answer === "away" ? "PlatformUnavailable" : "Unauthorized" }
            return Effect.fail(new CheckpointUnavailable({ operation: "list", cause }))
          }
        })
      )
      yield* boot(filename, Effect.andThen(begin("a"), flush), remote)
      yield* lose(filename)
      answer = "unauthorized"
      yield* boot(
        filename,
        Effect.map(tasks, (rows) => assert.strictEqual(rows.length, 0)),
        remote
      )
      // With the right token the next start finds them: nothing was accepted meanwhile.
      answer = "away"
      const booting = yield* Effect.forkChild(boot(filename, tasks, remote))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(booting.pollUnsafe())
      answer = "take"
      yield* TestClock.adjust("5 seconds")
      let looks = 0
      while (booting.pollUnsafe() === undefined && looks++ < 1000) yield* TestClock.adjust("1 second")
      const exit = booting.pollUnsafe()
      assert.strictEqual(exit?._tag, "Success")
    }).pipe(local)
  )

  it.effect("tells when the platform has seen later rows than the journal has", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const remote = Layer.effect(Checkpoint, Effect.succeed(yield* shared(newPlatform())))
      const filename = yield* temporaryFile
      let renewed = ""
      yield* boot(filename, Effect.andThen(begin("a"), flush), remote)
      yield* fs.copyFile(filename, `${filename}.backup`)
      yield* boot(
        filename,
        Effect.gen(function* () {
          const restore = yield* Restore
          assert.deepStrictEqual(yield* restore.cutTail, Option.none())
          yield* step("a", "turn-1", 0, "lost")
          yield* flush
          assert.deepStrictEqual(yield* restore.laterOnPlatform("a"), Option.none())
        }),
        remote
      )
      yield* lose(filename)
      yield* fs.rename(`${filename}.backup`, filename)
      yield* boot(
        filename,
        Effect.gen(function* () {
          const restore = yield* Restore
          const cut = Option.getOrThrow(yield* restore.cutTail)
          assert.isAbove(cut.platform, cut.local)
          assert.deepStrictEqual(yield* restore.laterOnPlatform("a"), Option.some(cut))
          assert.deepStrictEqual(yield* restore.laterOnPlatform("b"), Option.none())
          // A start says so, once, and cursors of before are not taken for cursors of now.
          const journal = yield* Journal
          const { epoch } = journal
          const [said = "", ...more] = yield* logged(RestorePlatform.start)
          assert.match(said, /^Error .* has lost its end: the platform has seen row \d+, the last one here is \d+/)
          assert.deepStrictEqual([...more, ...(yield* logged(RestorePlatform.start))], [])
          assert.notStrictEqual(journal.epoch, epoch)
          renewed = journal.epoch
        }),
        remote
      )
      yield* boot(
        filename,
        Effect.map(Journal, ({ epoch }) => assert.strictEqual(epoch, renewed)),
        remote
      )
    }).pipe(local)
  )
})
