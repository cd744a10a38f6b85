/**
 * Snapshots: many steps of one task in few checkpoints, after the outbox was full.
 *
 * @module
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { RestoredStep } from "../../services/durable/Restore.ts"

/** Steps with this prefix are parts of snapshots; executors' steps must not begin with it. */
export const prefix = "~snapshot/"

/** The JSON of a part, in characters; it grows on its way to the platform, which takes 1 MiB. A longer step goes alone. */
const partSize = 256 * 1024

/** A part, as a checkpoint of the workflow of its steps. */
export interface Part {
  readonly stepName: string
  readonly stepIndex: number
  readonly payload: Schema.Json
}

const Steps = Schema.Struct({
  steps: Schema.Array(Schema.Struct({ name: Schema.String, index: Schema.Int, payload: Schema.Json }))
})
const decode = Schema.decodeUnknownOption(Steps)

/** The steps in parts. Their names are of this row of this journal, so that the next snapshot replaces none of them. */
export const pack = (
  steps: ReadonlyArray<RestoredStep>,
  epoch: string,
  position: number,
  size = partSize
): ReadonlyArray<Part> => {
  const parts: Array<Array<RestoredStep>> = []
  let room = 0
  for (const { index, name, payload } of steps) {
    const step = { name, index, payload }
    const length = JSON.stringify(step).length
    const last = parts.at(-1)
    if (last === undefined || room < length) {
      parts.push([step])
      room = size - length
    } else {
      last.push(step)
      room -= length
    }
  }
  return parts.map((part, number) => ({
    stepName: `${prefix}${epoch}/${position}/${number}`,
    stepIndex: Math.max(...part.map(({ index }) => index)),
    payload: { steps: part.map(({ index, name, payload }) => ({ name, index, payload })) }
  }))
}

/** The steps of a part, or `None` for a checkpoint that is none. */
export const unpack = (stepName: string, payload: Schema.Json): Option.Option<ReadonlyArray<RestoredStep>> =>
  stepName.startsWith(prefix) ? Option.map(decode(payload), ({ steps }) => steps) : Option.none()
