/**
 * A client of an agent over HTTP, as tests want it: plain JSON-RPC, and streams with the ids of their events.
 */
import * as Sse from "effect/encoding/Sse"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { streamResumption } from "../../src/services/a2a/A2AOperations.ts"
import { Response } from "../../src/services/a2a/JsonRpc.ts"
import { StreamResult, Task } from "../../src/services/a2a/Protocol03.ts"

/** Who sends, from where a stream is to go on, and to which address: the agent's in context, if it is not said. */
export interface Sender {
  readonly token?: string | null
  readonly lastEventId?: string
  readonly at?: string
}

const here = Effect.map(Effect.serviceOption(HttpServer.HttpServer), (server) =>
  HttpServer.formatAddress(Option.getOrThrow(server).address)
)

export const post = Effect.fnUntraced(function* (body: string | Uint8Array, sender: Sender = {}) {
  const { at, lastEventId, token = "alice" } = sender
  const request = HttpClientRequest.post(at ?? (yield* here)).pipe(
    typeof body === "string"
      ? HttpClientRequest.bodyText(body, "application/json")
      : HttpClientRequest.bodyUint8Array(body, "application/json"),
    HttpClientRequest.setHeaders({
      "x-a2a-extensions": streamResumption.uri,
      ...(token === null ? undefined : { authorization: `Bearer ${token}` }),
      ...(lastEventId === undefined ? undefined : { "last-event-id": lastEventId })
    })
  )
  return yield* HttpClient.execute(request)
})

export const bodyOf = (method: string, params: unknown) => JSON.stringify({ jsonrpc: "2.0", id: "1", method, params })

export const rpc = Effect.fnUntraced(function* (method: string, params: unknown, sender?: Sender) {
  const response = yield* post(bodyOf(method, params), sender)
  return yield* Schema.decodeUnknownEffect(Response)(yield* response.json)
})

export const message = (text: string, more: object = {}) => ({
  message: { role: "user", messageId: `m-${text}`, parts: [{ kind: "text", text }], ...more }
})

export const resultOf = (response: Response) =>
  "result" in response ? response.result : assert.fail(JSON.stringify(response))
export const errorOf = (response: Response) =>
  "error" in response ? response.error : assert.fail(JSON.stringify(response))
export const codeOf = (response: Response) => errorOf(response).code
export const decodeTask = (json: Schema.Json) => Schema.decodeUnknownEffect(Task)(json)

const decodeAnswer = Schema.decodeUnknownEffect(Schema.fromJsonString(Response))
const decodeResult = Schema.decodeUnknownEffect(StreamResult)

/** One event of a stream: its id, and the result in it. */
export interface Heard {
  readonly id: string
  readonly result: StreamResult
}

/** Opens a stream; closing the scope, or taking no more, closes the connection. */
export const streamOf = (method: string, params: unknown, sender?: Sender) =>
  Stream.unwrap(
    Effect.map(post(bodyOf(method, params), sender), (response) => {
      assert.strictEqual(response.headers["content-type"], "text/event-stream")
      return response.stream.pipe(
        Stream.decodeText,
        Stream.pipeThroughChannel(Sse.decode()),
        Stream.mapEffect(({ data, id = "" }) =>
          Effect.map(Effect.flatMap(Effect.map(decodeAnswer(data), resultOf), decodeResult), (result): Heard => ({
            id,
            result
          }))
        )
      )
    })
  )

/** The stream until its end. */
export const listen = (method: string, params: unknown, sender?: Sender) =>
  Stream.runCollect(streamOf(method, params, sender))

/** The id of the task that a stream's first event shows. */
export const taskIdOf = (result: StreamResult | undefined) =>
  result?.kind === "task" ? result.id : assert.fail(JSON.stringify(result))

/** The cursor of a client that heard this. */
export const lastId = (heard: ReadonlyArray<Heard>) => heard.at(-1)?.id ?? assert.fail("nothing was heard")
export const sequenceOf = ({ id }: Heard) => Number(id.slice(id.indexOf("-") + 1))
export const gapOf = (heard: Heard | undefined): Schema.Json | undefined =>
  heard?.result.kind === "status-update" ? heard.result.metadata?.["molecule/gap"] : undefined

/** What a client makes of a task by the updates that it hears, as A2A says. */
export const apply = (known: Task["artifacts"], heard: ReadonlyArray<Heard>) => {
  const texts = new Map<string, string>()
  const add = ({ artifactId, parts }: NonNullable<Task["artifacts"]>[number], append: boolean) => {
    const text = parts.map((part) => (part.kind === "text" ? part.text : "")).join("")
    texts.set(artifactId, append ? (texts.get(artifactId) ?? assert.fail(artifactId)) + text : text)
  }
  for (const artifact of known ?? []) add(artifact, false)
  for (const { result } of heard) if (result.kind === "artifact-update") add(result.artifact, result.append === true)
  return texts
}
