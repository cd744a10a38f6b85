/**
 * Who may talk to whom: a pure function of where two workspaces stand in the tree.
 *
 * @module
 */
import type { WorkspaceId } from "../workspace/WorkspaceId.ts"

/** How many steps up the tree anyone looks. A tree that is deeper connects only what lies within this distance. */
export const maxDepth = 32

/** A workspace's place: itself, and its ancestors from the parent upwards, at most {@link maxDepth}. */
export interface Lineage {
  readonly id: WorkspaceId
  readonly ancestors: ReadonlyArray<WorkspaceId>
}

/**
 * Walks from a workspace to its root.
 *
 * **Details**
 *
 * Ends at a root, at an id that `parentOf` does not know, after {@link maxDepth} steps, or where the walk would come by an
 * id for the second time: stored cycles are refused on writing, but a walk must end even on a database that has one.
 */
export const lineage = (id: WorkspaceId, parentOf: (id: WorkspaceId) => WorkspaceId | null | undefined): Lineage => {
  const ancestors: Array<WorkspaceId> = []
  const seen = new Set<WorkspaceId>([id])
  let next = parentOf(id)
  while (next !== null && next !== undefined && !seen.has(next) && ancestors.length < maxDepth) {
    ancestors.push(next)
    seen.add(next)
    next = parentOf(next)
  }
  return { id, ancestors }
}

/**
 * May these two talk to each other? Yes if they are the same, siblings (two roots are siblings), or one is an ancestor of
 * the other. Cousins, uncles, and members of different trees may not. The relation is symmetric, and status plays no part.
 */
export const mayTalk = (a: Lineage, b: Lineage): boolean =>
  a.id === b.id || a.ancestors[0] === b.ancestors[0] || a.ancestors.includes(b.id) || b.ancestors.includes(a.id)

/** Would `child` under the parent with this lineage close a circle? */
export const closesCircle = (child: WorkspaceId, parent: Lineage): boolean =>
  child === parent.id || parent.ancestors.includes(child)
