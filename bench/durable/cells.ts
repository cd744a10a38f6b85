/**
 * Which cells the table has, and what each system is called in print.
 *
 * @module
 */
import type { SystemName } from "./model.ts"

/** One cell: a system, and how many tasks are under way. */
export interface Cell {
  readonly system: SystemName
  readonly concurrency: number
}

/** In print, in the order of the table. */
export const titles: Readonly<Record<SystemName, string>> = {
  "sqlite-commits": "floor: one bare SQLite commit a step",
  journal: "molecule-effect journal engine",
  "journal-effects": "… steps with an effect outside",
  "dbos-postgres": "DBOS Transact on Postgres",
  "dbos-postgres-effects": "… steps with an effect outside",
  "cluster-sqlite": "ClusterWorkflowEngine on SQLite",
  "cluster-postgres": "ClusterWorkflowEngine on Postgres",
  memory: "Effect's layerMemory, keeps nothing"
}

/** The systems in the order of the table. */
export const order: ReadonlyArray<SystemName> = [
  "sqlite-commits",
  "journal",
  "journal-effects",
  "dbos-postgres",
  "dbos-postgres-effects",
  "cluster-sqlite",
  "cluster-postgres",
  "memory"
]

const at = (system: SystemName, ...concurrencies: ReadonlyArray<number>): ReadonlyArray<Cell> =>
  concurrencies.map((concurrency) => ({ system, concurrency }))

/** Without a server. The floor and ours come first and next to each other: their ratio is one of the results. */
export const embedded: ReadonlyArray<Cell> = [
  ...at("sqlite-commits", 1),
  ...at("journal", 1, 32),
  ...at("journal-effects", 1, 32),
  ...at("cluster-sqlite", 1, 32),
  ...at("memory", 1, 32)
]

/** On the server. */
export const onPostgres: ReadonlyArray<Cell> = [
  ...at("dbos-postgres", 1, 32),
  ...at("dbos-postgres-effects", 1, 32),
  ...at("cluster-postgres", 1, 32)
]
