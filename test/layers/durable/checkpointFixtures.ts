/** A platform that can be away, refuse and crash, and checkpoints in a journal that are forwarded to it. */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as CheckpointJournal from "../../../src/layers/durable/CheckpointJournal.ts"
import * as CheckpointMemory from "../../../src/layers/durable/CheckpointMemory.ts"
import * as TaskRecords from "../../../src/layers/durable/taskRecords.ts"
import * as JournalSqlite from "../../../src/layers/journal/JournalSqlite.ts"
import {
  Checkpoint,
  type CheckpointInput,
  CheckpointRejected,
  CheckpointUnavailable
} from "../../../src/services/durable/Checkpoint.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import type { Accepted } from "../../../src/services/durable/InFlight.ts"
import { KnownSecrets } from "../../../src/services/workspace/KnownSecrets.ts"
import { PlatformConfig } from "../../../src/services/workspace/PlatformConfig.ts"
import { projections, temporaryFile } from "../../support/journal.ts"
import { someWorkspaces } from "./checkpointConformance.ts"

export const [workspaceId] = someWorkspaces

/** What the platform does with the next request, and what has arrived there. */
export interface Platform {
  answer: (step: string) => "take" | "away" | "refuse" | "crash"
  readonly arrived: Array<string>
  readonly inputs: Array<CheckpointInput>
  attempts: number
}

export const newPlatform = (answer: Platform["answer"] = () => "take"): Platform => ({
  answer,
  arrived: [],
  inputs: [],
  attempts: 0
})

export const remoteOf = (platform: Platform) =>
  Layer.effect(
    Checkpoint,
    Effect.map(Checkpoint, (memory) => {
      const before = Effect.fnUntraced(function* (operation: string, step: string) {
        platform.attempts += 1
        const answer = platform.answer(step)
        if (answer === "away") return yield* new CheckpointUnavailable({ operation, cause: "away" })
        if (answer === "refuse") return yield* new CheckpointRejected({ operation, detail: "no such workspace" })
        if (answer === "crash") return yield* Effect.die("a bug")
        platform.arrived.push(step)
      })
      return Checkpoint.of({
        ...memory,
        save: (input) =>
          Effect.andThen(before("save", `${input.workflowId}/${input.stepName}`), () => {
            platform.inputs.push(input)
            return memory.save(input)
          }),
        clear: (workspace, workflowId) =>
          Effect.andThen(before("clear", `clear ${workflowId}`), memory.clear(workspace, workflowId))
      })
    })
  ).pipe(Layer.provide(CheckpointMemory.layer), Layer.provide(NodeCrypto.layerSecureRandom))

export const allProjections = projections

export const secretsOf = (secrets: Record<string, string>) =>
  Layer.succeed(KnownSecrets, {
    values: new Map(Object.entries(secrets).map(([name, value]) => [name, Redacted.make(value)] as const))
  })

export const Config = Layer.succeed(PlatformConfig, {
  platformUrl: "http://x",
  workspaceId,
  stateDirectory: "/nowhere"
})

/** The journal in this file with every projection. */
export const journalAt = (filename: string) =>
  JournalSqlite.layerWith({ filename, projections: allProjections }).pipe(Layer.provide(NodeCrypto.layerSecureRandom))

/** Checkpoints in this file, forwarded to the remote. */
export const outboxAt = (
  filename: string,
  remote: Layer.Layer<Checkpoint>,
  options: Partial<CheckpointJournal.Options> = {},
  secrets: Record<string, string> = {}
) =>
  CheckpointJournal.layerWith({ remote, ...options }).pipe(
    Layer.provideMerge(journalAt(filename)),
    Layer.provide(secretsOf(secrets)),
    Layer.provide(Config),
    Layer.fresh
  )

/** {@link outboxAt} in a file of its own. */
export const over = (platform: Platform, options: Partial<CheckpointJournal.Options> = {}) =>
  Layer.unwrap(Effect.map(temporaryFile, (filename) => outboxAt(filename, remoteOf(platform), options))).pipe(
    Layer.provide(NodeServices.layer)
  )

export const save = Effect.fnUntraced(function* (workflowId: string, stepName: string, stepIndex = 0) {
  const checkpoint = yield* Checkpoint
  return yield* checkpoint.save({ workspaceId, workflowId, stepName, stepIndex, payload: { stepName } })
})

export const steps = ["task_receive", "llm_call", "task_complete"]
export const saveTask = (workflowId: string) => Effect.forEach(steps, (step, index) => save(workflowId, step, index))

/** Lets time pass until everything has gone out. */
export const flush = Effect.gen(function* () {
  const { flush } = yield* CheckpointOutbox
  const flushing = yield* Effect.forkChild(flush)
  while (flushing.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
  yield* Fiber.join(flushing)
})

export const pending = Effect.flatMap(CheckpointOutbox, (outbox) => outbox.pending)

/** The same remote for several layers. */
export const shared = (platform: Platform) =>
  Effect.map(Layer.build(Layer.fresh(remoteOf(platform))), (built) => Context.get(built, Checkpoint))

/** The record of an acceptance. */
export const accepted = (taskId: string, text = "hello"): Accepted => {
  const input = { taskId, contextId: "c", messageId: `m-${taskId}`, caller: "me", text }
  const messageKey = Effect.runSync(TaskRecords.messageKey(input))
  return {
    _tag: "TaskAccepted",
    input,
    messageKey,
    digest: TaskRecords.digestOf(input),
    version: 1,
    code: "echo",
    restored: false
  }
}
