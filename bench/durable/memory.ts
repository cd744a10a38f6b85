/**
 * How much memory a database server has, over all its processes.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs"

const kilobytes = (pid: number): number => {
  const [, proportional = "0"] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? []
  return Number(proportional)
}

/** In MB, pages shared by several processes counted once. `undefined` where the system does not tell (not Linux). */
export const serverMemory = (pid: number): number | undefined => {
  const children = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(children)) return undefined
  const pids = [pid, ...readFileSync(children, "utf8").split(" ").filter(Boolean).map(Number)]
  return pids.reduce((sum, each) => sum + kilobytes(each), 0) / 1024
}
