/** Writes `docs/a2a-conformance.md`: `npm run conformance`. */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { document } from "./document.ts"

writeFileSync(fileURLToPath(new URL("../../docs/a2a-conformance.md", import.meta.url)), document())
