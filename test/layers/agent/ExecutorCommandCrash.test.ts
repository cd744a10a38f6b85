import { spawn } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { ProcessRegistry } from "../../../src/services/agent/ProcessRegistry.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"
import * as ProcessRegistryFile from "../../../src/layers/agent/ProcessRegistryFile.ts"
import { eventually, isAlive, lineOf, Services, TemporaryState } from "./processFixtures.ts"

const Registry = ProcessRegistryFile.layer.pipe(Layer.provideMerge(TemporaryState), Layer.provideMerge(Services))

describe.concurrent("ExecutorCommand after kill -9", () => {
  const script = new URL("./executorProcess.ts", import.meta.url).pathname

  /** Starts a process that runs the executor on `program`. */
  const start = Effect.fnUntraced(function* (mode: "run" | "hold", program: string) {
    const state = yield* StateDirectory
    return yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [script, state.path, mode, program], { stdio: "inherit" })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
  })

  it.live("the next start ends the orphan, and nobody else", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const state = yield* StateDirectory
      const registry = yield* ProcessRegistry
      const child = yield* start("run", `echo $$ > "$1/pid"; sleep 1000 & echo $! > "$1/grandchild"; wait`)
      const pid = Number(yield* lineOf(state.file("pid")))
      const grandchild = Number(yield* lineOf(state.file("grandchild")))
      child.kill("SIGKILL")
      yield* eventually(isAlive(child.pid ?? 0), (alive) => !alive)
      assert.isTrue(yield* isAlive(pid))

      const ended = yield* registry.endOrphans
      assert.deepStrictEqual(
        ended.map(({ command, pgid, taskId }) => ({ command, pgid, taskId })),
        [{ command: "sh", pgid: pid, taskId: "task-1" }]
      )
      assert.isFalse(yield* isAlive(pid))
      assert.isFalse(yield* isAlive(grandchild))
      assert.deepStrictEqual(yield* fs.readDirectory(state.file("processes")), [])
    }).pipe(Effect.provide(Registry))
  )

  it.live("a program that was recorded and not started never starts", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const state = yield* StateDirectory
      const registry = yield* ProcessRegistry
      const child = yield* start("hold", `echo $$ > "$1/pid"`)
      const gate = Number(yield* lineOf(state.file("recorded")))
      assert.isTrue(yield* isAlive(gate))
      assert.deepStrictEqual(yield* fs.readDirectory(state.file("processes")), [`${gate}.json`])
      child.kill("SIGKILL")
      yield* eventually(isAlive(gate), (alive) => !alive)
      assert.isFalse(yield* fs.exists(state.file("pid")))
      assert.deepStrictEqual(yield* registry.endOrphans, [])
      assert.deepStrictEqual(yield* fs.readDirectory(state.file("processes")), [])
    }).pipe(Effect.provide(Registry))
  )
})
