/**
 * The queue as a poller of the activity list reads it: a cursor, and answers that name nothing they answer.
 *
 * @module
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { type AnswerHead, CursorLost, type RelayQueue } from "../../services/platform/RelayQueue.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import { bodyText } from "./httpAnswers.ts"
import * as Dialect from "../sql/dialect.ts"
import { unavailable } from "./platformTables.ts"
import * as RelayNews from "./relayNews.ts"
import { columnsOf, relayLock, Shown } from "./relayRows.ts"

/** What was shown has no lease that ends: it is held until it is passed, answered, or expires. Milliseconds since 1970. */
const never = 8_640_000_000_000_000

const decodeShown = Schema.decodeUnknownEffect(Schema.Array(Shown))
const decodeCursors = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ inbox_id: Schema.NullOr(Schema.String), inbox_place: Schema.Int }))
)
const decodePlaces = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ place: Schema.Int })))
const decodePassed = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ place: Schema.Int, id: Schema.String, depth: Schema.Int }))
)

const toRow = ({ body, caller, enqueued_at: enqueuedAt, id, operation }: typeof Shown.Type) => ({
  id,
  caller,
  operation,
  body,
  enqueuedAt
})

/**
 * Makes the two operations. Within a transaction of its own `inbox` moves the cursor, closes what was passed, and shows
 * what comes next.
 *
 * **Details**
 *
 * Of each caller one message is shown at a time: what the poller says to that caller next can then only be meant for that
 * one. The page ends before the second, since a cursor passes everything before it.
 */
export const make = Effect.fnUntraced(function* (queue: {
  readonly attended: (id: string) => boolean
  readonly closeRow: (
    place: number,
    head: AnswerHead,
    body: string,
    failed: boolean
  ) => Effect.Effect<void, SqlError | Schema.SchemaError>
  readonly tell: (id: string) => void
}) {
  const sql = yield* SqlClient
  const random = yield* SecureRandom.SecureRandom
  const columns = sql.literal(columnsOf(Shown))

  // Everything up to here was taken by the poller; whoever still waits learns that nothing more is known.
  const pass = Effect.fnUntraced(function* (target: WorkspaceId, place: number) {
    const passed = yield* decodePassed(
      yield* sql`
      SELECT place, id, (SELECT count(*) FROM relay_entries WHERE target = ${target} AND state = 'queued') AS depth
      FROM relay_entries WHERE target = ${target} AND state = 'held' AND shown = 1 AND place <= ${place}`
    )
    for (const { depth, id, place: at } of passed) {
      const body = bodyText({
        queued: true,
        queue_id: id,
        queue_depth: depth,
        message: "the agent has taken the message; its answer, if there is one, comes as a message of its own"
      })
      yield* queue.closeRow(at, { status: 202, headers: { "content-type": "application/json" } }, body, false)
      yield* RelayNews.afterwards(() => queue.tell(id))
    }
  })

  const placeOf = Effect.fnUntraced(function* (target: WorkspaceId, since: string | undefined) {
    const [cursor] = yield* decodeCursors(yield* sql`SELECT inbox_id, inbox_place FROM workspaces WHERE id = ${target}`)
    const reached = cursor?.inbox_place ?? 0
    if (since === undefined || since === cursor?.inbox_id) return reached
    const [found] = yield* decodePlaces(
      yield* sql`SELECT place FROM relay_entries WHERE id = ${since} AND target = ${target} AND message_id IS NOT NULL`
    )
    if (found === undefined) return yield* new CursorLost()
    if (found.place > reached) {
      yield* sql`UPDATE workspaces SET inbox_id = ${since}, inbox_place = ${found.place} WHERE id = ${target}`
      yield* pass(target, found.place)
    }
    return found.place
  })

  const inbox: RelayQueue["Service"]["inbox"] = Effect.fn("RelayQueue.inbox")(
    function* (target, { before, limit, peer, since }) {
      const after = yield* placeOf(target, since)
      const rows = yield* decodeShown(
        yield* sql`
        SELECT ${columns} FROM relay_entries WHERE target = ${target} AND place > ${after} AND message_id IS NOT NULL
          AND (state = 'queued' OR (state = 'held' AND shown = 1))
          ${peer === undefined ? sql.literal("") : sql`AND caller = ${peer}`}
          ${before === undefined ? sql.literal("") : sql`AND enqueued_at < ${before}`}
        ORDER BY place LIMIT ${limit}`
      )
      const callers = new Set<string>()
      const end = rows.findIndex(({ caller }) => callers.size === callers.add(caller).size)
      const page = end === -1 ? rows : rows.slice(0, end)
      for (const { place } of page) {
        yield* sql`UPDATE relay_entries SET state = 'held', shown = 1, lease = ${yield* random.uuidV4()},
          lease_until = ${never}, attempts = attempts + 1 WHERE place = ${place} AND shown = 0`
      }
      return page.map(toRow)
    },
    RelayNews.telling(Dialect.oneByOne(sql, relayLock)),
    Effect.catchTags(unavailable("inbox"))
  )

  const shown: RelayQueue["Service"]["shown"] = Effect.fn("RelayQueue.shown")(
    function* (target, caller) {
      const [row] = yield* decodeShown(
        yield* sql`
      SELECT ${columns} FROM relay_entries WHERE target = ${target} AND caller = ${caller}
        AND state = 'held' AND shown = 1 ORDER BY place LIMIT 1`
      )
      return row === undefined || row.lease === null || !queue.attended(row.id)
        ? Option.none()
        : Option.some({ ...toRow(row), lease: row.lease })
    },
    Effect.catchTags(unavailable("shown"))
  )

  const latest: RelayQueue["Service"]["latest"] = Effect.fn("RelayQueue.latest")(
    function* (target, limit) {
      const rows = yield* decodeShown(
        yield* sql`
      SELECT ${columns} FROM relay_entries WHERE target = ${target} AND message_id IS NOT NULL
      ORDER BY place DESC LIMIT ${limit}`
      )
      return rows.map(toRow)
    },
    Effect.catchTags(unavailable("latest"))
  )

  return { inbox, latest, shown }
})
