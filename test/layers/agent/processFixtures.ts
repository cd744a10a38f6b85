import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schedule from "effect/Schedule"
import type { ProcessGroup } from "../../../src/services/agent/ProcessRegistry.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"

/** Real files, processes and random numbers. */
export const Services = Layer.merge(NodeServices.layer, NodeCrypto.layerSecureRandom)

/** A state directory that goes when the test ends. */
export const TemporaryState = Layer.effect(
  StateDirectory,
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { join } = yield* Path.Path
    const path = yield* fs.makeTempDirectoryScoped({ prefix: "molecule-process-" })
    return StateDirectory.of({ path, file: (name) => join(path, name) })
  })
)

/** The state directory at a path that somebody else made. */
export const stateAt = (path: string) => Layer.succeed(StateDirectory, { path, file: (name) => `${path}/${name}` })

export const taskOf = (text: string) => ({
  taskId: "task-1",
  contextId: "context-1",
  messageId: "message-1",
  caller: "admin",
  text
})

/** Reads until the answer is right; fails after twenty seconds. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>, right: (value: A) => boolean) =>
  effect.pipe(
    Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: right }),
    Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.die("it never became so") })
  )

/** The first line of a file that another process writes, once it is complete. */
export const lineOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* eventually(
    Effect.orElseSucceed(fs.readFileString(file), () => ""),
    (read) => read.includes("\n")
  )
  return text.split("\n", 1)[0] ?? ""
})

/** Does a process of this number run? A zombie does not. */
export const isAlive = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  if (yield* fs.exists("/proc/self/stat")) {
    const stat = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/stat`), () => ") X ")
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))
  }
  return yield* Effect.match(
    Effect.try(() => process.kill(pid, 0)),
    { onSuccess: () => true, onFailure: () => false }
  )
})

export const names = (groups: ReadonlyArray<ProcessGroup>) => groups.map(({ taskId }) => taskId).toSorted()
