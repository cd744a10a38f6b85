import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as ChildProcess from "effect/process/ChildProcess"
import { markVariable, ProcessGroup, ProcessRegistry } from "../../../src/services/agent/ProcessRegistry.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"
import * as ProcessRegistryFile from "../../../src/layers/agent/ProcessRegistryFile.ts"
import * as ProcessTable from "../../../src/layers/agent/processTable.ts"
import { eventually, isAlive, lineOf, names, Services, TemporaryState } from "./processFixtures.ts"

const registryWith = (layer: typeof ProcessRegistryFile.layer) =>
  layer.pipe(Layer.provideMerge(TemporaryState), Layer.provideMerge(Services))
const onThisSystem = registryWith(ProcessRegistryFile.layer)
const onPs = registryWith(ProcessRegistryFile.layerWith({ table: ProcessTable.ps }))

const spawn = (script: string, mark: string) =>
  ChildProcess.make("/bin/sh", ["-c", script], {
    env: { PATH: "/bin:/usr/bin", [markVariable]: mark },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    forceKillAfter: "50 millis"
  })

const recordOf = (pgid: number, startTime: string, mark: string, taskId: string) =>
  new ProcessGroup({ pgid, startTime, mark, taskId, command: "sh" })

const groupOf = Effect.fnUntraced(function* (pgid: number, mark: string, taskId: string) {
  const registry = yield* ProcessRegistry
  return recordOf(pgid, yield* registry.startTime(pgid), mark, taskId)
})

const records = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const state = yield* StateDirectory
  return yield* fs.readDirectory(state.file("processes"))
})

const hasProc = process.platform === "linux"

describe.concurrent("ProcessRegistryFile", () => {
  for (const [system, layer] of [
    ["this system's process table", onThisSystem],
    ["ps", onPs]
  ] as const) {
    it.live(`ends a recorded group whose leader still runs (${system})`, () =>
      Effect.gen(function* () {
        const registry = yield* ProcessRegistry
        const child = yield* spawn("sleep 1000 & sleep 1000", "m-1")
        yield* registry.add(yield* groupOf(child.pid, "m-1", "t-1"))
        assert.deepStrictEqual(yield* records, [`${child.pid}.json`])

        const ended = yield* registry.endOrphans
        assert.deepStrictEqual(names(ended), ["t-1"])
        assert.isFalse(yield* isAlive(child.pid))
        assert.deepStrictEqual(yield* records, [])
        assert.deepStrictEqual(yield* registry.endOrphans, [])
      }).pipe(Effect.provide(layer))
    )

    it.live(`leaves a stranger alone that has the recorded number (${system})`, () =>
      Effect.gen(function* () {
        const registry = yield* ProcessRegistry
        const child = yield* spawn("exec sleep 1000", "m-1")
        const group = yield* groupOf(child.pid, "m-1", "t-1")
        yield* registry.add(recordOf(child.pid, `${group.startTime}0`, "m-1", "t-1"))

        assert.deepStrictEqual(yield* registry.endOrphans, [])
        assert.isTrue(yield* isAlive(child.pid))
        assert.deepStrictEqual(yield* records, [])
      }).pipe(Effect.provide(layer))
    )
  }

  /** A group whose leader has ended and been reaped, and whose member writes its own number. */
  const leaderless = Effect.fnUntraced(function* (mark: string) {
    const state = yield* StateDirectory
    const file = state.file(`member-${mark}`)
    const child = yield* spawn(`(sh -c 'echo $$ > "$0"; exec sleep 1000' "${file}") & wait $!`, mark)
    const group = yield* groupOf(child.pid, mark, mark)
    const member = Number(yield* lineOf(file))
    process.kill(child.pid, "SIGKILL")
    yield* Effect.ignore(child.exitCode)
    return { group, member }
  })

  it.live.runIf(hasProc)("ends what a leader left behind if it carries the mark", () =>
    Effect.gen(function* () {
      const registry = yield* ProcessRegistry
      const { group, member } = yield* leaderless("m-2")
      assert.isTrue(yield* isAlive(member))
      yield* registry.add(group)
      assert.deepStrictEqual(names(yield* registry.endOrphans), ["m-2"])
      assert.isFalse(yield* isAlive(member))
    }).pipe(Effect.provide(onThisSystem))
  )

  it.live.runIf(hasProc)("leaves a leaderless group alone that carries another mark", () =>
    Effect.gen(function* () {
      const registry = yield* ProcessRegistry
      const { group, member } = yield* leaderless("m-3")
      yield* registry.add(recordOf(group.pgid, group.startTime, "m", "m-3"))
      assert.deepStrictEqual(yield* registry.endOrphans, [])
      assert.isTrue(yield* isAlive(member))
      assert.deepStrictEqual(yield* records, [])
    }).pipe(Effect.provide(onThisSystem))
  )

  it.live("leaves a leaderless group alone where environments cannot be read", () =>
    Effect.gen(function* () {
      const registry = yield* ProcessRegistry
      const { group, member } = yield* leaderless("m-4")
      yield* registry.add(group)
      assert.deepStrictEqual(yield* registry.endOrphans, [])
      assert.isTrue(yield* isAlive(member))
    }).pipe(Effect.provide(onPs))
  )

  it.live("forgets what is gone, what is torn and what was never finished", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const state = yield* StateDirectory
      const registry = yield* ProcessRegistry
      const child = yield* spawn("exit 0", "m-5")
      const group = new ProcessGroup({ pgid: child.pid, startTime: "then", mark: "m-5", taskId: "t-5", command: "sh" })
      yield* child.exitCode
      yield* eventually(isAlive(child.pid), (alive) => !alive)
      yield* registry.add(group)
      const whole = yield* fs.readFileString(state.file(`processes/${child.pid}.json`))
      yield* fs.writeFileString(state.file("processes/70001.json"), whole.slice(0, 20))
      yield* fs.writeFileString(state.file("processes/70002.json"), whole)
      yield* fs.writeFileString(
        state.file("processes/70003.json"),
        `{"pgid":1,"startTime":"x","mark":"m","taskId":"t","command":"c"}`
      )
      yield* fs.writeFileString(state.file("processes/70004.json.new"), "")
      yield* fs.writeFileString(state.file("processes/70005.json"), "")

      assert.deepStrictEqual(yield* registry.endOrphans, [])
      assert.deepStrictEqual(yield* records, [])
    }).pipe(Effect.provide(onThisSystem))
  )

  it.live("removes a record, and one that is not there", () =>
    Effect.gen(function* () {
      const registry = yield* ProcessRegistry
      const group = yield* groupOf(process.pid, "m-6", "t-6")
      yield* registry.add(group)
      yield* registry.remove(group.pgid)
      yield* registry.remove(group.pgid)
      assert.deepStrictEqual(yield* records, [])
    }).pipe(Effect.provide(onThisSystem))
  )

  it.live("says that a process is not there", () =>
    Effect.gen(function* () {
      const registry = yield* ProcessRegistry
      const child = yield* spawn("exit 0", "m-7")
      yield* child.exitCode
      const error = yield* Effect.flip(eventually(registry.startTime(child.pid), () => false))
      assert.strictEqual(error.operation, "startTime")
    }).pipe(Effect.provide(onThisSystem))
  )

  it.live("fails, and says why, where the directory cannot be written", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const state = yield* StateDirectory
      const registry = yield* ProcessRegistry
      yield* fs.remove(state.file("processes"), { recursive: true })
      const error = yield* Effect.flip(registry.add(yield* groupOf(process.pid, "m-8", "t-8")))
      assert.strictEqual(error.operation, "add")
      assert.include(error.message, "NotFound")
    }).pipe(Effect.provide(onThisSystem))
  )
})
