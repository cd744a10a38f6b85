/**
 * Loaded before the program (`node --import`): ends the process with SIGKILL at an exact place, if it is armed.
 *
 * **Details**
 *
 * The program itself is the production one and knows nothing of this: it is `node:sqlite`, on which the journal is
 * written, that is watched. SIGKILL to oneself takes effect before the call returns: nothing runs after it.
 *
 * @module
 */
import { appendFileSync } from "node:fs"
import { DatabaseSync, StatementSync } from "node:sqlite"
import { type Crash, type CrashPoint, crashLogVariable, crashVariable, describePoint } from "./crashPoint.ts"

const given = process.env[crashVariable]
const log = process.env[crashLogVariable]

const arm = ({ afterTerm = false, points }: Crash) => {
  let armed = !afterTerm
  if (afterTerm) {
    process.on("SIGTERM", () => {
      armed = true
    })
  }
  const die = (point: CrashPoint) => {
    if (log !== undefined) appendFileSync(log, `${describePoint(point)}\n`)
    process.kill(process.pid, "SIGKILL")
  }
  // The points of the transaction that is open: their rows are in it.
  let open: Array<CrashPoint> = []

  const matching = (kind: unknown, data: unknown) =>
    points.filter(
      (point) =>
        armed &&
        point.at !== "close" &&
        point.kind === kind &&
        typeof data === "string" &&
        point.having.every((part) => data.includes(part))
    )
  const dieAt = (at: CrashPoint["at"], among: ReadonlyArray<CrashPoint>) => {
    const point = among.find((one) => one.at === at)
    if (point !== undefined) die(point)
  }

  // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this` below
  const run = StatementSync.prototype.run
  const watched = function (this: StatementSync, ...values: ReadonlyArray<unknown>): unknown {
    const sql = this.sourceSQL
    if (sql.startsWith("BEGIN")) open = []
    if (sql.startsWith("INSERT INTO journal ")) {
      const [, , , kind, , data] = values
      const met = matching(kind, data)
      dieAt("before-row", met)
      open.push(...met)
    }
    if (sql === "COMMIT") dieAt("before-commit", open)
    const result: unknown = Reflect.apply(run, this, values)
    if (sql === "COMMIT") dieAt("after-commit", open)
    return result
  }
  Reflect.set(StatementSync.prototype, "run", watched)

  // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this` below
  const close = DatabaseSync.prototype.close
  DatabaseSync.prototype.close = function (this: DatabaseSync) {
    if (armed && (this.location() ?? "").endsWith("workspace.db")) {
      dieAt(
        "close",
        points.filter(({ at }) => at === "close")
      )
    }
    close.apply(this)
  }
}

if (given !== undefined && given !== "") arm(JSON.parse(given))
