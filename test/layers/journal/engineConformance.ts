/**
 * One conformance suite for every `WorkflowEngine`.
 */
import { describe } from "@effect/vitest"
import { activities } from "./engineConformance/activities.ts"
import { children } from "./engineConformance/children.ts"
import { clocks } from "./engineConformance/clocks.ts"
import { deferreds } from "./engineConformance/deferreds.ts"
import { durability } from "./engineConformance/durability.ts"
import { durableChildren } from "./engineConformance/durableChildren.ts"
import { executions } from "./engineConformance/executions.ts"
import { interrupts } from "./engineConformance/interrupts.ts"
import { recovery } from "./engineConformance/recovery.ts"
import { type EngineUnderTest, makeSuite } from "./engineConformance/suite.ts"
import { encodedValues } from "./engineConformance/values.ts"
import { wakeups } from "./engineConformance/wakeups.ts"
import { writes } from "./engineConformance/writes.ts"

export type { EngineUnderTest, Gate, GatedStorage, Storage } from "./engineConformance/suite.ts"

/** What every workflow engine does. Each test has an engine, and where it has one a storage, of its own. */
export const engineConformance = (engine: EngineUnderTest) =>
  describe(engine.name, () => {
    const suite = makeSuite(engine)
    executions(suite)
    activities(suite)
    encodedValues(suite)
    deferreds(suite)
    clocks(suite)
    interrupts(suite)
    children(suite)
    wakeups(suite)
    durability(suite)
    durableChildren(suite)
    recovery(suite)
    writes(suite)
  })
