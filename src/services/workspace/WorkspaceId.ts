/**
 * The identity of a workspace.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/**
 * A workspace's id: a UUID in lower case, made by the platform when the workspace is created.
 *
 * **Details**
 *
 * The platform's original accepts five spellings of a UUID in one place and any string in another; here one spelling is
 * valid everywhere, so that an id may be compared as text and used in a path or a file name.
 *
 * **Example**
 *
 * ```ts
 * const id = WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee")
 * ```
 */
export const WorkspaceId = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, {
    message: "a workspace id is a UUID in lower case, such as bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee"
  })
).pipe(Schema.brand("WorkspaceId"))

/** The type of {@link WorkspaceId}. */
export type WorkspaceId = typeof WorkspaceId.Type
