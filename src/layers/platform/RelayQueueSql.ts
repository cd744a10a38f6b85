/**
 * The relay's queue in SQL, with its news in memory.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { PlatformSettings } from "../../services/platform/PlatformSettings.ts"
import {
  AnswerTooLarge,
  EntryGone,
  EntryTaken,
  PartOutOfOrder,
  RelayQueue
} from "../../services/platform/RelayQueue.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as Dialect from "../sql/dialect.ts"
import { unavailable } from "./platformTables.ts"
import { bodyText } from "./httpAnswers.ts"
import * as PlatformTables from "./platformTables.ts"
import * as RelayInbox from "./relayInbox.ts"
import * as RelayNews from "./relayNews.ts"
import * as RelayUpkeep from "./relayUpkeep.ts"
import { Carried, columnsOf, HeadersJson, HeadJson, Judged, relayLock, Watched } from "./relayRows.ts"

const everyone = ""

const Ids = Schema.Array(Schema.Struct({ place: Schema.Int, id: Schema.String, failed: Schema.Int }))
const Targets = Schema.Array(Schema.Struct({ target: WorkspaceId }))
const Due = Schema.NonEmptyArray(Schema.Struct({ due: Schema.NullOr(Schema.Int) }))
const Bodies = Schema.Array(Schema.Struct({ body: Schema.String }))

const decodeIds = Schema.decodeUnknownEffect(Ids)
const decodeBefore = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ place: Schema.Int, id: Schema.String, failed: Schema.Int, body: Schema.String }))
)
const decodeTargets = Schema.decodeUnknownEffect(Targets)
const decodeDue = Schema.decodeUnknownEffect(Due)
const decodeBodies = Schema.decodeUnknownEffect(Bodies)
const decodeCarried = Schema.decodeUnknownEffect(Schema.Array(Carried))
const decodeJudged = Schema.decodeUnknownEffect(Schema.Array(Judged))
const decodeWatched = Schema.decodeUnknownEffect(Schema.Array(Watched))
const encodeHeaders = Schema.encodeEffect(HeadersJson)
const encodeHead = Schema.encodeEffect(HeadJson)

const json = { "content-type": "application/json" }

const make = Effect.gen(function* () {
  const sql = yield* SqlClient
  const random = yield* SecureRandom.SecureRandom
  const { maxAgentAnswerBytes, queueExpiry, queueWait } = yield* PlatformSettings
  const entries = RelayNews.make()
  const arrivals = RelayNews.make()
  const attended = new Map<string, number>()
  // Agents for which there may be entries: the answer for most requests, without a look at the database.
  const concerned = new Set<WorkspaceId>()
  // Those that something has come for, for each that listens to all.
  const fresh = new Set<Set<WorkspaceId>>()

  const now = Clock.currentTimeMillis
  const within = RelayNews.telling(Dialect.oneByOne(sql, relayLock))
  const carried = sql.literal(columnsOf(Carried))
  const judged = sql.literal(columnsOf(Judged))

  const announce = (target: WorkspaceId) =>
    Effect.sync(() => {
      concerned.add(target)
      for (const one of fresh) one.add(target)
      arrivals.tell(target)
      arrivals.tell(everyone)
    })

  const { closeRow, lapse, makeRoom } = yield* RelayUpkeep.make({ concerned, tell: entries.tell })

  const find = Effect.fnUntraced(function* (target: WorkspaceId, id: string) {
    const [row] = yield* decodeJudged(
      yield* sql`SELECT ${judged} FROM relay_entries WHERE id = ${id} AND target = ${target}`
    )
    return row === undefined ? yield* new EntryGone({ id }) : row
  })

  const inbox = yield* RelayInbox.make({ attended: (id) => attended.has(id), closeRow, tell: entries.tell })

  return RelayQueue.of({
    ...inbox,

    enqueue: Effect.fn("RelayQueue.enqueue")(
      function* ({ caller, message, notBefore, operation, request, target }) {
        const at = yield* now
        if (message !== undefined) {
          const [before] = yield* decodeBefore(
            yield* sql`
            SELECT place, id, failed, body FROM relay_entries WHERE target = ${target} AND caller = ${caller}
              AND operation = ${operation} AND message_id = ${message.id}`
          )
          if (before?.failed === 0) return { id: before.id, isNew: false, body: before.body }
          if (before !== undefined) yield* sql`DELETE FROM relay_entries WHERE place = ${before.place}`
        }
        yield* makeRoom(target, request.body.length)
        const id = yield* random.uuidV4()
        yield* sql`INSERT INTO relay_entries ${sql.insert({
          id,
          target,
          caller,
          operation,
          message_id: message?.id ?? null,
          context_id: message?.contextId ?? null,
          method: request.method,
          path: request.path,
          headers: yield* encodeHeaders(request.headers),
          body: request.body,
          not_before: notBefore ?? at,
          enqueued_at: at,
          expires_at: at + Duration.toMillis(message === undefined ? queueWait : queueExpiry)
        })}`
        return { id, isNew: true, body: request.body }
      },
      within,
      (effect, { target }) => Effect.tap(effect, ({ isNew }) => (isNew ? announce(target) : Effect.void)),
      Effect.catchTags(unavailable("enqueue"))
    ),

    mayConcern: (target) => concerned.has(target),

    concerns: Effect.fn("RelayQueue.concerns")(
      function* ({ caller, message, operation, target }) {
        if (message === undefined) return false
        const found = yield* sql`
          SELECT 1 FROM relay_entries WHERE target = ${target} AND caller = ${caller}
            AND operation = ${operation} AND message_id = ${message.id} AND failed = 0
          UNION ALL
          SELECT 1 FROM relay_entries WHERE target = ${target} AND context_id = ${message.contextId ?? null}
            AND state <> 'answered' LIMIT 1`
        return found.length > 0
      },
      Effect.catchTag("SqlError", unavailable("concerns").SqlError)
    ),

    status: Effect.fn("RelayQueue.status")(
      function* (id) {
        const [row] = yield* decodeWatched(
          yield* sql`
        SELECT state, answer, parts, generation, failed, (
          SELECT count(*) FROM relay_entries AS other WHERE other.target = entry.target AND other.state <> 'answered'
        ) AS depth FROM relay_entries AS entry WHERE id = ${id}`
        )
        if (row === undefined) return Option.none()
        const { answer, depth, failed, generation, parts, state } = row
        return Option.some({
          answer: answer ?? undefined,
          complete: state === "answered",
          parts,
          generation,
          byPlatform: failed,
          depth
        })
      },
      Effect.catchTags(unavailable("status"))
    ),

    parts: Effect.fn("RelayQueue.parts")(
      function* (id, from) {
        const rows = yield* decodeBodies(
          yield* sql`
        SELECT relay_parts.body FROM relay_parts JOIN relay_entries ON entry = place
        WHERE id = ${id} AND sequence >= ${from} ORDER BY sequence LIMIT 64`
        )
        return rows.map(({ body }) => body)
      },
      Effect.catchTags(unavailable("parts"))
    ),

    changes: entries.subscribe,
    arrivals: arrivals.subscribe,

    attend: (id) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => attended.set(id, (attended.get(id) ?? 0) + 1)),
          () => {
            const left = (attended.get(id) ?? 1) - 1
            if (left > 0) return Effect.sync(() => attended.set(id, left))
            attended.delete(id)
            return sql`DELETE FROM relay_entries WHERE id = ${id} AND message_id IS NULL`.pipe(
              Effect.catch((error) => Effect.logError("an entry of the relay's queue was not removed", error))
            )
          }
        )
      ),

    take: Effect.fn("RelayQueue.take")(
      function* (target, { lease, limit }) {
        const at = yield* now
        yield* lapse(target, at)
        const rows = yield* decodeCarried(
          yield* sql`
          SELECT ${carried} FROM relay_entries AS entry
          WHERE target = ${target} AND state = 'queued' AND not_before <= ${at} AND expires_at > ${at}
            AND (context_id IS NULL OR NOT EXISTS (
              SELECT 1 FROM relay_entries AS before WHERE before.target = entry.target
                AND before.context_id = entry.context_id AND before.state <> 'answered' AND before.place < entry.place
            ))
          ORDER BY place LIMIT ${limit}`
        )
        return yield* Effect.forEach(
          rows,
          Effect.fnUntraced(function* (row) {
            const key = yield* random.uuidV4()
            // What its former holder has said of an answer is void.
            if (row.parts > 0) {
              yield* sql`DELETE FROM relay_parts WHERE entry = ${row.place}`
              yield* RelayNews.afterwards(() => entries.tell(row.id))
            }
            yield* sql`UPDATE relay_entries SET state = 'held', lease = ${key}, lease_until = ${at + lease},
              attempts = attempts + 1, generation = generation + CASE WHEN parts > 0 THEN 1 ELSE 0 END, parts = 0, answer = NULL, answer_bytes = 0
              WHERE place = ${row.place}`
            const { attempts, body, caller, enqueued_at, expires_at, headers, id, method, path } = row
            return {
              id,
              target,
              caller,
              request: { method, path, headers, body },
              attempt: attempts + 1,
              lease: key,
              enqueuedAt: enqueued_at,
              expiresAt: expires_at
            }
          })
        )
      },
      within,
      Effect.catchTags(unavailable("take"))
    ),

    renew: Effect.fn("RelayQueue.renew")(
      function* (target, id, lease, millis) {
        const row = yield* find(target, id)
        if (row.lease !== lease || row.state === "answered") return yield* new EntryTaken({ id })
        yield* sql`UPDATE relay_entries SET state = 'held', lease_until = ${(yield* now) + millis} WHERE place = ${row.place}`
      },
      within,
      Effect.catchTags(unavailable("renew"))
    ),

    answer: Effect.fn("RelayQueue.answer")(
      function* (target, id, { body, done, head, lease, millis, sequence }) {
        const { answer_bytes, parts, place, state, ...row } = yield* find(target, id)
        if (row.lease !== lease) return yield* new EntryTaken({ id })
        if (sequence < parts) return undefined
        if (state === "answered") return yield* new EntryTaken({ id })
        if (sequence > parts) return yield* new PartOutOfOrder({ expected: parts })
        const bytes = answer_bytes + body.length
        if (bytes > maxAgentAnswerBytes) {
          const error = `agent response is larger than ${maxAgentAnswerBytes} bytes`
          const refused = bodyText({ error, delivery_confirmed: true })
          yield* closeRow(place, { status: 502, headers: json }, refused, true)
          return new AnswerTooLarge({ limit: maxAgentAnswerBytes })
        }
        const at = yield* now
        yield* sql`INSERT INTO relay_parts (entry, sequence, body) VALUES (${place}, ${sequence}, ${body})`
        yield* sql`UPDATE relay_entries SET ${sql.update({
          state: done ? "answered" : "held",
          lease_until: at + millis,
          parts: parts + 1,
          answer_bytes: bytes,
          ...(sequence === 0 ? { answer: yield* encodeHead(head ?? { status: 200, headers: json }) } : undefined),
          ...(done ? { answered_at: at } : undefined)
        })} WHERE place = ${place}`
        return undefined
      },
      within,
      (effect, target, id, { done }) =>
        Effect.flatMap(effect, (refused) => {
          entries.tell(id)
          // The next of its context may go.
          if (done || refused !== undefined) arrivals.tell(target)
          return refused === undefined ? Effect.void : Effect.fail(refused)
        }),
      Effect.catchTags(unavailable("answer"))
    ),

    release: Effect.fn("RelayQueue.release")(
      function* (id, lease, notBefore) {
        const given = yield* sql`UPDATE relay_entries SET state = 'queued', not_before = ${notBefore}
        WHERE id = ${id} AND lease = ${lease} AND state = 'held' AND message_id IS NOT NULL RETURNING id`
        return given.length > 0
      },
      Effect.catchTag("SqlError", unavailable("release").SqlError)
    ),

    close: Effect.fn("RelayQueue.close")(
      function* (id, head, body) {
        const [row] = yield* decodeIds(yield* sql`SELECT place, id, failed FROM relay_entries WHERE id = ${id}`)
        if (row !== undefined) yield* closeRow(row.place, head, body, true)
      },
      within,
      (effect, id) =>
        Effect.tap(
          effect,
          Effect.sync(() => entries.tell(id))
        ),
      Effect.catchTags(unavailable("close"))
    ),

    nextDue: Effect.fn("RelayQueue.nextDue")(
      function* (target) {
        const [{ due }] = yield* decodeDue(
          yield* sql`
        SELECT min(CASE state WHEN 'held' THEN lease_until ELSE not_before END) AS due FROM relay_entries
        WHERE target = ${target} AND state <> 'answered'`
        )
        return Option.fromNullOr(due)
      },
      Effect.catchTags(unavailable("nextDue"))
    ),

    waiting: Effect.suspend(() => sql`SELECT DISTINCT target FROM relay_entries WHERE state <> 'answered'`).pipe(
      Effect.flatMap(decodeTargets),
      Effect.map((rows) => rows.map(({ target }) => target)),
      Effect.catchTags(unavailable("waiting"))
    ),

    anyArrival: Effect.acquireRelease(
      Effect.sync(() => {
        const set = new Set<WorkspaceId>()
        fresh.add(set)
        return set
      }),
      (set) => Effect.sync(() => fresh.delete(set))
    ).pipe(
      Effect.zip(arrivals.subscribe(everyone)),
      Effect.map(([mine, news]) =>
        Effect.map(news, () => {
          const all = [...mine]
          mine.clear()
          return all
        })
      )
    ),

    wake: Effect.fn("RelayQueue.wake")(
      function* (target, options) {
        if (!concerned.has(target)) return
        if (options?.now === true)
          yield* sql`UPDATE relay_entries SET not_before = 0 WHERE target = ${target} AND state = 'queued'`
        yield* announce(target)
      },
      Effect.catchTag("SqlError", unavailable("wake").SqlError)
    )
  })
})

/** The queue in the tables `relay_entries` and `relay_parts`, beside the workspaces. One process at a time. */
export const layer = Layer.effect(RelayQueue, make).pipe(Layer.provide(PlatformTables.layer))
