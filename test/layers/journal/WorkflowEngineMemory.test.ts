/**
 * The engine that keeps nothing, against the suite that every engine is held to.
 */
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import { engineConformance } from "./engineConformance.ts"

engineConformance({
  name: "WorkflowEngine.layerMemory",
  layer: WorkflowEngine.layerMemory,
  gaps: [
    // A branch that waits suspends the run before its siblings have begun.
    "side by side with a wait they begin before the run is suspended, whichever comes first",
    "given by a branch of the workflow for which another branch already waits",
    "given by an activity of the workflow for which another branch already waits",
    "side by side, each by its own deadline",
    // A child wakes only the execution that began it.
    "two parents of one child both get its result",
    "a parent that joins a child somebody else began gets its result",
    // The scopes of runs that were replayed are closed at the end as well.
    "what is to be done at the end is done once, with the outcome, however often it was replayed",
    // Between the run that the wake-up ends and the next one there is only the former's interruption to be seen.
    "whoever looks in that moment sees an execution that has not ended, and no failure",
    // It sleeps for a time, and has no deadlines.
    "the wall clock is set a day forward: what is then due fires within a minute"
  ]
})
