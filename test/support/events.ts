/** What events of a task say. */
import type { AgentEvent } from "../../src/services/durable/Step.ts"
import type { TaskEvent } from "../../src/services/durable/TaskStore.ts"

/** The text of an event, or its kind if it has none. */
export const saidBy = (event: AgentEvent | TaskEvent["event"]): string => {
  if (event._tag === "State") return event.state
  return "text" in event ? event.text : event._tag
}
