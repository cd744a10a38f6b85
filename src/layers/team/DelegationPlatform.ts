/**
 * Delegation through the platform: its registry names the children, its proxy carries the messages.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { A2AClient } from "../../services/a2a/A2AClient.ts"
import { Delegation, DelegationFailed, DelegationResult, DelegationTimeout } from "../../services/team/Delegation.ts"
import { PlatformConfig } from "../../services/workspace/PlatformConfig.ts"
import { Registry } from "../../services/workspace/Registry.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"

// The platform may be away for a while; that is no reason to fail.
const retrySchedule = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")])

const make = Effect.gen(function* () {
  const registry = yield* Registry
  const a2a = yield* A2AClient
  const { workspaceId } = yield* PlatformConfig
  const { delegationTimeout } = yield* WorkspaceSettings

  return Delegation.of({
    children: registry.peers.pipe(
      Effect.retry({ schedule: retrySchedule, while: ({ _tag }) => _tag === "RegistryUnavailable" }),
      Effect.map((peers) =>
        peers
          .filter((peer) => peer.parent_id === workspaceId)
          .map(({ id, name, role }) => ({ id, name, role }))
          .toSorted((a, b) => a.name.localeCompare(b.name))
      ),
      Effect.mapError((error) => new DelegationFailed({ target: workspaceId, detail: error.message })),
      Effect.timeoutOrElse({
        duration: delegationTimeout,
        orElse: () =>
          Effect.fail(
            new DelegationFailed({ target: workspaceId, detail: "the platform does not say who the children are" })
          )
      }),
      Effect.withSpan("Delegation.children")
    ),

    delegate: Effect.fn("Delegation.delegate")(
      function* ({ target, ...message }) {
        const { state, taskId, text } = yield* a2a.exchange({ target, ...message, timeout: delegationTimeout })
        return state === "completed"
          ? new DelegationResult({ target, taskId, text })
          : yield* new DelegationFailed({
              target,
              detail: `its task ${taskId} is ${state}${text === "" ? "" : `: ${text}`}`
            })
      },
      Effect.catchTags({
        ExchangeRefused: ({ detail, target }) => Effect.fail(new DelegationFailed({ target, detail })),
        ExchangeTimeout: ({ seconds, target }) => Effect.fail(new DelegationTimeout({ target, seconds }))
      })
    )
  })
})

/** Delegation over `Registry` and `A2AClient`. */
export const layer = Layer.effect(Delegation, make)
