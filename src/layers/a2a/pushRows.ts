/**
 * The look-ups of push configurations: the projection tells where, the journal's rows tell what.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlSchema from "effect/sql/SqlSchema"
import { TaskPushNotificationConfig } from "../../services/a2a/A2AProtocol.ts"
import type { KeptConfig } from "../../services/a2a/PushConfigs.ts"
import { Journal } from "../../services/durable/Journal.ts"

const Row = Schema.Struct({
  id: Schema.String,
  task_id: Schema.String,
  row: Schema.Int,
  delivered: Schema.Int
})

/** A configuration and how far it has got. */
export interface Kept {
  readonly config: KeptConfig
  readonly version: "1.0" | "0.3"
  /** The last event that the receiver has, or that was given up. */
  readonly delivered: number
}

const decodeConfig = Schema.decodeUnknownEffect(TaskPushNotificationConfig)

/** Makes the look-ups. */
export const make = Effect.gen(function* () {
  const journal = yield* Journal
  const sql = yield* SqlClient
  const columns = sql.literal("id, task_id, row, delivered")
  const ofTask = (taskId: string) => sql`task = (SELECT number FROM streams WHERE name = ${taskId})`

  const byTask = SqlSchema.findAll({
    Request: Schema.String,
    Result: Row,
    execute: (taskId) => sql`SELECT ${columns} FROM push_configs WHERE ${ofTask(taskId)} ORDER BY id`
  })
  const open = SqlSchema.findAll({
    Request: Schema.Void,
    Result: Row,
    execute: () => sql`
      SELECT ${columns} FROM push_configs WHERE EXISTS (
        SELECT 1 FROM tasks WHERE tasks.number = push_configs.task AND (ended IS NULL OR delivered < (
          SELECT max(sequence) FROM task_events WHERE task_events.task = push_configs.task)))
      ORDER BY task, id`
  })
  const last = SqlSchema.findOneOption({
    Request: Schema.String,
    Result: Schema.Struct({ sequence: Schema.NullOr(Schema.Int) }),
    execute: (taskId) => sql`SELECT max(sequence) AS sequence FROM task_events WHERE ${ofTask(taskId)}`
  })
  const dead = SqlSchema.findAll({
    Request: Schema.String,
    Result: Schema.Struct({ id: Schema.String, sequence: Schema.Int, detail: Schema.String }),
    execute: (taskId) => sql`SELECT id, sequence, detail FROM push_dead WHERE ${ofTask(taskId)} ORDER BY sequence, id`
  })

  const keptOf = Effect.fnUntraced(function* ({ delivered, id, row, task_id: taskId }: typeof Row.Type) {
    const [found] = yield* journal.read(taskId, row - 1, 1)
    if (found?.record._tag !== "PushConfigured") return Option.none<Kept>()
    const { config, version } = found.record
    return Option.some<Kept>({ config: { ...(yield* decodeConfig(config)), id, taskId }, version, delivered })
  })
  const all = (rows: Effect.Effect<ReadonlyArray<typeof Row.Type>, Schema.SchemaError | SqlError>) =>
    Effect.map(Effect.flatMap(rows, Effect.forEach(keptOf)), (found) => found.flatMap(Option.toArray))

  return {
    ofTask: (taskId: string) => all(byTask(taskId)),
    /** Those that something is still to be pushed to. */
    open: Effect.suspend(() => all(open())),
    lastEvent: (taskId: string) =>
      Effect.map(last(taskId), (found) => Option.getOrElse(found, () => ({ sequence: null })).sequence ?? 0),
    dead
  }
})
