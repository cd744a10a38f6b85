/**
 * The journal engine, against the suite that every engine is held to.
 */
import { engineConformance } from "./engineConformance.ts"
import { journalEngine } from "./journalEngine.ts"

engineConformance({
  ...journalEngine
})
