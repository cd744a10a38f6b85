/**
 * Finding an agent's card, keeping it while it is fresh, and choosing among its interfaces.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { AgentCard, AgentInterface } from "../../services/a2a/AgentCard.ts"
import {
  AgentCardInvalid,
  AgentCardNotFound,
  AgentUnauthorized,
  AgentUnreachable,
  type ConnectOptions,
  NoCommonInterface,
  type Transport
} from "../../services/a2a/AgentClient.ts"
import { agentCard } from "./agentAnswers.ts"
import { cardOf03 } from "./agentDialect.ts"
import { type AgentHttp, type Reply, shown } from "./agentHttp.ts"

const wellKnown = ["/.well-known/agent-card.json", "/.well-known/agent.json"]

/** So many cards are kept. */
const mostKept = 256

interface Kept {
  readonly card: AgentCard
  readonly etag: string | undefined
  /** Milliseconds since 1970. */
  readonly freshUntil: number
}

const parse = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

/** A card in any form: of 1.0, or of 0.3 brought into that of 1.0. */
export const understood = (value: unknown): Result.Result<AgentCard, { readonly message: string }> => {
  if (!isFields(value)) return Result.fail({ message: "it is not an object" })
  return agentCard(cardOf03(value))
}

/** Where the card of the agent at a URL may be, in the order of asking. */
export const places = (url: string): ReadonlyArray<string> => {
  const { origin, pathname } = new URL(url)
  if (pathname === "/") return wellKnown.map((path) => `${origin}${path}`)
  if (pathname.endsWith(".json")) return [url]
  const base = `${origin}${pathname.replace(/\/+$/, "")}`
  return [url, ...wellKnown.map((path) => `${base}${path}`)]
}

const maxAge = (reply: Reply) => {
  const control = reply.headers["cache-control"] ?? ""
  const found = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(control)
  return found === null || /no-cache|no-store/i.test(control) ? 0 : Number(found[1]) * 1000
}

/** Cards by their addresses. */
export const make = () => {
  const kept = new Map<string, Kept>()

  const keep = (place: string, entry: Kept) => {
    kept.delete(place)
    kept.set(place, entry)
    const oldest = kept.keys().next().value
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    return entry.card
  }

  // The card at one place, or why there is none.
  const at = Effect.fnUntraced(function* (http: AgentHttp, place: string) {
    const now = yield* Clock.currentTimeMillis
    const known = kept.get(place)
    if (known !== undefined && now < known.freshUntil) return known.card
    const reply = yield* http.exchange(
      {
        method: "GET",
        url: place,
        secrets: {},
        headers: {
          accept: "application/json",
          "a2a-version": "1.0",
          ...(known?.etag !== undefined && { "if-none-match": known.etag })
        }
      },
      http.limits.answer,
      true
    )
    const url = shown(place)
    const { status } = reply
    const freshUntil = now + maxAge(reply)
    if (status === 304 && known !== undefined) return keep(place, { ...known, freshUntil })
    if (status === 401 || status === 403)
      return yield* new AgentUnauthorized({ url, status, detail: "it keeps its card to itself" })
    if (status >= 500) return yield* new AgentUnreachable({ url, detail: `HTTP ${status}`, sent: true })
    if (status !== 200) return yield* new AgentCardNotFound({ url, detail: `HTTP ${status}` })
    const content = parse(reply.text)
    if (Result.isFailure(content)) return yield* new AgentCardInvalid({ url, detail: "it is not JSON" })
    const card = understood(content.success)
    if (Result.isFailure(card)) return yield* new AgentCardInvalid({ url, detail: card.failure.message })
    return keep(place, { card: card.success, etag: reply.headers["etag"], freshUntil })
  })

  const card = Effect.fn("AgentClient.card")(function* (http: AgentHttp, url: string) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      return yield* new AgentCardNotFound({ url, detail: "it is no http or https URL" })
    }
    let first: AgentCardNotFound | AgentCardInvalid | undefined
    for (const place of places(url)) {
      const found = yield* Effect.result(at(http, place))
      if (Result.isSuccess(found)) return found.success
      const { failure } = found
      if (failure._tag === "InvalidAgentResponse")
        return yield* new AgentCardInvalid({ url: failure.url, detail: failure.detail })
      if (failure._tag !== "AgentCardNotFound" && failure._tag !== "AgentCardInvalid") return yield* failure
      // A page that is no card says less about the agent than a card that is not valid where cards are kept.
      if (first === undefined || (first._tag === "AgentCardNotFound" && failure._tag === "AgentCardInvalid"))
        first = failure
    }
    return yield* first ?? new AgentCardNotFound({ url, detail: "nowhere to look" })
  })

  return { card }
}

/** `1.0` of `1.0.1`. */
export const majorMinor = (version: string) => /^(\d+)\.(\d+)(?:\.|$)/.exec(version)?.slice(1, 3).join(".") ?? version

/** Whether an interface speaks 0.3 or what came before it. */
export const isOld = ({ protocolVersion }: AgentInterface) => protocolVersion.startsWith("0.")

const transportOf = ({ protocolBinding }: AgentInterface): Transport | undefined =>
  protocolBinding === "JSONRPC" || protocolBinding === "HTTP+JSON" ? protocolBinding : undefined

/**
 * The interface to use: of those in a version that is wanted the first that the client prefers, otherwise the first on the
 * card. 1.0 goes before 0.3, and 0.3 is spoken over JSON-RPC only.
 */
export const choose = (card: AgentCard, options: ConnectOptions): Result.Result<AgentInterface, NoCommonInterface> => {
  const { lowest = "0.3", transports = [], version } = options
  const asked = version === undefined ? undefined : majorMinor(version)
  const usable = card.supportedInterfaces.filter((entry) => transportOf(entry) !== undefined)
  const modern = usable.filter((entry) => majorMinor(entry.protocolVersion).startsWith("1."))
  const old = usable.filter((entry) => isOld(entry) && transportOf(entry) === "JSONRPC")
  // A version that nobody has is signalled all the same: the agent's refusal is the clearest answer.
  const exact = asked === undefined ? [] : usable.filter((entry) => majorMinor(entry.protocolVersion) === asked)
  const wanted =
    asked === undefined
      ? [...modern, ...(lowest === "0.3" ? old : [])]
      : asked.startsWith("0.")
        ? old
        : [...exact, ...modern]
  const versions = wanted.some((entry) => !isOld(entry)) ? wanted.filter((entry) => !isOld(entry)) : wanted
  const preferred = transports.flatMap((transport) => versions.filter((entry) => transportOf(entry) === transport))
  const found = preferred[0] ?? versions[0]
  if (found !== undefined) return Result.succeed(found)
  return Result.fail(
    new NoCommonInterface({
      offered: card.supportedInterfaces.map((entry) => `${entry.protocolBinding} ${entry.protocolVersion}`),
      wanted: ["JSONRPC", "HTTP+JSON"].map(
        (binding) => `${binding} ${version ?? (lowest === "0.3" ? "1.0 or 0.3" : "1.0")}`
      ),
      versionOnly: usable.length > 0
    })
  )
}
