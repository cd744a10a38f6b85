/**
 * What the system knows about a process. Linux tells; elsewhere it is 0.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs"

const read = (pid: number, name: string) => {
  const path = `/proc/${pid}/${name}`
  return existsSync(path) ? readFileSync(path, "utf8") : ""
}

/** Resident memory now, MB. */
export const memoryOf = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(read(pid, "status"))?.[1] ?? 0) / 1024

/** Processor time until now, seconds. */
export const cpuOf = (pid: number): number => {
  const fields = read(pid, "stat").split(") ").at(-1)?.split(" ") ?? []
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100
}
