/**
 * The commands of `molecule`: looking after a workspace's tasks and what it keeps on its disk.
 *
 * @module
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Argument from "effect/cli/Argument"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as ProcessRegistryFile from "../layers/agent/ProcessRegistryFile.ts"
import * as TaskStoreJournal from "../layers/durable/TaskStoreJournal.ts"
import * as JournalCare from "../layers/journal/journalCare.ts"
import * as JournalSqlite from "../layers/journal/JournalSqlite.ts"
import * as Projections from "../layers/journal/projections.ts"
import * as TaskBookJournal from "../layers/local/TaskBookJournal.ts"
import * as TaskControlClient from "../layers/local/TaskControlClient.ts"
import * as TaskControlOffline from "../layers/local/TaskControlOffline.ts"
import * as TaskTables from "../layers/local/taskTables.ts"
import * as PlatformConfigEnv from "../layers/workspace/PlatformConfigEnv.ts"
import * as StateDirectoryNode from "../layers/workspace/StateDirectoryNode.ts"
import { isTerminal } from "../services/durable/TaskStore.ts"
import {
  NoStateDirectory,
  NotUnderstood,
  Selection,
  TablesDiffer,
  TaskBook,
  TaskList,
  TaskStory,
  WaitChains,
  WaitUnknown
} from "../services/local/TaskBook.ts"
import { socketName, TaskControl } from "../services/local/TaskControl.ts"
import { WorkspaceHealth } from "../services/workspace/Health.ts"

const projections = Projections.all

/** Exit codes besides 0 and 1; every other failure is 1. */
const exitCodes: Readonly<Record<string, number>> = {
  ShowHelp: 2,
  NotUnderstood: 2,
  TaskAmbiguous: 2,
  TaskUnknown: 3,
  TaskNotFound: 3,
  WaitUnknown: 3,
  NoStateDirectory: 4
}

const tagOf = (error: unknown) =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : ""

/** 0 ok, 1 failed, 2 wrong usage, 3 no such task or wait, 4 no such state directory; 130 if a signal ended it. */
export const exitCodeOf = <A, E>(exit: Exit.Exit<A, E>): number => {
  if (Exit.isSuccess(exit)) return 0
  return Cause.hasInterruptsOnly(exit.cause) ? 130 : (exitCodes[tagOf(Cause.squash(exit.cause))] ?? 1)
}

const state = Flag.String("state").pipe(
  Flag.withDescription("The workspace's state directory; as the workspace has it, if not given"),
  Flag.optional
)
const json = Flag.Boolean("json").pipe(Flag.withDescription("Print one line of JSON"), Flag.withDefault(false))
const id = Argument.String("id").pipe(Argument.withDescription("The task's id, or its beginning"))

type Given = Option.Option<string>

// The directory and its journal; it is not made if it is missing.
const stateOf = Effect.fnUntraced(function* (given: Given) {
  const files = yield* FileSystem.FileSystem
  const { join, resolve } = yield* Path.Path
  const path = Option.isSome(given)
    ? resolve(given.value)
    : yield* Effect.mapError(
        PlatformConfigEnv.stateDirectory,
        ({ message }) =>
          new NotUnderstood({
            detail: `no state directory is named: give --state, or set MOLECULE_STATE_DIR or WORKSPACE_ID (${message})`
          })
      )
  const file = join(path, "workspace.db")
  const isThere = (name: string) =>
    Effect.mapError(
      files.exists(name),
      (error) => new NoStateDirectory({ path, detail: `cannot be used (${error.message})` })
    )
  if (!(yield* isThere(path))) return yield* new NoStateDirectory({ path, detail: "is not there" })
  if (!(yield* isThere(file)))
    return yield* new NoStateDirectory({ path, detail: "is no state directory of a workspace" })
  return { path, file, socket: join(path, socketName) }
})
type State = Effect.Success<ReturnType<typeof stateOf>>

const Book = ({ file }: State) => TaskBookJournal.layerWith({ file })

const Offline = ({ file, path }: State) =>
  TaskControlOffline.layer.pipe(
    Layer.provide(Layer.merge(TaskStoreJournal.layer, ProcessRegistryFile.layer)),
    Layer.provide(JournalSqlite.layerWith({ filename: file, projections })),
    Layer.provide(StateDirectoryNode.layerWith({ path })),
    Layer.provide(NodeCrypto.layer)
  )

// Whoever holds the directory's lock is asked; if that is nobody, we hold it for as long as the change takes.
const Control = (found: State) =>
  Offline(found).pipe(
    Layer.catchTag("StateDirectoryError", (error) =>
      error.reason._tag === "InUse"
        ? TaskControlClient.layerWith({ socket: found.socket, pid: error.reason.pid })
        : Layer.effect(TaskControl, Effect.fail(error))
    )
  )

const printJson = <A, I>(schema: Schema.Codec<A, I>) => {
  const encode = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(schema)))
  return (value: A) => Effect.flatMap(Effect.orDie(encode(value)), Console.log)
}
const printList = printJson(TaskList)
const printStory = printJson(TaskStory)
const printChains = printJson(WaitChains)
const printHealth = printJson(WorkspaceHealth)
const printValue = printJson(Schema.Json)

const list = Command.make(
  "list",
  {
    state,
    json,
    only: Flag.Literals("only", Selection).pipe(
      Flag.withDescription("A state, or tasks that have not ended, are set aside, wait for something"),
      Flag.optional
    ),
    limit: Flag.Int("limit").pipe(Flag.withDescription("How many, newest first"), Flag.withDefault(50))
  },
  Effect.fnUntraced(function* (given) {
    const found = yield* stateOf(given.state)
    const options = { only: Option.getOrUndefined(given.only), limit: Math.max(0, given.limit) }
    const tasks = yield* Effect.flatMap(TaskBook, (book) => book.list(options)).pipe(Effect.provide(Book(found)))
    yield* given.json ? printList(tasks) : Console.log(TaskTables.list(tasks, yield* DateTime.now))
  })
).pipe(Command.withDescription("The tasks, newest first, and what each is doing"))

const show = Command.make(
  "show",
  { state, json, id },
  Effect.fnUntraced(function* (given) {
    const found = yield* stateOf(given.state)
    const story = yield* Effect.flatMap(TaskBook, (book) => Effect.flatMap(book.find(given.id), book.show)).pipe(
      Effect.provide(Book(found))
    )
    yield* given.json ? printStory(story) : Console.log(TaskTables.story(story, yield* DateTime.now))
  })
).pipe(Command.withDescription("One task: its message, its answer, and every run of a step, wait and event in order"))

const waits = Command.make(
  "waits",
  { state, json },
  Effect.fnUntraced(function* (given) {
    const found = yield* stateOf(given.state)
    const chains = yield* Effect.flatMap(TaskBook, (book) => book.waits).pipe(Effect.provide(Book(found)))
    yield* given.json ? printChains(chains) : Console.log(TaskTables.waits(chains, yield* DateTime.now))
  })
).pipe(Command.withDescription("Which task waits for what, from whom, until when; and what those wait for"))

// Finds the task's whole id first, so that a wrong one is noticed by reading alone.
const change = <A, E, R>(
  given: { readonly state: Given; readonly id: string },
  use: (control: TaskControl["Service"], taskId: string, found: State) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const found = yield* stateOf(given.state)
    const taskId = yield* Effect.flatMap(TaskBook, (book) => book.find(given.id)).pipe(Effect.provide(Book(found)))
    return yield* Effect.flatMap(TaskControl, (control) => use(control, taskId, found)).pipe(
      Effect.provide(Control(found))
    )
  })

const cancel = Command.make(
  "cancel",
  { state, json, id },
  Effect.fnUntraced(function* (given) {
    const task = yield* change(given, (control, taskId) => control.cancel(taskId))
    const { taskId } = task.input
    yield* given.json ? printValue({ id: taskId, state: task.state }) : Console.log(`task ${taskId} is ${task.state}`)
  })
).pipe(Command.withDescription("End a task, and the programs that it started"))

const resume = Command.make(
  "resume",
  { state, json, id },
  Effect.fnUntraced(function* (given) {
    const task = yield* change(given, (control, taskId) => control.resume(taskId))
    const { taskId } = task.input
    yield* given.json
      ? printValue({ id: taskId, state: task.state })
      : Console.log(`task ${taskId} is not set aside any more: it goes on, or does so when the workspace starts`)
  })
).pipe(Command.withDescription("Let a task run again that was set aside"))

const retry = Command.make(
  "retry",
  { state, json, id },
  Effect.fnUntraced(function* (given) {
    const { of, task } = yield* change(given, (control, taskId) =>
      Effect.map(control.retry(taskId), (task) => ({ of: taskId, task }))
    )
    const { taskId } = task.input
    if (given.json) return yield* printValue({ id: taskId, state: task.state, of })
    yield* Console.log(
      isTerminal(task.state)
        ? `task ${of} was tried again before, as ${taskId}, which is ${task.state}: retry that one`
        : `task ${of} is tried again as ${taskId}`
    )
  })
).pipe(Command.withDescription("Begin a new task with the message of one that has ended"))

const provide = Command.make(
  "provide",
  {
    state,
    json,
    id,
    wait: Argument.String("wait").pipe(
      Argument.withDescription("What it waits for, as `molecule tasks waits` names it")
    ),
    value: Argument.String("value").pipe(Argument.withDescription(`JSON: a text needs its quotes, '"repeat"'`))
  },
  Effect.fnUntraced(function* (given) {
    const { wait } = given
    const value = yield* Effect.mapError(
      Schema.decodeEffect(Schema.fromJsonString(Schema.Json))(given.value),
      () => new NotUnderstood({ detail: `${given.value} is not JSON: a text needs its quotes, as in '"repeat"'` })
    )
    const taskId = yield* change(given, (control, taskId, found) =>
      Effect.gen(function* () {
        const open = yield* Effect.flatMap(TaskBook, (book) => book.show(taskId)).pipe(
          Effect.map((task) => task.waits.map((one) => one.wait)),
          Effect.provide(Book(found))
        )
        if (!open.includes(wait)) return yield* new WaitUnknown({ taskId, wait, open })
        yield* control.provide(taskId, wait, value)
        return taskId
      })
    )
    yield* given.json ? printValue({ id: taskId, wait }) : Console.log(`task ${taskId} has its ${wait}`)
  })
).pipe(Command.withDescription("Give a task the value, or the decision, that it waits for"))

const health = Command.make(
  "health",
  { state, json },
  Effect.fnUntraced(function* (given) {
    const { socket } = yield* stateOf(given.state)
    const now = yield* Effect.flatMap(TaskControl, (control) => control.health).pipe(
      Effect.provide(TaskControlClient.layerWith({ socket, pid: 0, tries: 0 })),
      Effect.catchTag("ControlUnreachable", ({ detail }) =>
        Effect.fail({
          message: `nobody answers on ${socket} (${detail}): the workspace does not run, or is starting or ending`
        })
      )
    )
    yield* given.json ? printHealth(now) : Console.log(TaskTables.health(now))
    const wrong = TaskTables.troubles(now)
    if (wrong.length > 0) return yield* Effect.fail({ message: wrong.join("\n") })
  })
).pipe(Command.withDescription("Whether a running workspace gets on; exit code 1 if it does not"))

const check = Command.make(
  "check",
  { state, json },
  Effect.fnUntraced(function* (given) {
    const { file } = yield* stateOf(given.state)
    const { differing, rows, streams } = yield* JournalCare.check(file, projections)
    if (given.json) yield* printValue({ file, rows, streams, differing: [...differing] })
    if (differing.length > 0) return yield* new TablesDiffer({ file, tables: differing })
    if (given.json) return
    yield* Console.log(`${file}: ${rows} rows in ${streams} streams are whole, and what is derived from them agrees`)
  })
).pipe(Command.withDescription("Check every row and what is derived from them; beside a running workspace too"))

const rebuild = Command.make(
  "rebuild",
  { state },
  Effect.fnUntraced(function* (given) {
    const { file, path } = yield* stateOf(given.state)
    // Under the directory's lock: a running workspace is named with its process id, and nothing is touched.
    yield* JournalCare.rebuild(file, projections).pipe(Effect.provide(StateDirectoryNode.layerWith({ path })))
    yield* Console.log(`${file}: derived again from the journal's rows`)
  })
).pipe(Command.withDescription("Make what is derived from the journal again; the workspace must not run"))

const molecule = Command.make("molecule").pipe(
  Command.withDescription("Looks after a workspace's tasks and what it keeps on its disk"),
  Command.withSubcommands([
    Command.make("tasks").pipe(
      Command.withDescription("The tasks of a workspace"),
      Command.withSubcommands([list, show, waits, cancel, retry, resume, provide])
    ),
    health,
    Command.make("journal").pipe(
      Command.withDescription("The journal of a workspace"),
      Command.withSubcommands([check, rebuild])
    )
  ])
)

// What is wrong with a call is all that is said about it; the help is one flag away.
const Presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          `molecule: ${event.errors.map(({ message }) => message).join("\nmolecule: ")}\nsee ${event.commandPath.join(" ")} --help`
        )
      : CliOutput.defaultPresenter.present(event)
})

/** Runs `molecule` with these arguments. What is wrong is said on standard error; the failure then tells the exit code. */
export const run = (args: ReadonlyArray<string>) =>
  Command.runWith(molecule, { version: "0.1.0" })(args).pipe(
    Effect.tapError((error) =>
      tagOf(error) === "ShowHelp" ? Effect.void : Console.error(`molecule: ${error.message}`)
    ),
    Effect.provide(Presenter)
  )
