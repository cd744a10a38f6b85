/**
 * `molecule`: looking after what a workspace keeps on its disk.
 *
 * @module
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ExecutionProjection from "../layers/journal/executionProjection.ts"
import * as JournalCare from "../layers/journal/journalCare.ts"
import * as TaskProjection from "../layers/journal/taskProjection.ts"
import * as StateDirectoryNode from "../layers/workspace/StateDirectoryNode.ts"
import { StateDirectory } from "../services/workspace/StateDirectory.ts"

const projections = [ExecutionProjection.projection, TaskProjection.projection]

const state = Flag.String("state").pipe(Flag.withDescription("The workspace's state directory"))

const check = Command.make("check", { state }, ({ state: directory }) =>
  Effect.gen(function* () {
    const file = `${directory}/workspace.db`
    const { differing, rows, streams } = yield* JournalCare.check(file, projections)
    if (differing.length > 0) {
      return yield* Effect.fail({
        message: `${file}: ${differing.join(", ")} differ from the journal's rows; stop the workspace and run: molecule journal rebuild --state ${directory}`
      })
    }
    yield* Console.log(`${file}: ${rows} rows in ${streams} streams are whole, and what is derived from them agrees`)
  })
).pipe(Command.withDescription("Check every row and what is derived from them; beside a running workspace too"))

const rebuild = Command.make("rebuild", { state }, ({ state: directory }) =>
  Effect.gen(function* () {
    // The directory's lock: a running workspace is named with its process id, and nothing is touched.
    const { file } = yield* StateDirectory
    yield* JournalCare.rebuild(file("workspace.db"), projections)
    yield* Console.log(`${file("workspace.db")}: derived again from the journal's rows`)
  }).pipe(Effect.provide(StateDirectoryNode.layerWith({ path: directory })))
).pipe(Command.withDescription("Make what is derived from the journal again; the workspace must not run"))

const journal = Command.make("journal").pipe(
  Command.withDescription("The journal of a workspace"),
  Command.withSubcommands([check, rebuild])
)

const molecule = Command.make("molecule").pipe(
  Command.withDescription("Looks after what a workspace keeps on its disk"),
  Command.withSubcommands([journal])
)

Command.run(molecule, { version: "0.1.0" }).pipe(
  Effect.tapError((error) => Console.error(`molecule: ${error.message}`)),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
