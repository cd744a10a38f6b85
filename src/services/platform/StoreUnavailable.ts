/**
 * The one way in which the platform's own database fails.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/**
 * The database could not be read or written; the same call may succeed later. To a client it is a 503, whatever it asked:
 * never an open door, and never a 401.
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `the platform's database failed in ${this.operation}: ${String(this.cause)}`
  }
}
