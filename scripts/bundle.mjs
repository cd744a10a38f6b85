// `a2a` in one piece: a command line has to be there at once, and reading a hundred modules takes longer than running them.
import { rolldown } from "rolldown"
import { fileURLToPath } from "node:url"

/** Writes the program into a folder, as `a2a.js` and what it loads. */
export const bundle = async (dir, input = fileURLToPath(new URL("../src/programs/a2a.ts", import.meta.url))) => {
  const build = await rolldown({ input, platform: "node", treeshake: true, logLevel: "warn" })
  try {
    return await build.write({ dir, format: "esm", minify: true, chunkFileNames: "a2a-[hash].js" })
  } finally {
    await build.close()
  }
}
