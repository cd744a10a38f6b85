/**
 * One push notification: what is sent, who it is from, and what the receiver's answer means.
 *
 * @module
 */
import { createHmac } from "node:crypto"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { KeptConfig, PushOptions } from "../../services/a2a/PushConfigs.ts"

/** A notification of one event of a task. */
export interface Notification {
  readonly config: KeptConfig
  /** Stays over repetitions, so that the receiver can tell one from a new event. */
  readonly id: string
  /** In whose words the body is. */
  readonly version: PushOptions["version"]
  /** Milliseconds since 1970: of this attempt. */
  readonly at: number
  readonly body: string
}

/** The receiver has it; or it does not want it, whatever is tried; or it may be tried again. */
export type Answer =
  | { readonly _tag: "Taken" }
  | { readonly _tag: "Refused"; readonly detail: string }
  | { readonly _tag: "Failed"; readonly detail: string }

/** How long a receiver has to answer: what the specification recommends (13.2), at its lower end. */
const timeout = Duration.seconds(15)

/** The scheme of authentication by which a notification is signed; its credentials are the secret. */
const signs = (scheme: string) => /^hmac(-sha-?256)?$/i.test(scheme)

/**
 * The headers of a notification.
 *
 * **Details**
 *
 * `webhook-id`, `webhook-timestamp` (seconds) and, where the configuration's scheme is `HMAC-SHA256`, `webhook-signature`
 * are those of the Standard Webhooks specification: `v1,` and the base64 of the HMAC of id, timestamp and body, joined by
 * points. With any other scheme the credentials go into `authorization`. The configuration's token goes into
 * `x-a2a-notification-token`.
 */
export const headersOf = ({ at, body, config, id }: Notification): Readonly<Record<string, string>> => {
  const { authentication, token } = config
  const timestamp = String(Math.floor(at / 1000))
  const credentials = authentication?.credentials ?? ""
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    ...(token === undefined ? undefined : { "x-a2a-notification-token": token }),
    ...(authentication === undefined
      ? undefined
      : signs(authentication.scheme)
        ? {
            "webhook-signature": `v1,${createHmac("sha256", credentials).update(`${id}.${timestamp}.${body}`).digest("base64")}`
          }
        : { authorization: `${authentication.scheme} ${credentials}`.trim() })
  }
}

// A redirect is not followed: it could lead anywhere. The receiver has to be named as it is.
const meaning = (status: number): Answer => {
  if (status >= 200 && status < 300) return { _tag: "Taken" }
  const detail = `the receiver answered ${status}`
  const again = status >= 500 || status === 408 || status === 425 || status === 429
  return again ? { _tag: "Failed", detail } : { _tag: "Refused", detail }
}

// Receivers of 0.3 were promised plain JSON, and many read nothing else.
const contentTypes = { "1.0": "application/a2a+json", "0.3": "application/json" } as const

/** Sends it once. The answer's body is not read. */
export const send = Effect.fn("Push.send")(function* (notification: Notification) {
  const client = yield* HttpClient.HttpClient
  const request = HttpClientRequest.post(notification.config.url).pipe(
    HttpClientRequest.setBody(HttpBody.text(notification.body, contentTypes[notification.version])),
    HttpClientRequest.setHeaders(headersOf(notification))
  )
  return yield* Effect.scoped(client.execute(request)).pipe(
    Effect.map(({ status }) => meaning(status)),
    Effect.timeout(timeout),
    Effect.catch((error) => Effect.succeed<Answer>({ _tag: "Failed", detail: error.message }))
  )
})
