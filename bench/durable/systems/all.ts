/**
 * The adapters by name.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import type { SystemName } from "../model.ts"
import type { System } from "../system.ts"

/** Loads no other system than the one asked for, so that a process's memory is that system's. */
export const systemOf = (name: SystemName): Effect.Effect<System> =>
  Effect.promise(async () => {
    switch (name) {
      case "sqlite-commits":
        return (await import("./sqliteCommits.ts")).sqliteCommits
      case "journal":
        return (await import("./journal.ts")).journal
      case "journal-effects":
        return (await import("./journal.ts")).journalEffects
      case "cluster-sqlite":
        return (await import("./cluster.ts")).clusterSqlite
      case "cluster-postgres":
        return (await import("./cluster.ts")).clusterPostgres
      case "dbos-postgres":
      case "dbos-postgres-effects":
        return (await import("./dbos.ts")).dbosPostgres
      case "memory":
        return (await import("./memory.ts")).memory
    }
  })

/** Do the steps of this system append to a file? */
export const hasEffects = (name: SystemName): boolean => name.endsWith("-effects")
