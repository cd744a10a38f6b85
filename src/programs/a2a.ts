/**
 * `a2a`: any A2A agent, and the peers of this workspace, from the command line.
 *
 * @module
 */
import { enableCompileCache } from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"

// A fifth of the time to start is compilation, which is the same each time. The folder is the user's own: what lies in a
// shared one could be anybody's.
enableCompileCache(join(homedir(), ".cache", "molecule-effect"))
const { main } = await import("./a2aMain.ts")
main()
