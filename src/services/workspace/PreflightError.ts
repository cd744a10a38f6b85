/**
 * What stands in the way of a workspace before it starts.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** One thing that is not as it must be, and what a person can do about it. */
export const PreflightProblem = Schema.Struct({ what: Schema.String, remedies: Schema.Array(Schema.String) })

/** The workspace does not start: every problem that was found, not the first alone. */
export class PreflightError extends Schema.TaggedError<PreflightError>()("PreflightError", {
  problems: Schema.Array(PreflightProblem)
}) {
  override get message() {
    return this.problems
      .map(({ remedies, what }) => [what, ...remedies.map((remedy) => `  - ${remedy}`)].join("\n"))
      .join("\n")
  }
}
