/**
 * What the relay's queue does by itself: room, leases that end, what is too old.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import { type AnswerHead, QueueFull } from "../../services/platform/RelayQueue.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as Dialect from "../sql/dialect.ts"
import { unavailable } from "./platformTables.ts"
import * as RelayNews from "./relayNews.ts"
import { HeadJson, relayLock } from "./relayRows.ts"

/** How long an answer is kept for the same message to ask again. */
const answeredFor = Duration.toMillis("10 minutes")

/** An entry that was given out so often without an answer is not given out again. */
const maxAttempts = 10

/** What the entries of one agent may take together, answers included; those that are answered go first. */
const maxBytes = 64 * 1024 * 1024

const Ids = Schema.Array(Schema.Struct({ place: Schema.Int, id: Schema.String, failed: Schema.Int }))
const Targets = Schema.Array(Schema.Struct({ target: WorkspaceId }))
const Sums = Schema.NonEmptyArray(
  Schema.Struct({ open: Schema.Int, open_bytes: Schema.Int, answered_bytes: Schema.Int })
)

const decodeIds = Schema.decodeUnknownEffect(Ids)
const decodeSums = Schema.decodeUnknownEffect(Sums)
const decodeTargets = Schema.decodeUnknownEffect(Targets)
const encodeHead = Schema.encodeEffect(HeadJson)

const json = { "content-type": "application/json" }
const platformAnswer = (status: number, body: object) => ({
  head: { status, headers: json },
  body: JSON.stringify(body)
})

const expired = platformAnswer(504, {
  error: "the agent did not take this message in time: it is no longer queued",
  code: "queue_expired"
})
const abandoned = platformAnswer(504, {
  error: `the agent took this message ${maxAttempts} times and never answered it`,
  code: "agent_timeout"
})
const removed = platformAnswer(404, { error: "workspace not found" })

/**
 * Makes the upkeep and begins it, for as long as the scope lives.
 *
 * **Details**
 *
 * `concerned` holds the agents that there are entries of, or were a moment ago; `tell` says that an entry has changed. The
 * effects belong into a transaction.
 */
export const make = Effect.fnUntraced(function* (queue: {
  readonly concerned: Set<WorkspaceId>
  readonly tell: (id: string) => void
}) {
  const sql = yield* SqlClient
  const { queueExpiry, queueLimit } = yield* PlatformSettings
  const { concerned, tell } = queue
  const now = Clock.currentTimeMillis
  const within = RelayNews.telling(Dialect.oneByOne(sql, relayLock))
  const { integer } = Dialect.of(sql)

  // An entry gets the answer that the platform gives in its agent's place. Whoever has read a part of another one is cut off.
  const closeRow = Effect.fnUntraced(function* (place: number, head: AnswerHead, body: string, failed: boolean) {
    yield* sql`DELETE FROM relay_parts WHERE entry = ${place}`
    yield* sql`INSERT INTO relay_parts (entry, sequence, body) VALUES (${place}, 0, ${body})`
    yield* sql`UPDATE relay_entries SET ${sql.update({
      state: "answered",
      answer: yield* encodeHead(head),
      answered_at: yield* now,
      answer_bytes: body.length,
      failed: failed ? 1 : 0,
      lease: null
    })}, generation = generation + CASE WHEN parts > 0 THEN 1 ELSE 0 END, parts = 1 WHERE place = ${place}`
  })

  const makeRoom = Effect.fnUntraced(function* (target: WorkspaceId, bytes: number) {
    const [sums] = yield* decodeSums(
      yield* sql`
      SELECT count(*) FILTER (WHERE state <> 'answered') AS open,
        CAST(coalesce(sum(length(body)) FILTER (WHERE state <> 'answered'), 0) AS ${integer}) AS open_bytes,
        CAST(coalesce(sum(length(body)) FILTER (WHERE state = 'answered'), 0)
          + coalesce(sum(answer_bytes), 0) AS ${integer}) AS answered_bytes
      FROM relay_entries WHERE target = ${target}`
    )
    if (sums.open >= queueLimit || sums.open_bytes + bytes > maxBytes)
      return yield* new QueueFull({ limit: queueLimit })
    if (sums.open_bytes + sums.answered_bytes + bytes > maxBytes)
      yield* sql`DELETE FROM relay_entries WHERE target = ${target} AND state = 'answered'`
  })

  const lapse = Effect.fnUntraced(function* (target: WorkspaceId, at: number) {
    const lapsed = yield* decodeIds(
      yield* sql`
      SELECT place, id, CASE WHEN attempts >= ${maxAttempts} THEN 1 ELSE 0 END AS failed FROM relay_entries
      WHERE target = ${target} AND state = 'held' AND lease_until < ${at}`
    )
    for (const { failed, id, place } of lapsed) {
      if (failed === 0) yield* sql`UPDATE relay_entries SET state = 'queued' WHERE place = ${place}`
      else {
        yield* closeRow(place, abandoned.head, abandoned.body, true)
        yield* RelayNews.afterwards(() => tell(id))
      }
    }
  })

  // What time alone changes, for all agents.
  const sweep = Effect.gen(function* () {
    if (concerned.size === 0) return
    const at = yield* now
    const late = yield* decodeIds(
      yield* sql`
      SELECT place, id, failed FROM relay_entries WHERE state <> 'answered' AND expires_at <= ${at}
        AND (state = 'queued' OR shown = 1 OR lease_until < ${at})`
    )
    for (const { id, place } of late) {
      yield* closeRow(place, expired.head, expired.body, true)
      yield* RelayNews.afterwards(() => tell(id))
    }
    const orphaned = yield* decodeIds(
      yield* sql`
      SELECT place, relay_entries.id, failed FROM relay_entries JOIN workspaces ON workspaces.id = target
      WHERE state <> 'answered' AND status = 'removed'`
    )
    for (const { id, place } of orphaned) {
      yield* closeRow(place, removed.head, removed.body, true)
      yield* RelayNews.afterwards(() => tell(id))
    }
    yield* sql`DELETE FROM relay_entries WHERE state = 'answered' AND answered_at < ${at - answeredFor}`
    const left = yield* decodeTargets(yield* sql`SELECT DISTINCT target FROM relay_entries`)
    concerned.clear()
    for (const { target } of left) concerned.add(target)
  }).pipe(
    within,
    Effect.catchTags(unavailable("sweep")),
    Effect.catch((error) => Effect.logError("the relay's queue could not be looked through", error))
  )

  // Who asked without a message has gone with the process that he asked, and who carried to listening agents as well.
  yield* Effect.gen(function* () {
    yield* sql`DELETE FROM relay_entries WHERE message_id IS NULL`
    yield* sql`UPDATE relay_entries SET state = 'queued' WHERE state = 'held'
      AND target IN (SELECT id FROM workspaces WHERE delivery = 'push')`
    const found = yield* decodeTargets(yield* sql`SELECT DISTINCT target FROM relay_entries`)
    for (const { target } of found) concerned.add(target)
  }).pipe(within)
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced(Duration.min(Duration.seconds(1), queueExpiry))))

  return { closeRow, lapse, makeRoom }
})
