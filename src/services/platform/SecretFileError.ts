/**
 * A secret of the platform that cannot be had.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** A secret file could not be read, made, or understood: the platform does not start without it. */
export class SecretFileError extends Schema.TaggedError<SecretFileError>()("SecretFileError", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.path}: ${this.detail}`
  }
}
