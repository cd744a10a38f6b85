/**
 * The state directory on a local disk.
 *
 * Layout: `format` (`{"format":1}`), `lock` (held by the owner's process), `owner` (its process id), and what each
 * capability keeps: `token` (the bearer, 0600), `workspace.db` (the journal of tasks and checkpoints),
 * `control.sock` (the owner's socket), `processes/` (process groups started for tasks), `work/` (where programs run).
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { statfs } from "node:fs/promises"
import { DatabaseSync } from "node:sqlite"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import {
  Inaccessible,
  InUse,
  NetworkFileSystem,
  StateDirectory,
  StateDirectoryError,
  stateFormat,
  TooNew
} from "../../services/workspace/StateDirectory.ts"
import { writeFileAtomic } from "../disk/atomicFile.ts"

/**
 * Network file systems by the magic number that statfs(2) gives on Linux (linux/magic.h and the file systems' own
 * sources). 9p and FUSE are left out: they are how virtual machines share local folders. On macOS the number is that of
 * a table in the kernel and says nothing by itself, so nothing is refused there.
 */
const networkFileSystems = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
  [0x73757245, "Coda"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"]
])

/** The name of the network file system with this magic number (signed or not), if it is one that is refused. */
export const networkFileSystem = (type: number) => networkFileSystems.get(type >>> 0)

class NotOurs extends Schema.TaggedError<NotOurs>()("NotOurs", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** SQLite's number for a lock that someone else holds. */
const sqliteBusy = 5

const Format = Schema.fromJsonString(Schema.Struct({ format: Schema.Int }))

// What we keep is not for others to read, so a folder that is open to them is closed; but not somebody's folder that was
// named by mistake, such as /tmp or a home.
const ownDirectory = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  yield* files.makeDirectory(path, { recursive: true, mode: 0o700 })
  const { mode } = yield* files.stat(path)
  if ((mode & 0o077) === 0) return
  const names = yield* files.readDirectory(path)
  if (names.length > 0 && !names.includes("format")) {
    return yield* new NotOurs({ detail: "it is open to other users and holds files that are not ours" })
  }
  yield* files.chmod(path, 0o700)
})

const make = Effect.fnUntraced(function* (given: string) {
  const files = yield* FileSystem.FileSystem
  const { join, resolve } = yield* Path.Path
  const path = resolve(given)
  const file = (name: string) => join(path, name)
  const inaccessible = (cause: unknown) => new StateDirectoryError({ path, reason: new Inaccessible({ cause }) })

  yield* Effect.mapError(ownDirectory(path), inaccessible)

  const { type } = yield* Effect.tryPromise({ try: () => statfs(path), catch: inaccessible })
  const fileSystem = process.platform === "linux" ? networkFileSystem(type) : undefined
  if (fileSystem !== undefined) {
    return yield* new StateDirectoryError({ path, reason: new NetworkFileSystem({ fileSystem }) })
  }

  // SQLite's lock is the kernel's: it goes with the process, however that ends.
  const lock = yield* Effect.acquireRelease(
    Effect.try({ try: () => new DatabaseSync(file("lock"), { timeout: 0 }), catch: inaccessible }),
    (database) => Effect.sync(() => database.close())
  )
  const owner = Effect.map(
    Effect.orElseSucceed(files.readFileString(file("owner")), () => ""),
    (text) => (/^\d+$/.test(text.trim()) ? Number(text.trim()) : 0)
  )
  yield* Effect.try({
    try: () => lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"),
    catch: (cause) => ({ cause, busy: Predicate.hasProperty(cause, "errcode") && cause.errcode === sqliteBusy })
  }).pipe(
    Effect.catch(({ busy, cause }) =>
      Effect.flatMap(owner, (pid) =>
        Effect.fail(busy ? new StateDirectoryError({ path, reason: new InUse({ pid }) }) : inaccessible(cause))
      )
    )
  )
  yield* Effect.mapError(files.chmod(file("lock"), 0o600), inaccessible)
  yield* Effect.mapError(writeFileAtomic(file("owner"), String(process.pid)), inaccessible)

  if (yield* Effect.mapError(files.exists(file("format")), inaccessible)) {
    const { format } = yield* files
      .readFileString(file("format"))
      .pipe(Effect.flatMap(Schema.decodeEffect(Format)), Effect.mapError(inaccessible))
    if (format > stateFormat) {
      return yield* new StateDirectoryError({ path, reason: new TooNew({ found: format, supported: stateFormat }) })
    }
  } else {
    yield* Schema.encodeEffect(Format)({ format: stateFormat }).pipe(
      Effect.flatMap((text) => writeFileAtomic(file("format"), text)),
      Effect.mapError(inaccessible)
    )
  }
  return StateDirectory.of({ path, file })
})

/** Opens the directory at `path`, and holds it until the layer is released. */
export const layerWith = (options: { readonly path: string }) => Layer.effect(StateDirectory, make(options.path))

/** Opens the directory that `PlatformConfig` names. */
export const layer = Layer.unwrap(
  Effect.map(PlatformConfig, ({ stateDirectory }) => layerWith({ path: stateDirectory }))
)
