/**
 * `AgentClient` over HTTP: A2A 1.0 over JSON-RPC and over HTTP+JSON, and 0.3 over JSON-RPC.
 *
 * @module
 */
import * as HttpClient from "effect/http/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Operation } from "../../services/a2a/A2AHttpApi.ts"
import { streamResumption } from "../../services/a2a/A2AOperations.ts"
import type { AgentCard, AgentInterface } from "../../services/a2a/AgentCard.ts"
import {
  AgentClient,
  type AgentFailure,
  type ConnectOptions,
  type Connection,
  type Credential,
  InvalidAgentResponse,
  type Limits
} from "../../services/a2a/AgentClient.ts"
import * as Answers from "./agentAnswers.ts"
import * as Bindings from "./agentBindings.ts"
import * as Cards from "./agentCards.ts"
import * as Dialect from "./agentDialect.ts"
import * as AgentHttp from "./agentHttp.ts"
import * as AgentStream from "./agentStream.ts"

/**
 * Ten seconds for what is at hand (as the original runtime), thirty minutes for a message (as its platform), five minutes
 * of silence on a stream; 10 MiB (as its platform); three further attempts.
 */
export const defaults: Limits = {
  answer: "10 seconds",
  send: "30 minutes",
  idle: "5 minutes",
  bytes: 10 * 1024 * 1024,
  retries: 3
}

const limitsOf = ({ answer, bytes, idle, retries, send }: Partial<Limits>, base: Limits): Limits => ({
  answer: answer ?? base.answer,
  send: send ?? base.send,
  idle: idle ?? base.idle,
  bytes: bytes ?? base.bytes,
  retries: retries ?? base.retries
})

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

// Headers, and for a key that belongs there what is put behind the URL.
const secretOf = (credential: Credential): { readonly headers: Record<string, string>; readonly query: string } => {
  switch (credential.scheme) {
    case "bearer":
      return { headers: { authorization: `Bearer ${Redacted.value(credential.token)}` }, query: "" }
    case "basic": {
      const pair = `${credential.username}:${Redacted.value(credential.password)}`
      return { headers: { authorization: `Basic ${base64(pair)}` }, query: "" }
    }
    case "apiKey": {
      const key = Redacted.value(credential.key)
      if (credential.in === "header") return { headers: { [credential.name.toLowerCase()]: key }, query: "" }
      const pair = `${encodeURIComponent(credential.name)}=${encodeURIComponent(key)}`
      return credential.in === "cookie" ? { headers: { cookie: pair }, query: "" } : { headers: {}, query: pair }
    }
  }
}

const secretsOf = (credentials: ReadonlyArray<Credential>) => {
  const all = credentials.map(secretOf)
  const headers = Object.fromEntries(all.flatMap((one) => Object.entries(one.headers)))
  return { headers, query: all.flatMap(({ query }) => (query === "" ? [] : [query])).join("&") }
}

const connection = (
  http: AgentHttp.AgentHttp,
  card: AgentCard,
  at: AgentInterface,
  options: ConnectOptions
): Connection => {
  const old = Cards.isOld(at)
  const again = options.resend ?? true
  const binding =
    at.protocolBinding === "JSONRPC" ? Bindings.jsonRpc(at, old ? Dialect.v03 : Dialect.v10) : Bindings.httpJson(at)
  const url = AgentHttp.shown(at.url)
  const declared = new Set((card.capabilities.extensions ?? []).map(({ uri }) => uri))
  const extensions = [streamResumption.uri, ...(options.extensions ?? [])].filter((uri) => declared.has(uri))
  const resumable = extensions.includes(streamResumption.uri)
  const secrets = secretsOf(options.credentials?.(card) ?? [])
  const lowerCase = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
  )
  const headers = {
    ...((!old || options.version !== undefined) && {
      "a2a-version": options.version ?? Cards.majorMinor(at.protocolVersion)
    }),
    ...(extensions.length > 0 && { [old ? "x-a2a-extensions" : "a2a-extensions"]: extensions.join(",") })
  }

  const requestOf = (operation: Operation, fields: object, more: Readonly<Record<string, string>>) => {
    const tenant = at.tenant === undefined ? undefined : { tenant: at.tenant }
    const request = binding.request(operation, { ...fields, ...tenant }, { ...headers, ...more })
    const place =
      secrets.query === "" ? request.url : `${request.url}${request.url.includes("?") ? "&" : "?"}${secrets.query}`
    return { ...request, url: place, secrets: { ...lowerCase, ...secrets.headers } }
  }

  const json = { accept: "application/json, application/a2a+json" }
  const events = { accept: "text/event-stream, application/json" }

  const call = <A>(
    operation: Operation,
    fields: object,
    decode: (value: unknown) => Result.Result<A, { readonly message: string }>,
    how: { readonly limit?: Limits["send"]; readonly again?: boolean } = {}
  ): Effect.Effect<A, AgentFailure> =>
    Effect.flatMap(
      http.exchange(requestOf(operation, fields, json), how.limit ?? http.limits.answer, how.again ?? true),
      (reply) =>
        Effect.fromResult(
          Result.flatMap(binding.answer(reply), (value) =>
            Result.mapError(
              decode(value),
              ({ message }): AgentFailure => new InvalidAgentResponse({ url, detail: `it is not A2A: ${message}` })
            )
          )
        )
    ).pipe(Effect.withSpan(`AgentClient.${operation}`, { attributes: { url } }))

  const getTask: Connection["getTask"] = (request) => call("GetTask", request, Answers.agentTask)

  const send: Connection["send"] = (request) =>
    call("SendMessage", request, Answers.sendAnswer, {
      // Even for a task that is wanted at once: not every agent knows how not to wait.
      limit: http.limits.send,
      again
    })

  const stream = (from: Pick<AgentStream.Source, "from" | "send">) =>
    AgentStream.make({
      ...from,
      http,
      binding,
      again,
      subscribe: (id, cursor) =>
        requestOf(
          "SubscribeToTask",
          { id },
          {
            ...events,
            ...(resumable && cursor !== undefined && { "last-event-id": cursor })
          }
        ),
      getTask: (id) => getTask({ id })
    })

  return {
    card,
    interface: at,
    send,
    getTask,
    stream: (request) =>
      card.capabilities.streaming === true
        ? stream({ send: requestOf("SendStreamingMessage", request, events) })
        : Stream.fromEffect(Effect.map(send(request), (item) => ({ item }))),
    subscribe: (taskId, after) => stream({ send: undefined, from: { taskId, cursor: after } }),
    listTasks: (request) => call("ListTasks", request, Answers.taskPage),
    cancelTask: (request) => call("CancelTask", request, Answers.agentTask),
    // Without an id each would be one more.
    createPushConfig: (config) =>
      call("CreateTaskPushNotificationConfig", config, Answers.pushConfig, { again: config.id !== undefined }),
    getPushConfig: (request) => call("GetTaskPushNotificationConfig", request, Answers.pushConfig),
    listPushConfigs: (request) => call("ListTaskPushNotificationConfigs", request, Answers.pushConfigs),
    deletePushConfig: (request) => call("DeleteTaskPushNotificationConfig", request, () => Result.void),
    extendedCard: call("GetExtendedAgentCard", {}, Cards.understood)
  }
}

const make = Effect.fnUntraced(function* (base: Limits) {
  const client = yield* HttpClient.HttpClient
  const cards = Cards.make()

  const card = (url: string, limits: Partial<Limits> = {}) =>
    cards.card(AgentHttp.make(client, limitsOf(limits, base)), url)

  const connect = Effect.fn("AgentClient.connect")(function* (agent: string | AgentCard, options: ConnectOptions = {}) {
    const http = AgentHttp.make(client, limitsOf(options, base))
    const found = typeof agent === "string" ? yield* cards.card(http, agent) : agent
    const at = yield* Effect.fromResult(Cards.choose(found, options))
    yield* Effect.logDebug("interface chosen", {
      url: AgentHttp.shown(at.url),
      binding: at.protocolBinding,
      version: at.protocolVersion
    })
    return connection(http, found, at, options)
  })

  return AgentClient.of({ card, connect })
})

/** The client over whatever `HttpClient` is in context, with other limits than the {@link defaults}. */
export const layerWith = (limits: Partial<Limits> = {}) => Layer.effect(AgentClient, make(limitsOf(limits, defaults)))

/** {@link layerWith} the {@link defaults}. */
export const layer = layerWith()
