/**
 * The settings of SQLite in words.
 *
 * @module
 */
import * as Predicate from "effect/Predicate"

const levels = ["OFF", "NORMAL", "FULL", "EXTRA"]

/** Reads the answers to `PRAGMA journal_mode` and `PRAGMA synchronous`. */
export const sqliteSettings = (mode: unknown, synchronous: unknown): string => {
  const journal = Predicate.hasProperty(mode, "journal_mode") ? String(mode.journal_mode).toUpperCase() : "?"
  const level = Predicate.hasProperty(synchronous, "synchronous") ? levels[Number(synchronous.synchronous)] : "?"
  return `SQLite, journal_mode=${journal}, synchronous=${level ?? "?"}`
}
