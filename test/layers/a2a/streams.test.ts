import { streamConformance } from "./streamConformance.ts"
import { storesAt } from "./streamStores.ts"

streamConformance("streams", storesAt)
