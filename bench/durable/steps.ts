/**
 * The task that every system runs: three steps, and the clock that is read as each step's body begins.
 *
 * @module
 */
import { appendFileSync } from "node:fs"

/** The names of the steps, in order. */
export const stepNames = ["one", "two", "three"] as const
/** One of {@link stepNames}. */
export type StepName = (typeof stepNames)[number]

/** What a step answers. */
export const answerOf = (id: string, step: StepName): string => `${step} of ${id}`

/** What a task answers: all that its steps did, so that a system that lost or swapped one is found out. */
export const resultOf = (answers: ReadonlyArray<string>): string => answers.join(", ")

/** The bodies of the steps, with the times of all tasks. Times are milliseconds. */
export interface Steps {
  /** Called first in the body of a step. */
  readonly begin: (id: string) => void
  /** The rest of the body: the answer, after the effect outside if the steps have one. */
  readonly work: (id: string, step: StepName) => string
}

/** A {@link Steps}, and what it has measured. */
export interface Recorder extends Steps {
  readonly taskTimes: ReadonlyArray<number>
  readonly stepTimes: ReadonlyArray<number>
  readonly start: (id: string) => void
  /** Throws if the task did not do what it should: three bodies, each once, and the right answer. */
  readonly end: (id: string, result: string) => void
  /** Forgets what was measured so far. */
  readonly reset: () => void
}

/**
 * Makes the bodies and their clock. A step lasts from the beginning of its body to the beginning of the next body, or to
 * the end of the task: so whatever a system does to keep the step's result is part of the step, in each system alike.
 *
 * With `outside`, each step appends a line to that file before it answers.
 */
export const makeRecorder = (outside: string | undefined): Recorder => {
  const running = new Map<string, Array<number>>()
  const taskTimes: Array<number> = []
  const stepTimes: Array<number> = []
  return {
    taskTimes,
    stepTimes,
    begin: (id) => {
      running.get(id)?.push(performance.now())
    },
    work: (id, step) => {
      if (outside !== undefined) appendFileSync(outside, `${id} ${step}\n`)
      return answerOf(id, step)
    },
    start: (id) => {
      running.set(id, [performance.now()])
    },
    end: (id, result) => {
      const now = performance.now()
      const times = running.get(id) ?? []
      running.delete(id)
      if (times.length !== 1 + stepNames.length) throw new Error(`task ${id}: ${times.length - 1} bodies began, not 3`)
      const expected = resultOf(stepNames.map((step) => answerOf(id, step)))
      if (result !== expected) throw new Error(`task ${id} answered "${result}", not "${expected}"`)
      taskTimes.push(now - (times[0] ?? now))
      for (let i = 1; i < times.length; i++) stepTimes.push((times[i + 1] ?? now) - (times[i] ?? now))
    },
    reset: () => {
      taskTimes.length = 0
      stepTimes.length = 0
    }
  }
}
