/**
 * The agent's whole HTTP face: A2A in both versions, its card, and whether it is well.
 *
 * @module
 */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { A2AApi, NotReady, NotWell } from "../../services/a2a/A2AApi.ts"
import { TaskRunner } from "../../services/durable/TaskRunner.ts"
import { Health } from "../../services/workspace/Health.ts"
import { Lifecycle } from "../../services/workspace/Lifecycle.ts"
import { WorkspaceSettings } from "../../services/workspace/WorkspaceSettings.ts"
import * as CardRoutes from "./cardRoutes.ts"
import * as RpcMethods03 from "./rpcMethods03.ts"
import * as ServerHttp from "./ServerHttp.ts"

const handlers = HttpApiBuilder.group(
  A2AApi,
  "agent",
  Effect.fnUntraced(function* (group) {
    const runner = yield* TaskRunner
    const lifecycle = yield* Lifecycle

    const { forAll: health } = yield* Health

    const readiness = Effect.gen(function* () {
      const { queued, running } = yield* runner.activity
      return { status: yield* SubscriptionRef.get(lifecycle), running, queued }
    })

    return group
      .handle("health", () =>
        Effect.filterOrFail(
          health,
          ({ wrong }) => wrong.length === 0,
          (now) => new NotWell(now)
        )
      )
      .handle("ready", () =>
        Effect.filterOrFail(
          readiness,
          (now) => now.status === "ok",
          (now) => new NotReady(now)
        )
      )
  })
)

const HealthRoutes = HttpApiBuilder.layer(A2AApi).pipe(Layer.provide(handlers))

const Protocol = Layer.unwrap(
  Effect.map(WorkspaceSettings, ({ assumedVersion, maxBodyBytes }) =>
    Layer.merge(
      ServerHttp.layerWith({ dialects: [RpcMethods03.make], maxBodyBytes, assumedVersion }),
      CardRoutes.layerWith({ assumedVersion })
    )
  )
)

/** The routes of the agent. They are served by whatever provides an `HttpRouter`. */
export const layer = Layer.merge(Protocol, HealthRoutes)
