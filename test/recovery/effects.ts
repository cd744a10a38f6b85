/**
 * The file in which the agent of the recovery runs has its effects: outside of the journal, and never rolled back.
 *
 * @module
 */

/** The variables by which the harness speaks to the agent. */
export const effectsVariable = "RECOVERY_EFFECTS"
export const gatesVariable = "RECOVERY_GATES"
export const codeVariable = "RECOVERY_CODE"
/** Set where each step waits for its turn: a gate that is called {@link turnOf} the step. */
export const turnsVariable = "RECOVERY_TURNS"

/** The gate of a step. */
export const turnOf = (step: string): string => `turn-${step}`

/** One run of a step, as far as its effect outside. */
export interface EffectLine {
  readonly task: string
  readonly step: string
  readonly attempt: number
  readonly effectId: string
}

/** A line of the file. */
export const formatEffect = ({ attempt, effectId, step, task }: EffectLine): string =>
  `${task} ${step} ${attempt} ${effectId}\n`

/** The lines of the file, in the order in which the effects happened. */
export const parseEffects = (text: string): ReadonlyArray<EffectLine> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [task = "", step = "", attempt = "", effectId = ""] = line.split(" ")
      return { task, step, attempt: Number(attempt), effectId }
    })
