/**
 * The measuring itself, in rounds of any size: the whole bench, and its smoke test.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { serve } from "../support/child.ts"
import {
  type FleetKind,
  FleetOrder,
  FleetResult,
  type FleetRow,
  type Kind,
  LoadOrder,
  LoadResult,
  Relay,
  RelayOrder,
  ServerOrder,
  Serving,
  type SystemName
} from "./model.ts"
import { type Measured, titles } from "./report.ts"

/** How much is measured. */
export interface Size {
  readonly connections: number
  readonly rounds: number
  readonly warmUpSeconds: number
  readonly seconds: number
  readonly fleet: Pick<FleetOrder, "streams" | "events" | "every" | "delay">
  readonly relay: Pick<RelayOrder, "requests" | "rounds">
}

const program = (name: string) => new URL(name, import.meta.url)
const say = (text: string) => Effect.sync(() => process.stderr.write(text))

// Runs a program that answers by one line.
const ask = Effect.fnUntraced(function* <A, AI, B, BI>(
  name: string,
  order: readonly [Schema.Codec<A, AI>, A],
  answer: Schema.Codec<B, BI>
) {
  const argument = yield* Schema.encodeEffect(Schema.fromJsonString(order[0]))(order[1])
  const line = yield* serve(program(name), argument, name)
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(answer))(line)
}, Effect.scoped)

// Starts a server; it ends with the scope.
const server = Effect.fnUntraced(function* (system: SystemName, directory: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(directory)
  const argument =
    system === "sdk" ? "" : yield* Schema.encodeEffect(Schema.fromJsonString(ServerOrder))({ system, directory })
  const line = yield* serve(program(system === "sdk" ? "sdkServer.mjs" : "server.ts"), argument, titles[system])
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Serving))(line)
})

const systems = ["sdk", "memory", "durable"] as const satisfies ReadonlyArray<SystemName>
const kinds = ["message", "task", "stream"] as const satisfies ReadonlyArray<Kind>
const fleetKinds = ["streams", "subscribers"] as const satisfies ReadonlyArray<FleetKind>

/** Requests: in every round each server is started anew, and asked one kind of request after the other. */
export const measureLoad = Effect.fnUntraced(function* (folder: string, size: Size) {
  const measured: Array<Measured> = []
  for (let round = 1; round <= size.rounds; round++) {
    yield* say(`round ${round} of ${size.rounds}\n`)
    for (const system of systems) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const serving = yield* server(system, `${folder}/load-${round}-${system}`)
          for (const kind of kinds) {
            const result = yield* ask("load.ts", [LoadOrder, { ...serving, ...size, kind }], LoadResult)
            measured.push({ system, kind, result })
            yield* say(`${titles[system]}, ${kind}: ${Math.round((result.requests / result.elapsed) * 1000)} per s\n`)
          }
        })
      )
    }
  }
  return measured
})

/** Many streams at once, each kind on a server of its own. */
export const measureFleets = Effect.fnUntraced(function* (folder: string, size: Size) {
  const rows: Array<FleetRow> = []
  for (const kind of fleetKinds) {
    for (const system of systems) {
      const result = yield* Effect.scoped(
        Effect.gen(function* () {
          const serving = yield* server(system, `${folder}/fleet-${kind}-${system}`)
          // The server's code is compiled and its memory grown to what a few requests need.
          yield* ask(
            "load.ts",
            [LoadOrder, { ...serving, kind: "stream", connections: 8, warmUpSeconds: 0, seconds: size.warmUpSeconds }],
            LoadResult
          )
          return yield* ask("fleet.ts", [FleetOrder, { ...serving, ...size.fleet, kind }], FleetResult)
        })
      )
      rows.push({ system, kind, ...result })
      yield* say(`${titles[system]}, ${kind}: ${result.events} events, ${result.lost} lost\n`)
    }
  }
  return rows
})

/** What the relay adds. */
export const measureRelay = Effect.fnUntraced(function* (folder: string, size: Size) {
  const fs = yield* FileSystem.FileSystem
  const directory = `${folder}/relay`
  yield* fs.makeDirectory(directory)
  return yield* ask("relay.ts", [RelayOrder, { ...size.relay, directory }], Relay)
})
