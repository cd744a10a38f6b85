/**
 * Where a bench runs.
 *
 * @module
 */
import { existsSync, statfsSync } from "node:fs"
import * as Os from "node:os"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

const fileSystems = new Map([
  [0xef53, "ext4"],
  [0x9123683e, "btrfs"],
  [0x58465342, "xfs"],
  [0x794c7630, "overlay"],
  [0x2fc12fc1, "zfs"],
  [0x01021994, "tmpfs"]
])

const fileSystemOf = (folder: string) => fileSystems.get(statfsSync(folder).type) ?? "unknown file system"

/** Processors, system, Node, and the file system of a folder, in one line. */
export const machine = (folder: string): string => {
  const [cpu] = Os.cpus()
  const processors = `${Os.cpus().length} × ${cpu?.model.trim() ?? "unknown processor"}`
  return `${processors}, ${Os.type()} ${Os.release()}, Node ${process.versions.node}, ${fileSystemOf(folder)}`
}

/**
 * An empty folder on a disk, removed with the scope. A folder in memory would make every `fsync` free, so where the
 * system's own folder for temporary files is one, it is not taken.
 */
export const scratch = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const candidates = [Os.tmpdir(), "/var/tmp"].filter((folder) => existsSync(folder))
  const directory = candidates.find((folder) => fileSystemOf(folder) !== "tmpfs") ?? Os.tmpdir()
  const folder = yield* fs.makeTempDirectoryScoped({ directory, prefix: "molecule-bench-" })
  // The database server may run as another user, which has to get through.
  yield* fs.chmod(folder, 0o755)
  return folder
})
