/**
 * The programs as real processes, for tests that kill them.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { fileURLToPath } from "node:url"
import * as PlatformClientAdmin from "../../src/layers/local/PlatformClientAdmin.ts"
import { freePort } from "../../src/layers/local/freePort.ts"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import * as Databases from "./databases.ts"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/** What the tests of programs need of the machine. */
export const Machine = Layer.mergeAll(NodeServices.layer, NodeHttpClient.layerUndici)

/** A program of ours as a process, run by another one (`under`) if that is given; it is killed at the end of the scope if it still runs. */
export const start = Effect.fnUntraced(function* (
  program: string,
  args: ReadonlyArray<string>,
  env: Record<string, string>,
  under: ReadonlyArray<string> = []
) {
  const [command = "", ...rest] = [
    ...under,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    `${root}src/programs/${program}.ts`,
    ...args
  ]
  const child = yield* ChildProcess.make(command, rest, {
    cwd: root,
    env,
    extendEnv: true,
    stdin: "ignore",
    forceKillAfter: "2 seconds"
  })
  const stdout = yield* Ref.make("")
  const all = yield* Ref.make("")
  const collect = (stream: typeof child.stdout, into: ReadonlyArray<Ref.Ref<string>>) =>
    Effect.forkScoped(
      Stream.runForEach(Stream.decodeText(stream), (text) =>
        Effect.forEach(into, (ref) => Ref.update(ref, (before) => before + text), { discard: true })
      ).pipe(Effect.ignore)
    )
  yield* collect(child.stdout, [stdout, all])
  yield* collect(child.stderr, [all])
  const pid = Number(child.pid)
  return {
    pid,
    /** Its exit code, or -1 if a signal ended it. */
    exitCode: Effect.orElseSucceed(Effect.map(child.exitCode, Number), () => -1),
    signal: (signal: NodeJS.Signals) => Effect.sync(() => process.kill(pid, signal)),
    stdout: Ref.get(stdout),
    /** Everything that it has said, for a failing test to show. */
    output: Ref.get(all)
  }
})
export type Started = Effect.Success<ReturnType<typeof start>>

/** Tries until it succeeds, 25 ms apart, at most `seconds`; then fails with its last error. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>, seconds = 20) =>
  Effect.retry(effect, Schedule.max([Schedule.spaced("25 millis"), Schedule.recurs(seconds * 40)]))

export const temporaryDirectory = Effect.flatMap(FileSystem.FileSystem, (files) =>
  files.makeTempDirectoryScoped({ prefix: "molecule-test-" })
)

/** A platform process on a state directory; start it again on the same one to restart it. */
export const startPlatform = Effect.fnUntraced(function* (
  directory: string,
  port: number,
  env: Record<string, string> = {}
) {
  const files = yield* FileSystem.FileSystem
  const database = yield* Databases.urlFor(`${directory}/platform.db`)
  const started = yield* start("platform", [], {
    ...(database === undefined ? undefined : { DATABASE_URL: database }),
    MOLECULE_PLATFORM_HOST: "127.0.0.1",
    MOLECULE_PLATFORM_PORT: String(port),
    MOLECULE_PLATFORM_RATE_LIMIT: "60000",
    MOLECULE_PLATFORM_STATE_DIR: directory,
    ...env
  })
  const url = `http://127.0.0.1:${port}`
  const token = yield* eventually(
    Effect.filterOrFail(files.readFileString(`${directory}/admin-token`), (text) => text.trim() !== "")
  )
  const client = PlatformClientAdmin.layerWith({ platformUrl: url, adminToken: Redacted.make(token.trim()) })
  yield* eventually(Effect.flatMap(PlatformClient, ({ workspaces }) => workspaces.list())).pipe(Effect.provide(client))
  return { ...started, url, client, adminToken: token.trim() }
})

/** A workspace, made on the platform and running as a process. */
export const startWorkspace = Effect.fnUntraced(function* (
  platformUrl: string,
  created: { readonly id: string; readonly connection?: { readonly auth_token: string } },
  directory: string,
  env: Record<string, string>,
  under: ReadonlyArray<string> = []
) {
  const settings = {
    PLATFORM_URL: platformUrl,
    WORKSPACE_ID: created.id,
    MOLECULE_STATE_DIR: directory,
    MOLECULE_HEARTBEAT_INTERVAL: "500 millis",
    ...(created.connection === undefined ? {} : { WORKSPACE_AUTH_TOKEN: created.connection.auth_token }),
    ...env
  }
  return yield* start("workspace", [], settings, under)
})

/** Ports far from the one of `npm start`, different for each test process. */
export const aPort = Effect.suspend(() => freePort(20_000 + (process.pid % 20_000)))
