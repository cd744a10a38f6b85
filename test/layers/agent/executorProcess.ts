/**
 * A program for the crash tests: runs the command executor on one task in a process that the test can kill.
 * Arguments: the state directory; `run`, or `hold` to stop for ever between the record and the start; the shell script.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { commandDefaults } from "../../../src/services/agent/CommandSpec.ts"
import { ProcessRegistry } from "../../../src/services/agent/ProcessRegistry.ts"
import * as ExecutorCommand from "../../../src/layers/agent/ExecutorCommand.ts"
import * as ProcessRegistryFile from "../../../src/layers/agent/ProcessRegistryFile.ts"
import * as StepDirect from "../../../src/layers/durable/StepDirect.ts"
import { Services, stateAt, taskOf } from "./processFixtures.ts"

const [, , state = "", mode, script = ""] = process.argv

/** Says in a file that the record is there, and goes no further. */
const Holding = Layer.effect(
  ProcessRegistry,
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const registry = yield* ProcessRegistry
    return ProcessRegistry.of({
      ...registry,
      add: (group) =>
        registry
          .add(group)
          .pipe(
            Effect.andThen(Effect.orDie(fs.writeFileString(`${state}/recorded`, `${group.pgid}\n`))),
            Effect.andThen(Effect.never)
          )
    })
  })
)

const Registry = ProcessRegistryFile.layer.pipe(Layer.provideMerge(stateAt(state)), Layer.provideMerge(Services))

const Executor = ExecutorCommand.layerWith(
  { ...commandDefaults, program: "sh", args: ["-c", script, "sh", state] },
  { workingDirectory: state }
).pipe(Layer.provide(mode === "hold" ? Layer.provide(Holding, Registry) : Registry), Layer.provide(Registry))

const main = Effect.flatMap(AgentExecutor, (executor) => executor.execute(taskOf("")))

NodeRuntime.runMain(main.pipe(Effect.provide([Executor, StepDirect.layer])))
