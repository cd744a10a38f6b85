/**
 * A client of the platform: sends one message, follows its task over every cut, and takes down what it is told.
 *
 * @module
 */
import { request } from "node:http"
import { setTimeout as pause } from "node:timers/promises"
import type { Told } from "./checker.ts"

/** Where the platform is, and the credential under which the client speaks. */
export interface Address {
  readonly url: string
  readonly token: string
}

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null
const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((inner, key) => (isObject(inner) ? Reflect.get(inner, key) : undefined), value)

/** Between two attempts, in milliseconds. */
const again = 40

const post = (
  address: Address,
  workspace: string,
  method: string,
  params: Json,
  signal: AbortSignal,
  cursor?: string
) =>
  fetch(`${address.url}/workspaces/${workspace}/a2a`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${address.token}`,
      "content-type": "application/json",
      "a2a-extensions": "https://molecule.ai/a2a/extensions/stream-resumption/v1",
      ...(cursor === undefined ? undefined : { "last-event-id": cursor })
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: method, method, params }),
    signal
  })

/** What a call is answered at once: `result`, or undefined and why. */
const ask = async (
  address: Address,
  workspace: string,
  method: string,
  params: Json,
  signal = AbortSignal.timeout(5000)
): Promise<{ readonly result?: unknown; readonly refusal: string }> => {
  try {
    const response = await post(address, workspace, method, params, signal)
    const refusal = await response.text()
    return { result: at(JSON.parse(refusal), "result"), refusal: `${response.status} ${refusal}` }
  } catch (cause) {
    return { refusal: String(cause) }
  }
}

/** The `result` of a call that is answered at once; undefined if there is none now. */
export const call = async (address: Address, workspace: string, method: string, params: Json): Promise<unknown> =>
  (await ask(address, workspace, method, params)).result

const textOf = (parts: unknown) => {
  const texts: ReadonlyArray<unknown> = Array.isArray(parts) ? parts.map((part: unknown) => at(part, "text")) : []
  return texts.filter((text) => typeof text === "string").join("")
}

const told = (cursor: string, result: unknown): Told | undefined => {
  const gap = at(result, "metadata", "molecule/gap")
  if (gap !== undefined) {
    return { cursor, what: { _tag: "Gap", from: String(at(gap, "from")), to: String(at(gap, "to")) } }
  }
  switch (at(result, "kind")) {
    case "task":
      return { cursor, what: { _tag: "Snapshot" } }
    case "artifact-update":
      return {
        cursor,
        what: {
          _tag: "Piece",
          artifact: String(at(result, "artifact", "artifactId")),
          text: textOf(at(result, "artifact", "parts")),
          append: at(result, "append") === true
        }
      }
    case "status-update":
      return {
        cursor,
        what: { _tag: "Status", state: String(at(result, "status", "state")), final: at(result, "final") === true }
      }
    default:
      return undefined
  }
}

/** What a client knows: filled while it follows. */
export interface Followed {
  readonly stream: Array<Told>
  taskId: string | undefined
  ended: boolean
  /** The last refusal, for a report. */
  refusal: string
}

const take = (followed: Followed, block: string) => {
  let cursor: string | undefined
  let data = ""
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) cursor = line.slice(4)
    if (line.startsWith("data: ")) data += line.slice(6)
  }
  if (data === "") return
  const response: unknown = JSON.parse(data)
  const entry = cursor === undefined ? undefined : told(cursor, at(response, "result"))
  if (entry === undefined) {
    followed.refusal = data
    return
  }
  followed.stream.push(entry)
  followed.taskId ??= String(at(response, "result", "id"))
  if (entry.what._tag === "Status" && entry.what.final) followed.ended = true
}

const readStream = async (followed: Followed, body: NonNullable<Response["body"]>) => {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const blocks = rest.split("\n\n")
    rest = blocks.pop() ?? ""
    for (const block of blocks) take(followed, block)
    if (followed.ended) return
  }
}

/**
 * Sends a message and follows its task to the end. Until it was told something it sends the message again; from then on it
 * takes the stream up behind the last thing that it was told.
 */
export const follow = async (
  address: Address,
  message: { readonly workspace: string; readonly messageId: string; readonly text: string },
  followed: Followed,
  signal: AbortSignal
): Promise<void> => {
  const { messageId, text, workspace } = message
  const parts = [{ kind: "text", text }]
  const params = { message: { kind: "message", role: "user", messageId, contextId: "recovery", parts } }
  while (!followed.ended && !signal.aborted) {
    try {
      const cursor = followed.stream.at(-1)?.cursor
      const response =
        cursor === undefined
          ? await post(address, workspace, "message/stream", params, signal)
          : await post(
              address,
              workspace,
              "tasks/resubscribe",
              { id: followed.taskId, metadata: { "molecule/cursor": cursor } },
              signal,
              cursor
            )
      if (response.headers.get("content-type")?.startsWith("text/event-stream") === true && response.body !== null) {
        await readStream(followed, response.body)
      } else {
        followed.refusal = await response.text()
      }
    } catch (cause) {
      followed.refusal = String(cause)
    }
    if (!followed.ended) await pause(again, undefined, { signal }).catch(() => undefined)
  }
}

/** How a task stands, for who asks until there is an answer; the refusal, if there is none in a few seconds. */
export const getTask = async (address: Address, workspace: string, taskId: string) => {
  const get = () => ask(address, workspace, "tasks/get", { id: taskId, historyLength: 0 })
  let { refusal, result: task } = await get()
  // It may have been started a moment ago.
  for (let tries = 1; task === undefined && tries < 100; tries++) {
    await pause(again)
    ;({ refusal, result: task } = await get())
  }
  const artifacts = at(task, "artifacts")
  return {
    state: task === undefined ? refusal : String(at(task, "status", "state")),
    answer: Array.isArray(artifacts) ? artifacts.map((one: unknown) => textOf(at(one, "parts"))).join("") : ""
  }
}

/** Asks the owner of a state directory through its local socket; answers the HTTP status, 0 if nobody is there. */
export const control = (socketPath: string, path: string, body: Json): Promise<number> =>
  new Promise((resolve) => {
    const text = JSON.stringify(body)
    const sent = request(
      { socketPath, path, method: "POST", headers: { "content-type": "application/json" }, timeout: 3000 },
      (response) => {
        response.resume()
        response.on("end", () => resolve(response.statusCode ?? 0))
        response.on("error", () => resolve(0))
      }
    )
    sent.on("error", () => resolve(0))
    sent.on("timeout", () => sent.destroy())
    sent.end(text)
  })
