import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as JournalCare from "../../../src/layers/journal/journalCare.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { Checkpoint } from "../../../src/services/durable/Checkpoint.ts"
import { type Message, textOf, textPart } from "../../../src/services/durable/Content.ts"
import { Step } from "../../../src/services/durable/Step.ts"
import { TaskRunner } from "../../../src/services/durable/TaskRunner.ts"
import { TaskStore } from "../../../src/services/durable/TaskStore.ts"
import { fill, freeze, smallDisk } from "../../support/disks.ts"
import { projections, temporaryFile } from "../../support/journal.ts"
import { message } from "../../support/runner.ts"
import { newPlatform, shared } from "./checkpointFixtures.ts"
import { workspaceAt } from "./workspaceAt.ts"

/** A task is at work when the disk stops taking anything; it goes on when it does again. */
const scenario = Effect.fnUntraced(function* <E, R>(
  file: string,
  reason: "full" | "readonly",
  stop: Effect.Effect<Option.Option<Effect.Effect<unknown, E>>, E, R>
) {
  const began = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const ran: Array<string> = []
  const remote = yield* shared(newPlatform())
  const workspace = workspaceAt(file, Layer.succeed(Checkpoint, remote), ({ text }) =>
    Effect.gen(function* () {
      const { ask, step } = yield* Step
      if (text === "ask")
        return new TaskOutput({ text: textOf((yield* ask({ name: "q", parts: [textPart("?")] })).parts) })
      for (const name of ["one", "two", "three"]) {
        const run = Effect.gen(function* () {
          ran.push(`${text} ${name}`)
          yield* Deferred.succeed(began, undefined)
          yield* Deferred.await(go)
          return name
        })
        yield* step(name, Schema.String, run)
      }
      return new TaskOutput({ text })
    })
  )
  const stopped = yield* Effect.gen(function* () {
    const runner = yield* TaskRunner
    const asking = yield* Effect.forEach(["c", "d"], (id) => runner.submit(message(id, "ask")))
    const [toCancel = "", toAnswer = ""] = asking.map(({ input }) => input.taskId)
    while ((yield* (yield* TaskStore).waits).length < 2) yield* Effect.yieldNow
    const { input } = yield* runner.submit(message("a", "a"))
    yield* Deferred.await(began)
    const start = yield* stop
    if (Option.isNone(start)) return false
    const answer: Message = { messageId: "e", role: "ROLE_USER", parts: [textPart("yes")] }
    // The first finds it out by itself, and is told as those after it.
    const canceling = yield* Effect.flip(runner.cancel(toCancel))
    assert.deepInclude(canceling, { _tag: "JournalUnavailable", reason })
    yield* Deferred.succeed(go, undefined)
    const refused = yield* Effect.flip(runner.submit(message("b", "b")))
    assert.deepInclude(refused, { _tag: "JournalUnavailable", reason })
    const unanswered = yield* Effect.flip(runner.receive(toAnswer, answer))
    assert.deepInclude(unanswered, { _tag: "JournalUnavailable", reason })
    // What cannot be kept goes no further, and is not given up either.
    yield* Effect.sleep("700 millis")
    assert.deepStrictEqual(ran, ["a one"])
    assert.strictEqual((yield* runner.get(input.taskId)).state, "working")
    assert.strictEqual((yield* Effect.flip(runner.submit(message("b", "b"))))._tag, "JournalUnavailable")
    yield* start.value
    assert.deepInclude(yield* runner.result(input.taskId), { state: "completed" })
    assert.deepStrictEqual(ran, ["a one", "a two", "a three"])
    assert.strictEqual((yield* runner.result(toCancel)).state, "canceled")
    assert.strictEqual((yield* runner.get(toAnswer)).state, "input-required")
    yield* runner.receive(toAnswer, answer)
    assert.deepInclude(yield* runner.result(toAnswer), { state: "completed" })
    // The refused message left nothing behind by which it would be known.
    const b = yield* runner.submit(message("b", "b"))
    assert.deepInclude(yield* runner.result(b.input.taskId), { state: "completed" })
    return true
  }).pipe(Effect.provide(workspace))
  if (stopped) assert.deepStrictEqual((yield* JournalCare.check(file, projections)).differing, [])
  return stopped
})

describe("a disk that takes nothing", () => {
  it.live("full: new messages are refused, the task that runs is suspended, all go on when there is room", (context) =>
    Effect.gen(function* () {
      const { remove } = yield* FileSystem.FileSystem
      const disk = yield* smallDisk("1m")
      if (Option.isNone(disk)) return context.skip("mounting a small disk is not allowed here")
      yield* scenario(
        `${disk.value}/workspace.db`,
        "full",
        Effect.asSome(Effect.map(fill(disk.value), (ballast) => remove(ballast)))
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("read-only: new messages are refused, the task that runs is suspended, all go on afterwards", (context) =>
    Effect.gen(function* () {
      const { dirname } = yield* Path.Path
      const file = yield* temporaryFile
      const stopped = yield* scenario(file, "readonly", freeze(dirname(file)))
      if (!stopped) context.skip("files cannot be made immutable here: it takes root, and ext4 or the like")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
