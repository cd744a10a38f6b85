/**
 * Where a process is to die: said by the harness, read by `crash.ts` in the process itself.
 *
 * @module
 */

/**
 * One exact place.
 *
 * **Details**
 *
 * `row` and `commit` are about the journal: the process dies before it inserts a row of this `kind` whose data contain all
 * of `having` (`before-row`), with the row inserted before the `COMMIT` (`before-commit`), or right after it
 * (`after-commit`). `close` is the moment before the journal is closed, at an orderly end.
 */
export type CrashPoint =
  | {
      readonly at: "before-row" | "before-commit" | "after-commit"
      readonly kind: string
      readonly having: ReadonlyArray<string>
    }
  | { readonly at: "close" }

/** The first of the points that is reached ends the process; with `afterTerm` only what comes after a SIGTERM counts. */
export interface Crash {
  readonly points: ReadonlyArray<CrashPoint>
  readonly afterTerm?: boolean
}

/** The variable that arms a process, with a {@link Crash} as JSON. */
export const crashVariable = "RECOVERY_CRASH"

/** The variable that names the file in which the process writes where it dies, just before. */
export const crashLogVariable = "RECOVERY_CRASH_LOG"

/** A point in one line. */
export const describePoint = (point: CrashPoint): string =>
  point.at === "close" ? "close" : `${point.at} ${[point.kind, ...point.having].join(" ")}`
