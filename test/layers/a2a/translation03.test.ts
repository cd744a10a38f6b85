/**
 * Between 1.0 and 0.3: what goes over and comes back is what it was, as far as 0.3 can say it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Translation from "../../../src/layers/a2a/translation03.ts"
import * as P from "../../../src/services/a2a/A2AProtocol.ts"
import * as Old from "../../../src/services/a2a/Protocol03.ts"
import { Message, Part } from "../../../src/services/durable/Content.ts"
import { keysAreRead } from "../../support/jsonKeys.ts"

/** Metadata that says nothing is none, as is a time that there is not; a time is one however it is written; JSON has one zero. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  if (!Predicate.isObject(value)) return Object.is(value, -0) ? 0 : value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (key === "metadata" && Predicate.isObject(inner) && Object.keys(inner).length === 0) return []
      if (key !== "timestamp" || typeof inner !== "string") return [[key, plain(inner)]]
      const at = Date.parse(inner)
      return Number.isNaN(at) ? [] : [[key, at]]
    })
  )
}
const same = (one: unknown, other: unknown) => assert.deepStrictEqual(plain(one), plain(other))

/** What is said in 0.3 is what its schema allows, and is read as it was written. */
const wire = <A, I>(schema: Schema.Codec<A, I>) => {
  const encode = Schema.encodeSync(Schema.fromJsonString(schema))
  const decode = Schema.decodeUnknownSync(Schema.fromJsonString(schema))
  return (value: A): A => (keysAreRead(value) ? decode(encode(value)) : value)
}
const wires = {
  part: wire(Old.Part),
  message: wire(Old.Message),
  task: wire(Old.Task),
  item: wire(Old.StreamResult),
  answer: wire(Old.SendResult),
  push: wire(Old.TaskPushNotificationConfig)
}
const runs = { arbitrary: { runs: 150 } }

describe("translation between 1.0 and 0.3", () => {
  it.prop(
    "every part comes back, with its name and its media type, which 0.3 has for files only",
    [Part],
    ([part]) => same(Translation.partFrom03(wires.part(Translation.partTo03(part))), part),
    runs
  )

  it.prop(
    "every message comes back",
    [Message],
    ([message]) => same(Translation.messageFrom03(wires.message(Translation.messageTo03(message))), message),
    runs
  )

  it.prop(
    "every task comes back; one without a context is, in 0.3, a context of its own",
    [P.Task],
    ([task]) =>
      same(Translation.taskFrom03(wires.task(Translation.taskTo03(task))), {
        ...task,
        contextId: task.contextId ?? task.id
      }),
    runs
  )

  const inContext = (item: P.StreamResponse): P.StreamResponse =>
    "task" in item ? { task: { ...item.task, contextId: item.task.contextId ?? item.task.id } } : item

  it.prop(
    "every item of a stream comes back",
    [P.StreamResponse],
    ([item]) => same(Translation.itemFrom03(wires.item(Translation.itemTo03(item))), inContext(item)),
    runs
  )

  it.prop(
    "every answer to a message comes back",
    [P.SendMessageResponse],
    ([answer]) => same(Translation.answerFrom03(wires.answer(Translation.answerTo03(answer))), inContext(answer)),
    runs
  )

  it.prop(
    "every push configuration comes back, but for its tenant, which 0.3 has not",
    [P.TaskPushNotificationConfig],
    ([config]) => {
      // One that is kept has its task.
      const kept = { ...config, taskId: config.taskId ?? "t" }
      const { pushNotificationConfig, taskId } = wires.push(Translation.pushTo03(kept))
      const { tenant: _, ...expected } = kept
      same(Translation.pushFrom03(pushNotificationConfig, taskId), expected)
    },
    runs
  )

  it("`final` is said where a stream of 0.3 ends: the task has, or it needs something", () => {
    const finalOf = (state: P.TaskState) => {
      const item = Translation.itemTo03({ statusUpdate: { taskId: "t", contextId: "c", status: { state } } })
      return item.kind === "status-update" && item.final
    }
    const states: ReadonlyArray<P.TaskState> = P.TaskState.literals
    assert.deepStrictEqual(
      states.filter((state) => !finalOf(state)),
      ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"]
    )
  })
})

describe("what peers of 0.3 and 0.2 say", () => {
  const decodePart = Schema.decodeUnknownSync(Old.Part)

  it("a text is a text with `kind`, with `type`, and with neither", () => {
    for (const part of [{ kind: "text", text: "a" }, { type: "text", text: "a" }, { text: "a" }]) {
      assert.deepStrictEqual(Translation.partFrom03(decodePart(part)), { text: "a" })
      const noted = { ...part, metadata: { key: [1] } }
      assert.deepStrictEqual(Translation.partFrom03(decodePart(noted)), { text: "a", metadata: { key: [1] } })
    }
  })

  it("a file is its bytes or its address, with `name` and `mimeType`", () => {
    const named = { name: "a.txt", mimeType: "text/plain" }
    const ours = { filename: "a.txt", mediaType: "text/plain" }
    assert.deepStrictEqual(Translation.partFrom03(decodePart({ kind: "file", file: { bytes: "aGk=", ...named } })), {
      raw: "aGk=",
      ...ours
    })
    assert.deepStrictEqual(
      Translation.partFrom03(decodePart({ kind: "file", file: { uri: "https://a.test/", ...named } })),
      {
        url: "https://a.test/",
        ...ours
      }
    )
  })

  it("states are in kebab-case, roles are user and agent, and `unknown` has not ended", () => {
    const status = { state: "input-required", timestamp: "2026-01-02T03:04:05+01:00" } as const
    const task = Schema.decodeUnknownSync(Old.Task)({ kind: "task", id: "t", contextId: "c", status })
    assert.deepStrictEqual(Translation.taskFrom03(task).status, {
      state: "TASK_STATE_INPUT_REQUIRED",
      timestamp: "2026-01-02T02:04:05.000Z"
    })
    const unknown = Translation.taskFrom03({ ...task, status: { state: "unknown" } })
    assert.strictEqual(unknown.status.state, "TASK_STATE_WORKING")
    const message = { kind: "message", messageId: "m", role: "agent", parts: [{ kind: "text", text: "a" }] }
    assert.strictEqual(Translation.messageFrom03(Schema.decodeUnknownSync(Old.Message)(message)).role, "ROLE_AGENT")
  })

  it("`blocking` is what `returnImmediately` is not, and blocking unless said", () => {
    const message = Schema.decodeUnknownSync(Old.Message)({
      kind: "message",
      messageId: "m",
      role: "user",
      parts: [{ kind: "text", text: "a" }]
    })
    const immediately = (configuration?: { readonly blocking?: boolean }) =>
      Translation.sendFrom03({ message, ...(configuration === undefined ? undefined : { configuration }) })
        .configuration?.returnImmediately
    assert.deepStrictEqual(
      [immediately(), immediately({}), immediately({ blocking: true }), immediately({ blocking: false })],
      [false, false, false, true]
    )
  })
})
