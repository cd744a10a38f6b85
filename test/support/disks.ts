/**
 * Real disks that are full or cannot be written, where the machine lets us have them.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { spawnSync } from "node:child_process"

const run = (program: string, ...args: ReadonlyArray<string>) =>
  Effect.sync(() => spawnSync(program, [...args]).status === 0)

/** A disk of this size in a directory that goes with the scope; `None` where mounting is not allowed. */
export const smallDisk = Effect.fnUntraced(function* (size: string) {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped({ prefix: "molecule-full-" })
  if (!(yield* run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory))) return Option.none<string>()
  yield* Effect.addFinalizer(() => run("umount", "-l", directory))
  return Option.some(directory)
})

/** Fills the disk to its last page with this file: removing it makes room again. */
export const fill = Effect.fnUntraced(function* (disk: string) {
  const files = yield* FileSystem.FileSystem
  const ballast = `${disk}/ballast`
  yield* files.writeFile(ballast, new Uint8Array())
  for (const piece of [65_536, 4096]) {
    const more = Effect.scoped(
      Effect.flatMap(files.open(ballast, { flag: "a" }), (file) => file.writeAll(new Uint8Array(piece)))
    )
    yield* Effect.ignore(Effect.forever(more))
  }
  return ballast
})

/**
 * Makes the database and its directory read-only for everybody, root and those who have it open included, as a file system
 * does that the kernel has made read-only; the result undoes it. `None` where that is not possible: it takes root, and a file
 * system that has the flag "immutable". Remounting is no way: it is refused while a file is open for writing.
 */
export const freeze = Effect.fnUntraced(function* (directory: string) {
  const paths = [`${directory}/workspace.db`, `${directory}/workspace.db-wal`, directory]
  const thaw = run("chattr", "-i", ...paths)
  yield* Effect.addFinalizer(() => thaw)
  if (yield* run("chattr", "+i", ...paths)) return Option.some(thaw)
  yield* thaw
  return Option.none<typeof thaw>()
})
