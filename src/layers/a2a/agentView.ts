/**
 * What somebody who reads a stream has seen of its task, and what they have missed when they find the task again.
 *
 * @module
 */
import {
  type AgentArtifact,
  type AgentPart,
  type AgentStreamItem,
  type AgentTask,
  isInterrupted,
  isTerminal
} from "../../services/a2a/AgentAnswer.ts"

/** The task as the items of a stream have told it so far. */
export interface AgentView {
  readonly taskId: () => string | undefined
  /** Whether the stream has come to its end: the task has ended or needs something, or there was a message. */
  readonly ended: () => boolean
  /** Takes an item in. */
  readonly take: (item: AgentStreamItem) => void
  /** Takes the task in as it is now, and gives the items that make up the difference. */
  readonly catchUp: (task: AgentTask) => ReadonlyArray<AgentStreamItem>
}

const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  const entries = Object.entries(a)
  const others = new Map(Object.entries(b))
  return (
    entries.length === others.size && entries.every(([key, value]) => others.has(key) && isSame(value, others.get(key)))
  )
}

const allText = (parts: ReadonlyArray<AgentPart>) => {
  let text = ""
  for (const part of parts) {
    if (!("text" in part)) return undefined
    text += part.text
  }
  return text
}

// The parts behind those that were seen; `undefined` if what was seen is not how it begins.
const restOf = (
  seen: ReadonlyArray<AgentPart>,
  now: ReadonlyArray<AgentPart>
): ReadonlyArray<AgentPart> | undefined => {
  if (seen.length <= now.length && seen.every((part, index) => isSame(part, now[index]))) return now.slice(seen.length)
  // Some agents join the pieces of a text.
  const before = allText(seen)
  const after = allText(now)
  if (before === undefined || after === undefined || !after.startsWith(before)) return undefined
  return after === before ? [] : [{ text: after.slice(before.length) }]
}

/** Nothing seen yet. */
export const make = (): AgentView => {
  let taskId: string | undefined
  let contextId = ""
  let status: AgentTask["status"] | undefined
  let message = false
  const artifacts = new Map<string, AgentArtifact>()

  const takeTask = (task: AgentTask) => {
    taskId = task.id
    contextId = task.contextId ?? contextId
    status = task.status
    artifacts.clear()
    for (const artifact of task.artifacts ?? []) artifacts.set(artifact.artifactId, artifact)
  }

  const take = (item: AgentStreamItem) => {
    if ("message" in item) {
      message = true
      taskId ??= item.message.taskId
    } else if ("task" in item) {
      takeTask(item.task)
    } else if ("statusUpdate" in item) {
      taskId = item.statusUpdate.taskId
      contextId = item.statusUpdate.contextId
      status = item.statusUpdate.status
    } else {
      const { append, artifact } = item.artifactUpdate
      taskId = item.artifactUpdate.taskId
      contextId = item.artifactUpdate.contextId
      const before = append === true ? artifacts.get(artifact.artifactId) : undefined
      artifacts.set(
        artifact.artifactId,
        before === undefined ? artifact : { ...before, parts: [...before.parts, ...artifact.parts] }
      )
    }
  }

  const catchUp = (task: AgentTask) => {
    const items: Array<AgentStreamItem> = []
    const ids = { taskId: task.id, contextId: task.contextId ?? contextId }
    for (const artifact of task.artifacts ?? []) {
      const seen = artifacts.get(artifact.artifactId)
      const rest = seen === undefined ? undefined : restOf(seen.parts, artifact.parts)
      if (rest?.length === 0) continue
      items.push({
        artifactUpdate: {
          ...ids,
          artifact: rest === undefined ? artifact : { ...artifact, parts: rest },
          append: rest !== undefined
        }
      })
    }
    if (status === undefined || status.state !== task.status.state || !isSame(status.message, task.status.message)) {
      items.push({ statusUpdate: { ...ids, status: task.status } })
    }
    takeTask(task)
    return items
  }

  return {
    taskId: () => taskId,
    ended: () => message || (status !== undefined && (isTerminal(status.state) || isInterrupted(status.state))),
    take,
    catchUp
  }
}
