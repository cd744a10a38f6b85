/**
 * The platform's address cannot be listened on.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** The server could not bind its address; `detail` says why and what to do. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  host: Schema.String,
  port: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `cannot listen on ${this.host}:${this.port}: ${this.detail}`
  }
}
