/** Writes `docs/compatibility.md`: `npm run compatibility`. */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { document } from "./document.ts"

writeFileSync(fileURLToPath(new URL("../../docs/compatibility.md", import.meta.url)), document())
