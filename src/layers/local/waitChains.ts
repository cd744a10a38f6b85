/**
 * Who waits for whom.
 *
 * @module
 */
import type { TaskState } from "../../services/durable/TaskStore.ts"
import type { Held, Wait, WaitLink } from "../../services/local/TaskBook.ts"

/** An open wait of a task. */
export interface Open {
  readonly id: string
  readonly wait: Wait
}

/** A task that is here. */
export interface Known {
  readonly state: TaskState
  readonly held?: typeof Held.Type
}

/**
 * Puts waits behind each other: where the value is to come from a task that is here, what that one waits for follows.
 *
 * **Details**
 *
 * A wait for which another one waits stands in the other's chain only. Tasks that wait for each other in a circle are shown
 * once, beginning with the oldest deadline; where the circle closes, `circle` says so.
 */
export const chains = (open: ReadonlyArray<Open>, tasks: ReadonlyMap<string, Known>): ReadonlyArray<WaitLink> => {
  const shown = new Set<string>()

  const linksOf = (id: string, above: ReadonlySet<string>): ReadonlyArray<WaitLink> => {
    const task = tasks.get(id)
    if (task === undefined) return []
    if (above.has(id)) return [{ id, ...task, circle: true, next: [] }]
    shown.add(id)
    const own = open.filter((one) => one.id === id)
    if (own.length === 0) return [{ id, ...task, circle: false, next: [] }]
    const path = new Set([...above, id])
    return own.map(({ wait }) => ({ id, ...task, wait, circle: false, next: linksOf(wait.from, path) }))
  }

  const awaited = new Set(open.map(({ wait }) => wait.from))
  const heads = open.filter(({ id }) => !awaited.has(id))
  return [...heads, ...open].flatMap(({ id }) => (shown.has(id) ? [] : linksOf(id, new Set())))
}
