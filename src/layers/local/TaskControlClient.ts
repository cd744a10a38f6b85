/**
 * `TaskControl` of a workspace that runs: over its socket.
 *
 * @module
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { ControlUnreachable, TaskControl, TaskControlApi } from "../../services/local/TaskControl.ts"

/** Where the socket is, and who is said to serve it. */
export interface Options {
  readonly socket: string
  readonly pid: number
  /** How often it is asked again, 100 ms apart, where nobody listens yet; 30 times if not given. */
  readonly tries?: number
}

/** The end of a task may take as long as its program takes to stop. */
const requestTimeout = "60 seconds"

/** Failures to connect, after which the request was certainly not received. */
const notConnected = new Set(["ENOENT", "ECONNREFUSED"])

const codeOf = ({ cause }: HttpClientError.HttpClientError) =>
  Predicate.hasProperty(cause, "code") ? String(cause.code) : ""

const make = Effect.fnUntraced(function* ({ pid, socket, tries = 30 }: Options) {
  // Who holds the directory may be about to listen.
  const connecting = Schedule.max([Schedule.spaced("100 millis"), Schedule.recurs(tries)])
  const unreachable = (detail: string) => new ControlUnreachable({ pid, socket, detail })
  const client = yield* HttpApiClient.make(TaskControlApi, {
    transformClient: flow(
      HttpClient.mapRequest(HttpClientRequest.prependUrl("http://local")),
      HttpClient.retry({ schedule: connecting, while: (error) => notConnected.has(codeOf(error)) }),
      HttpClient.transform((effect, request) =>
        Effect.timeoutOrElse(effect, {
          duration: requestTimeout,
          orElse: () =>
            Effect.fail(
              new HttpClientError.HttpClientError({
                reason: new HttpClientError.TransportError({ request, description: `no answer in ${requestTimeout}` })
              })
            )
        })
      )
    )
  })
  const reaching = <A, E>(asked: Effect.Effect<A, E | HttpClientError.HttpClientError | Schema.SchemaError>) =>
    Effect.mapError(asked, (error) => {
      if (HttpClientError.isHttpClientError(error)) return unreachable(codeOf(error) || error.message)
      return Schema.isSchemaError(error) ? unreachable(`an answer of another version: ${error.message}`) : error
    })

  return TaskControl.of({
    cancel: Effect.fn("TaskControl.cancel")((taskId) => reaching(client.tasks.cancel({ payload: { taskId } }))),
    resume: Effect.fn("TaskControl.resume")((taskId) => reaching(client.tasks.resume({ payload: { taskId } }))),
    retry: Effect.fn("TaskControl.retry")((taskId) => reaching(client.tasks.retry({ payload: { taskId } }))),
    provide: Effect.fn("TaskControl.provide")((taskId, wait, value) =>
      Effect.asVoid(reaching(client.tasks.provide({ payload: { taskId, wait, value } })))
    ),
    health: Effect.suspend(() => reaching(client.workspace.health())).pipe(Effect.withSpan("TaskControl.health"))
  })
})

/**
 * Asks the owner of the state directory. While it does not listen yet it is asked again; then the answer is a
 * `ControlUnreachable` that names its process.
 */
export const layerWith = (options: Options) =>
  Layer.effect(TaskControl, make(options)).pipe(
    // Fresh: a program's other client, with its own way of connecting, is not to be taken for this one.
    Layer.provide(Layer.fresh(NodeHttpClient.layerUndiciOptions({ connect: { socketPath: options.socket } })))
  )
