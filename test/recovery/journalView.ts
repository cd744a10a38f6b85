/**
 * What the checks look at in a workspace's journal: read from the file, without the program's own code.
 *
 * @module
 */
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"

/** A committed row. */
export interface Row {
  readonly stream: string
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** The committed rows in their order, of these kinds if given; none if there is no journal, or one that is only being made. */
export const readRows = (file: string, kinds: ReadonlyArray<string> = []): ReadonlyArray<Row> => {
  if (!existsSync(file)) return []
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
    try {
      return database
        .prepare(
          `SELECT name AS stream, kind, data FROM journal JOIN streams ON number = journal.stream
          WHERE ? = '[]' OR kind IN (SELECT value FROM json_each(?)) ORDER BY position`
        )
        .all(JSON.stringify(kinds), JSON.stringify(kinds))
        .map(({ data, kind, stream }) => {
          const parsed: unknown = JSON.parse(String(data))
          return { stream: String(stream), kind: String(kind), data: isObject(parsed) ? parsed : {} }
        })
    } finally {
      database.close()
    }
  } catch {
    return []
  }
}

const isSuccess = (exit: unknown) => isObject(exit) && exit["_tag"] === "Success"

/** The task of an execution's stream, `<task>/<segment>`. */
const taskOf = (stream: string) => stream.split("/", 1)[0] ?? ""

/** A run of a step that is retried is called `<step>~<number>` from the second on. */
const stepOf = (name: string) => name.split("~", 1)[0] ?? ""

/** The steps, as `<task> <step>`, whose result is on disk and a success: they must not run again. */
export const completedSteps = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows.flatMap(({ data, kind, stream }) =>
    kind === "ActivityCompleted" && isSuccess(data["exit"]) ? [`${taskOf(stream)} ${stepOf(String(data["name"]))}`] : []
  )

/** The names of results and of values that are on disk. */
export const results = (rows: ReadonlyArray<Row>): ReadonlySet<string> =>
  new Set(
    rows.flatMap(({ data, kind }) =>
      kind === "ActivityCompleted" || kind === "DeferredCompleted" ? [String(data["name"])] : []
    )
  )

/** The kinds of rows that {@link openWaits} looks at. */
export const waitKinds = ["WaitBegan", "WaitEnded", "TaskMoved"]

/** The waits that are open, with their tasks. */
export const openWaits = (
  rows: ReadonlyArray<Row>
): ReadonlyArray<{ readonly task: string; readonly wait: string; readonly kind: string }> => {
  const open = new Map<string, { readonly task: string; readonly wait: string; readonly kind: string }>()
  for (const { data, kind, stream } of rows) {
    const wait = String(data["wait"])
    if (kind === "WaitBegan") open.set(`${stream} ${wait}`, { task: stream, wait, kind: String(data["kind"]) })
    if (kind === "WaitEnded") open.delete(`${stream} ${wait}`)
    const ended = kind === "TaskMoved" && ["completed", "failed", "canceled"].includes(String(data["state"]))
    if (ended) for (const [key, { task }] of open) if (task === stream) open.delete(key)
  }
  return Array.from(open.values())
}

/** The numbers of a task's events, in the order of their rows. */
export const eventNumbers = (rows: ReadonlyArray<Row>, task: string): ReadonlyArray<number> =>
  rows.flatMap(({ data, kind, stream }) =>
    stream === task && (kind === "TaskSaid" || kind === "TaskMoved") ? [Number(data["sequence"])] : []
  )

/** The tasks that were accepted, each once. */
export const acceptedTasks = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows.flatMap(({ kind, stream }) => (kind === "TaskAccepted" ? [stream] : []))

/** Was a task rebuilt from what the platform knew? */
export const isRestored = (rows: ReadonlyArray<Row>): boolean =>
  rows.some(({ data, kind }) => kind === "TaskAccepted" && data["restored"] === true)

/** Tasks that have not ended. */
export const unfinishedTasks = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const ended = new Set(
    rows.flatMap(({ data, kind, stream }) =>
      kind === "TaskMoved" && ["completed", "failed", "canceled"].includes(String(data["state"])) ? [stream] : []
    )
  )
  return acceptedTasks(rows).filter((task) => !ended.has(task))
}

/** The kinds of rows that {@link heldTasks} looks at. */
export const holdKinds = ["TaskHeld", "TaskReleased"]

/** Tasks that are set aside. */
export const heldTasks = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const held = new Set<string>()
  for (const { kind, stream } of rows) {
    if (kind === "TaskHeld") held.add(stream)
    if (kind === "TaskReleased") held.delete(stream)
  }
  return Array.from(held)
}
