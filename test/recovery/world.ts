/**
 * The processes of a recovery run: the real platform, and workspaces that run the production program.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import type { WorkspaceId } from "../../src/services/workspace/WorkspaceId.ts"
import { aPort, start, type Started, startPlatform } from "../support/processes.ts"
import { type Crash, crashLogVariable, crashVariable } from "./crashPoint.ts"
import { codeVariable, effectsVariable, gatesVariable, parseEffects, turnsVariable } from "./effects.ts"
import { readRows } from "./journalView.ts"

/** Compiled code is kept between processes: they start in half the time. */
const compiled = `${tmpdir()}/molecule-recovery-compiled`

const preload = new URL("crash.ts", import.meta.url).href

/** Starts the platform, or starts it again where it was. */
export const startPlatformProcess = Effect.fnUntraced(function* (directory: string, port?: number) {
  const chosen = port ?? (yield* aPort)
  return { ...(yield* startPlatform(`${directory}/platform`, chosen)), port: chosen }
})
/** A platform that runs. */
export type Platform = Effect.Success<ReturnType<typeof startPlatformProcess>>

/** A workspace on the platform, and where what it leaves on the disk is. */
export interface Home {
  readonly id: WorkspaceId
  readonly token: string
  readonly state: string
  readonly effectsFile: string
  readonly gates: string
  readonly crashLog: string
}

/** Makes a workspace on the platform, with its directory under `directory`. */
export const makeHome = Effect.fnUntraced(function* (directory: string, name: string, parent?: WorkspaceId) {
  const { workspaces } = yield* PlatformClient
  const created = yield* workspaces.create({
    payload: { name, external: true, ...(parent === undefined ? undefined : { parent_id: parent }) }
  })
  const here = `${directory}/${name}`
  const home: Home = {
    id: created.id,
    token: created.connection?.auth_token ?? "",
    state: `${here}/state`,
    effectsFile: `${here}/effects`,
    gates: `${here}/gates`,
    crashLog: `${here}/crashes`
  }
  yield* Effect.sync(() => mkdirSync(home.gates, { recursive: true }))
  return home
})

/** How a life of a workspace differs from any other. */
export interface LifeOptions {
  readonly crash?: Crash
  readonly code?: string
  /** Each step waits until the harness opens its gate. */
  readonly inTurns?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts the production program in a workspace's home. */
export const startLife = (
  platformUrl: string,
  home: Home,
  { code = "v1", crash, environment, inTurns = false }: LifeOptions
) =>
  start("workspace", [], {
    NODE_COMPILE_CACHE: compiled,
    NODE_OPTIONS: `--import=${preload}`,
    PLATFORM_URL: platformUrl,
    WORKSPACE_ID: home.id,
    WORKSPACE_AUTH_TOKEN: home.token,
    MOLECULE_STATE_DIR: home.state,
    MOLECULE_HEARTBEAT_INTERVAL: "500 millis",
    MOLECULE_EXECUTOR: "module",
    MOLECULE_EXECUTOR_MODULE: new URL("agent.ts", import.meta.url).pathname,
    [effectsVariable]: home.effectsFile,
    [gatesVariable]: home.gates,
    [codeVariable]: code,
    [turnsVariable]: inTurns ? "1" : "",
    [crashLogVariable]: home.crashLog,
    [crashVariable]: crash === undefined ? "" : JSON.stringify(crash),
    ...environment
  })
/** A process of a workspace. */
export type Life = Started

/** The effects of a home so far. */
export const effectsOf = (home: Home) =>
  existsSync(home.effectsFile) ? parseEffects(readFileSync(home.effectsFile, "utf8")) : []

/** The committed rows of a home's journal, of these kinds if given. */
export const rowsOf = (home: Home, kinds?: ReadonlyArray<string>) => readRows(`${home.state}/workspace.db`, kinds)

/** How often a process of this home died at its point. */
export const crashesOf = (home: Home) =>
  existsSync(home.crashLog) ? readFileSync(home.crashLog, "utf8").split("\n").length - 1 : 0

/** Opens a gate for the agent. */
export const openGate = (home: Home, gate: string) => Effect.sync(() => writeFileSync(`${home.gates}/${gate}`, ""))

/** Deletes the state directory. What the effects were is not in it. */
export const wipe = (home: Home) => Effect.sync(() => rmSync(home.state, { recursive: true, force: true }))

/** Has the platform the acceptance of this task? */
export const isAcceptanceConfirmed = Effect.fnUntraced(function* (home: Home, task: string) {
  const { checkpoints } = yield* PlatformClient
  const rows = yield* Effect.orElseSucceed(checkpoints.list({ params: { id: home.id, workflowId: task } }), () => [])
  return rows.some(({ step_name }) => step_name === "task_receive")
})

/** The steps of a task that the platform has, as `<task> <step>`. */
export const confirmedSteps = Effect.fnUntraced(function* (home: Home, tasks: ReadonlyArray<string>) {
  const { checkpoints } = yield* PlatformClient
  const found = yield* Effect.forEach(tasks, (task) =>
    checkpoints.list({ params: { id: home.id, workflowId: `${task}/llm_call` } }).pipe(
      // A run that failed is on the platform too; what follows it, follows.
      Effect.map((rows) => rows.filter(({ payload }) => !JSON.stringify(payload).includes("Failure"))),
      Effect.map((rows) => rows.map(({ step_name }) => `${task} ${step_name.split("~", 1)[0]}`)),
      Effect.orElseSucceed(() => [])
    )
  )
  return found.flat()
})

/** A directory that goes with the scope, and is kept where `keep` says so. */
export const temporary = (prefix: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped({ prefix }))
