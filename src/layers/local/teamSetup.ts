/**
 * The team's workspaces on the platform: made at the first start, found again at the next.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Member, team, TeamError, TeamFile } from "../../services/local/Team.ts"
import { PlatformClient } from "../../services/platform/PlatformClient.ts"
import { StateDirectory } from "../../services/workspace/StateDirectory.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"
import { writeFileAtomic } from "../disk/atomicFile.ts"

/** A member with its workspace. `token` is there when the workspace has none of its own yet. */
export interface Placed {
  readonly member: Member
  readonly id: WorkspaceId
  readonly stateDirectory: string
  readonly token: Option.Option<Redacted.Redacted>
}

const TeamFileJson = Schema.fromJsonString(TeamFile)

const failed = (what: string) => (error: { readonly message: string }) =>
  new TeamError({
    detail: `${what}: ${Predicate.hasProperty(error, "error") ? String(error.error) : error.message}`,
    remedy: "the platform's log is platform.log in the state directory"
  })

const readTeam = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const file = (yield* StateDirectory).file("team.json")
  if (!(yield* files.exists(file))) return {}
  return yield* Schema.decodeEffect(TeamFileJson)(yield* files.readFileString(file))
}).pipe(Effect.mapError(failed("team.json cannot be read")))

const writeTeam = Effect.fnUntraced(
  function* (known: typeof TeamFile.Type) {
    const state = yield* StateDirectory
    yield* writeFileAtomic(state.file("team.json"), yield* Schema.encodeEffect(TeamFileJson)(known))
  },
  Effect.mapError(failed("team.json cannot be written"))
)

const place = Effect.fnUntraced(function* (member: Member, known: typeof TeamFile.Type) {
  const client = yield* PlatformClient
  const files = yield* FileSystem.FileSystem
  const stateDirectory = (yield* StateDirectory).file(member.name)
  const id = known[member.name]
  if (id !== undefined) {
    const hasToken = yield* Effect.mapError(
      files.exists(`${stateDirectory}/token`),
      failed("the token cannot be looked for")
    )
    if (hasToken) return { member, id, stateDirectory, token: Option.none() } satisfies Placed
    const minted = yield* Effect.mapError(client.tokens.mint({ params: { id } }), failed(`no token for ${member.name}`))
    return { member, id, stateDirectory, token: Option.some(Redacted.make(minted.auth_token)) } satisfies Placed
  }
  const parent = member.parent === undefined ? undefined : known[member.parent]
  const created = yield* client.workspaces
    .create({
      payload: {
        name: member.name,
        role: member.role,
        external: true,
        ...(parent === undefined ? undefined : { parent_id: parent })
      }
    })
    .pipe(Effect.mapError(failed(`the platform did not create ${member.name}`)))
  const token = Option.map(Option.fromUndefinedOr(created.connection), ({ auth_token }) => Redacted.make(auth_token))
  return { member, id: created.id, stateDirectory, token } satisfies Placed
})

/** Every member with its workspace; those that the platform does not have yet are created, parents first. */
export const placeTeam = Effect.gen(function* () {
  const placed: Array<Placed> = []
  let known = yield* readTeam
  for (const member of team) {
    const one = yield* place(member, known)
    known = { ...known, [member.name]: one.id }
    yield* writeTeam(known)
    placed.push(one)
  }
  return placed
}).pipe(Effect.withSpan("teamSetup.placeTeam"))
