/**
 * What `a2a` asks the platform: `peers`, `info`.
 *
 * @module
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Layer from "effect/Layer"
import * as TeamClientHttp from "../layers/workspace/TeamClientHttp.ts"
import { TeamClient } from "../services/platform/TeamApi.ts"
import { PlatformConfig } from "../services/workspace/PlatformConfig.ts"
import { WorkspaceCommandFailed } from "./a2aErrors.ts"
import * as Here from "./a2aHere.ts"

// What the platform says; or what lies at the bottom: `connect ECONNREFUSED 127.0.0.1:8080`.
const causeOf = (error: unknown): string => {
  if (Predicate.hasProperty(error, "error") && Predicate.isString(error.error)) return error.error
  const inner = Predicate.hasProperty(error, "cause") ? causeOf(error.cause) : ""
  if (inner !== "" || !Predicate.hasProperty(error, "message")) return inner
  const code = Predicate.hasProperty(error, "code") && Predicate.isString(error.code) ? error.code : ""
  return Predicate.isString(error.message) && error.message !== "" ? error.message : code
}

const platform = <A, E extends { readonly message: string }, R>(what: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { platformUrl } = yield* PlatformConfig
    return yield* Effect.mapError(
      effect,
      (error) => new WorkspaceCommandFailed({ message: `${what}: ${causeOf(error)} (platform ${platformUrl})` })
    )
  })

// Of each its id, name, status, role.
const peers = Effect.fn("a2a.peers")(function* () {
  const { workspaceId } = yield* PlatformConfig
  const client = yield* TeamClient
  const found = yield* platform(
    "cannot list the peers",
    client.registry.peers({ params: { id: workspaceId }, query: {} })
  )
  for (const { id, name, role, status } of found) {
    yield* Console.log(`${id}  ${name.padEnd(30)}  ${status.padEnd(10)}  ${role ?? "None"}`)
  }
})

// This workspace, in six lines.
const info = Effect.fn("a2a.info")(function* () {
  const { workspaceId } = yield* PlatformConfig
  const client = yield* TeamClient
  const found = yield* platform("cannot show the workspace", client.workspaces.get({ params: { id: workspaceId } }))
  const { id, name, parent_id, role, status, tier } = found
  yield* Console.log(
    [
      `ID: ${id}`,
      `Name: ${name}`,
      `Role: ${role ?? "None"}`,
      `Tier: ${tier}`,
      `Status: ${status}`,
      `Parent: ${parent_id ?? "None"}`
    ].join("\n")
  )
})

const Team = TeamClientHttp.layerWith({ retries: 0 }).pipe(
  Layer.provideMerge(Here.layer),
  Layer.provide(Here.http(false))
)

/** Runs one of the two. */
export const run = (words: "peers" | "info") =>
  Effect.provide(words === "peers" ? peers() : info(), Team).pipe(Effect.mapError(Here.failure))
