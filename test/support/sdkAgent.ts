/**
 * An agent made with the A2A project's own SDK (`sdkAgent.mjs`), and a way to it that can be cut.
 */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { connect, createServer, type Socket } from "node:net"
import { portOf } from "./scriptedPeer.ts"
import { fileURLToPath } from "node:url"

export interface SdkAgentOptions {
  /** Where the card says that the agent is. */
  readonly base?: string
  readonly bindings?: ReadonlyArray<"JSONRPC" | "HTTP+JSON" | "GRPC">
  readonly chunkMillis?: number
  readonly port?: number
  readonly streaming?: boolean
  readonly tenant?: string
  /** Without it as a bearer token: 401. */
  readonly token?: string
  readonly version?: "1.0" | "0.3"
}

/** What the agent has worked on, and the headers of the last request to it. */
export interface Seen {
  readonly executions: number
  readonly messages: ReadonlyArray<{
    readonly text: string
    readonly messageId: string
    readonly parts: number
    readonly metadata?: Readonly<Record<string, unknown>>
  }>
  readonly headers: Readonly<Record<string, string | undefined>>
}

const script = fileURLToPath(new URL("sdkAgent.mjs", import.meta.url))

const started = (child: ChildProcess) =>
  Effect.callback<number, string>((resume) => {
    let said = ""
    child.stdout?.on("data", (chunk) => {
      said += String(chunk)
      if (said.endsWith("\n")) resume(Effect.succeed(Number(said)))
    })
    child.once("exit", (code) => resume(Effect.fail(`the SDK's agent ended with ${code}`)))
  })

/** The agent as a process of its own, until the scope ends. */
export const startSdkAgent = Effect.fnUntraced(function* (options: SdkAgentOptions = {}) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit", "ipc"] })
    ),
    (running) => Effect.sync(() => running.kill("SIGKILL"))
  )
  const port = yield* started(child)
  const url = `http://127.0.0.1:${port}`
  const seen = Effect.promise(async (): Promise<Seen> => {
    const response = await fetch(`${url}/seen`)
    return JSON.parse(await response.text())
  })
  return { port, url, seen }
})

/**
 * A TCP proxy: connection n is cut after `cuts[n]` bytes of answers, those beyond the list never. `target` may be set later.
 */
export const cuttingProxy = Effect.fnUntraced(function* (cuts: ReadonlyArray<number>) {
  const sockets = new Set<Socket>()
  const state = { target: 0, connections: 0, cut: 0 }
  const server = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const made = createServer((inbound) => {
        const limit = cuts[state.connections++] ?? Number.POSITIVE_INFINITY
        const outbound = connect(state.target, "127.0.0.1")
        let passed = 0
        for (const socket of [inbound, outbound]) {
          sockets.add(socket)
          socket.on("error", () => {})
          socket.on("close", () => {
            sockets.delete(socket)
            inbound.destroy()
            outbound.destroy()
          })
        }
        inbound.on("data", (chunk) => outbound.write(chunk))
        outbound.on("data", (chunk) => {
          if (passed + chunk.length < limit) {
            passed += chunk.length
            inbound.write(chunk)
            return
          }
          state.cut++
          inbound.write(chunk.subarray(0, limit - passed), () => inbound.destroy())
        })
      })
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        made.close()
      })
  )
  return { url: `http://127.0.0.1:${portOf(server)}`, state }
})
