/**
 * Workspaces in SQL.
 *
 * @module
 */
import * as DateTime from "effect/DateTime"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Hierarchy from "../../services/platform/Hierarchy.ts"
import { WorkspaceStatus } from "../../services/platform/PlatformSchemas.ts"
import * as StatusMachine from "../../services/platform/StatusMachine.ts"
import {
  HadToken,
  HasChildren,
  ParentRefused,
  UnknownWorkspace,
  type WorkspaceRecord,
  WorkspaceStore
} from "../../services/platform/WorkspaceStore.ts"
import { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import * as Dialect from "../sql/dialect.ts"
import * as PlatformTables from "./platformTables.ts"
import { insertToken } from "./tokenRows.ts"

/** US cents; more than any budget, and far from the limits of an integer column. */
const maxSpend = 1_000_000_000_000

const Rows = Schema.Array(PlatformTables.WorkspaceRow)
const Ids = Schema.Array(Schema.Struct({ id: WorkspaceId, name: Schema.String, status: WorkspaceStatus }))
const Edges = Schema.Array(Schema.Struct({ id: WorkspaceId, parent_id: Schema.NullOr(WorkspaceId) }))
const Count = Schema.NonEmptyArray(Schema.Struct({ count: Schema.Int }))
const cardJson = Schema.encodeEffect(Schema.fromJsonString(Schema.Json))
const now = Effect.map(DateTime.now, DateTime.toEpochMillis)

// The statuses from which silence leads somewhere, and where: all of it is one statement, so it has to be one place.
const silenced = WorkspaceStatus.literals.filter((status) => StatusMachine.next(status, "silence") !== status)

const make = Effect.gen(function* () {
  const sql = yield* SqlClient
  const random = yield* SecureRandom.SecureRandom
  const columns = sql.literal(PlatformTables.workspaceColumns)
  const { nth } = Dialect.of(sql)
  const rows = Schema.decodeUnknownEffect(Rows)

  const findRow = Effect.fnUntraced(function* (id: WorkspaceId) {
    const [row] = yield* rows(yield* sql`SELECT ${columns} FROM workspaces WHERE id = ${id}`)
    return row
  })
  const present = Effect.fnUntraced(function* (id: WorkspaceId) {
    const row = yield* findRow(id)
    return row === undefined || row.status === "removed" ? yield* new UnknownWorkspace({ id }) : row
  })

  // The walk is the pure function's; SQL only fetches what it may need. UNION, not UNION ALL: it ends on a circle too.
  const lineageOf = Effect.fnUntraced(function* (id: WorkspaceId) {
    const edges = yield* Schema.decodeUnknownEffect(Edges)(
      yield* sql`
        WITH RECURSIVE line (id, parent_id, depth) AS (
          SELECT id, parent_id, 0 FROM workspaces WHERE id = ${id}
          UNION
          SELECT workspaces.id, workspaces.parent_id, line.depth + 1
          FROM workspaces JOIN line ON workspaces.id = line.parent_id WHERE line.depth < ${Hierarchy.maxDepth}
        )
        SELECT id, parent_id FROM line`
    )
    if (edges.length === 0) return Option.none()
    const parents = new Map(edges.map((edge) => [edge.id, edge.parent_id]))
    return Option.some(Hierarchy.lineage(id, (at) => parents.get(at)))
  })

  const checkParent = Effect.fnUntraced(function* (child: WorkspaceId, parentId: WorkspaceId) {
    const parent = yield* findRow(parentId)
    if (parent === undefined || parent.status === "removed") {
      return yield* new ParentRefused({ detail: `there is no workspace ${parentId}` })
    }
    const line = yield* lineageOf(parentId)
    if (Option.isNone(line)) return
    if (Hierarchy.closesCircle(child, line.value)) {
      return yield* new ParentRefused({ detail: `${parentId} is this workspace or one of its descendants` })
    }
    if (line.value.ancestors.length + 1 >= Hierarchy.maxDepth) {
      return yield* new ParentRefused({ detail: `the tree may be ${Hierarchy.maxDepth} levels deep` })
    }
  })

  const subtree = Effect.fnUntraced(function* (id: WorkspaceId) {
    return yield* Schema.decodeUnknownEffect(Ids)(
      yield* sql`
        WITH RECURSIVE tree (id) AS (
          SELECT ${id} UNION SELECT workspaces.id FROM workspaces JOIN tree ON workspaces.parent_id = tree.id
        )
        SELECT id, name, status FROM workspaces WHERE id IN (SELECT id FROM tree)`
    )
  })

  const move = Effect.fnUntraced(function* (row: WorkspaceRecord, trigger: StatusMachine.Trigger) {
    const status = StatusMachine.next(row.status, trigger)
    if (status !== row.status)
      yield* sql`UPDATE workspaces SET status = ${status} WHERE id = ${row.id} AND status = ${row.status}`
  })

  const within = sql.withTransaction
  // Whether a parent fits depends on the whole tree; a workspace's first token, on whether there is another.
  const inTree = Dialect.oneByOne(sql, "platform/tree")
  const inTokens = Dialect.oneByOne(sql, "platform/tokens")

  return WorkspaceStore.of({
    create: Effect.fn("WorkspaceStore.create")(
      function* (workspace, token) {
        const id = WorkspaceId.make(yield* random.uuidV4())
        if (workspace.parent_id !== null) yield* checkParent(id, workspace.parent_id)
        const at = yield* now
        const status = workspace.url === "" ? "awaiting_agent" : "online"
        yield* sql`INSERT INTO workspaces ${sql.insert({ ...workspace, id, status, last_heard_at: at, created_at: at })}`
        if (token !== undefined) yield* insertToken(sql, id, token)
        const [row] = yield* Schema.decodeUnknownEffect(Schema.NonEmptyArray(PlatformTables.WorkspaceRow))(
          yield* sql`SELECT ${columns} FROM workspaces WHERE id = ${id}`
        )
        return row
      },
      inTree,
      Effect.catchTags(PlatformTables.unavailable("create"))
    ),

    find: Effect.fn("WorkspaceStore.find")(
      (id) => Effect.map(findRow(id), Option.fromUndefinedOr),
      Effect.catchTags(PlatformTables.unavailable("find"))
    ),

    list: Effect.suspend(
      () => sql`SELECT ${columns} FROM workspaces WHERE status <> 'removed' ORDER BY created_at, ${nth}`
    ).pipe(
      Effect.flatMap(rows),
      Effect.catchTags(PlatformTables.unavailable("list")),
      Effect.withSpan("WorkspaceStore.list")
    ),

    patch: Effect.fn("WorkspaceStore.patch")(
      function* (id, changes) {
        const row = yield* present(id)
        const parentId = changes.parent_id
        if (parentId !== undefined && parentId !== null) yield* checkParent(id, parentId)
        const given = Object.entries(changes).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, Predicate.isBoolean(value) ? Dialect.bit(value) : value] as const]
        )
        if (given.length > 0)
          yield* sql`UPDATE workspaces SET ${sql.update(Object.fromEntries(given))} WHERE id = ${row.id}`
      },
      inTree,
      Effect.catchTags(PlatformTables.unavailable("patch"))
    ),

    remove: Effect.fn("WorkspaceStore.remove")(
      function* (id, { cascade, purge }) {
        const tree = yield* subtree(id)
        const root = tree.find((member) => member.id === id)
        if (root === undefined) return yield* new UnknownWorkspace({ id })
        const children = yield* Schema.decodeUnknownEffect(Ids)(
          yield* sql`
            SELECT id, name, status FROM workspaces WHERE parent_id = ${id} AND status <> 'removed'
            ORDER BY created_at, ${nth}`
        )
        if (children.length > 0 && !cascade) {
          return yield* new HasChildren({ children: children.map(({ id, name }) => ({ id, name })) })
        }
        const ids = tree.map((member) => member.id)
        if (purge) {
          yield* sql`DELETE FROM workflow_checkpoints WHERE workspace_id IN ${sql.in(ids)}`
          yield* sql`DELETE FROM workspaces WHERE id IN ${sql.in(ids)}`
        } else {
          yield* sql`UPDATE workspaces SET status = 'removed', active_tasks = 0, current_task = '' WHERE id IN ${sql.in(ids)}`
          yield* sql`
            UPDATE workspace_tokens SET revoked_at = ${yield* now} WHERE revoked_at IS NULL AND workspace_id IN ${sql.in(ids)}`
        }
        return tree.filter((member) => member.id !== id && member.status !== "removed").length
      },
      inTree,
      Effect.catchTags(PlatformTables.unavailable("remove"))
    ),

    register: Effect.fn("WorkspaceStore.register")(
      function* (registration, firstToken) {
        const row = yield* present(registration.id)
        if (firstToken !== undefined) {
          const had = yield* sql`SELECT 1 FROM workspace_tokens WHERE workspace_id = ${row.id} LIMIT 1`
          if (had.length > 0) return yield* new HadToken()
          yield* insertToken(sql, row.id, firstToken)
        }
        const card = yield* cardJson(registration.agent_card)
        yield* sql`
          UPDATE workspaces SET url = ${registration.url}, delivery = ${registration.delivery}, agent_card = ${card},
            last_heard_at = ${yield* now} WHERE id = ${row.id}`
        yield* move(row, "register")
      },
      inTokens,
      Effect.catchTags(PlatformTables.unavailable("register"))
    ),

    beat: Effect.fn("WorkspaceStore.beat")(
      function* (beat) {
        const row = yield* present(beat.workspace_id)
        const spend = beat.monthly_spend ?? 0
        yield* sql`UPDATE workspaces SET ${sql.update({
          last_heard_at: yield* now,
          last_error_rate: beat.error_rate ?? 0,
          last_sample_error: beat.sample_error ?? "",
          active_tasks: beat.active_tasks ?? 0,
          current_task: beat.current_task ?? "",
          uptime_seconds: beat.uptime_seconds ?? 0,
          monthly_spend: spend > 0 ? Math.min(spend, maxSpend) : row.monthly_spend
        })} WHERE id = ${row.id}`
        yield* move(row, StatusMachine.beatTrigger(beat))
      },
      within,
      Effect.catchTags(PlatformTables.unavailable("beat"))
    ),

    setCard: Effect.fn("WorkspaceStore.setCard")(
      function* (id, card) {
        const row = yield* present(id)
        yield* sql`UPDATE workspaces SET agent_card = ${yield* cardJson(card)} WHERE id = ${row.id}`
      },
      within,
      Effect.catchTags(PlatformTables.unavailable("setCard"))
    ),

    noteOutbound: Effect.fn("WorkspaceStore.noteOutbound")(
      function* (id) {
        yield* sql`UPDATE workspaces SET last_outbound_at = ${DateTime.formatIso(yield* DateTime.now)} WHERE id = ${id}`
      },
      Effect.catchTag("SqlError", PlatformTables.unavailable("noteOutbound").SqlError)
    ),

    silence: Effect.fn("WorkspaceStore.silence")(
      function* (since) {
        const moved = yield* sql`
          UPDATE workspaces SET status = 'offline'
          WHERE status IN ${sql.in(silenced)} AND last_heard_at < ${DateTime.toEpochMillis(since)}
          RETURNING id, name, status`
        return (yield* Schema.decodeUnknownEffect(Ids)(moved)).map(({ id }) => id)
      },
      Effect.catchTags(PlatformTables.unavailable("silence"))
    ),

    peers: Effect.fn("WorkspaceStore.peers")(
      function* (id) {
        const { parent_id: parentId } = yield* present(id)
        return yield* rows(
          yield* sql`
            SELECT ${columns} FROM (
              SELECT *, ${nth} AS place, CASE WHEN id = ${parentId} THEN 2 WHEN parent_id = ${id} THEN 1 ELSE 0 END AS kin
              FROM workspaces
              WHERE status <> 'removed' AND id <> ${id} AND (parent_id IS NOT DISTINCT FROM ${parentId} OR parent_id = ${id} OR id = ${parentId})
            ) AS relatives ORDER BY kin, created_at, place`
        )
      },
      within,
      Effect.catchTags(PlatformTables.unavailable("peers"))
    ),

    lineage: Effect.fn("WorkspaceStore.lineage")(lineageOf, Effect.catchTags(PlatformTables.unavailable("lineage"))),

    countCheckpoints: Effect.fn("WorkspaceStore.countCheckpoints")(
      function* (id) {
        const [{ count }] = yield* Schema.decodeUnknownEffect(Count)(
          yield* sql`SELECT count(*) AS count FROM workflow_checkpoints WHERE workspace_id = ${id}`
        )
        return count
      },
      Effect.catchTags(PlatformTables.unavailable("countCheckpoints"))
    ),

    hasCheckpoint: Effect.fn("WorkspaceStore.hasCheckpoint")(
      function* (id, workflow, step) {
        const [{ count }] = yield* Schema.decodeUnknownEffect(Count)(
          yield* sql`
            SELECT count(*) AS count FROM workflow_checkpoints
            WHERE workspace_id = ${id} AND workflow_id = ${workflow} AND step_name = ${step}`
        )
        return count > 0
      },
      Effect.catchTags(PlatformTables.unavailable("hasCheckpoint"))
    )
  })
})

/**
 * Workspaces in the table `workspaces`.
 *
 * **Details**
 *
 * Purging also empties the table `workflow_checkpoints`, which `layers/durable/CheckpointSql` keeps in the same database:
 * the two go in one transaction.
 */
export const layer = Layer.effect(WorkspaceStore, make).pipe(Layer.provide(PlatformTables.layer))
