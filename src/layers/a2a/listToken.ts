/**
 * Where a list of tasks goes on: the last task of the page before, as text that only we read.
 *
 * @module
 */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { TaskQuery } from "../../services/durable/TaskStore.ts"

const Place = Schema.fromJsonString(Schema.Tuple([Schema.Int, Schema.String]))
const decode = Schema.decodeUnknownOption(Place)

/** The text. */
export const write = ({ taskId, updatedAt }: NonNullable<TaskQuery["after"]>): string =>
  Base64Url.encode(`[${updatedAt},"${taskId}"]`)

/** The place; `undefined` for a text that {@link write} did not make. */
export const read = (token: string): TaskQuery["after"] => {
  const text = Result.getOrUndefined(Base64Url.decodeString(token))
  const place = Option.getOrUndefined(decode(text))
  return place === undefined ? undefined : { updatedAt: place[0], taskId: place[1] }
}
