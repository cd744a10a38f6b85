/**
 * This agent as others see it.
 *
 * @module
 */
import * as Context from "effect/Context"
import type { AgentCard } from "./A2AApi.ts"

/** The card of the agent that runs in this process, with the address at which it really listens. */
export class LocalAgent extends Context.Service<LocalAgent, { readonly card: AgentCard }>()(
  "molecule-effect/services/a2a/LocalAgent"
) {}
