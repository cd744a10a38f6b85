import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import type { Scope } from "effect/Scope"
import * as Fiber from "effect/Fiber"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as ExecutorEcho from "../../../src/layers/agent/ExecutorEcho.ts"
import type { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { ErrorCode } from "../../../src/services/a2a/JsonRpc.ts"
import * as Agent from "../../support/agent.ts"
import {
  apply,
  bodyOf,
  codeOf,
  decodeTask,
  errorOf,
  gapOf,
  type Heard,
  lastId,
  listen,
  message,
  post,
  resultOf,
  rpc,
  sequenceOf,
  streamOf,
  taskIdOf
} from "../../support/agentClient.ts"
import { bulky, replacing, speaking, temporaryFile } from "./streamFixtures.ts"

/**
 * Streams and their cursors over a real socket, on the stores that `storesAt` opens in a file: opening them again in the
 * same file is a restart.
 */
export const streamConformance = <E>(name: string, storesAt: (file: string) => Agent.Stores<E>) => {
  // One life of the server. What happens in it is over, connections included, before the next one begins.
  const life = <A, E2, R>(
    file: string,
    executor: Layer.Layer<AgentExecutor>,
    effect: Effect.Effect<A, E2, R>,
    stores: (stores: Agent.Stores<E>) => Agent.Stores<E> = (same) => same
  ) => Effect.provide(Effect.scoped(effect), Agent.layerOn(stores(storesAt(file)), executor, Agent.Trusting))

  const go = message("go")
  const cut = (count: number) => Stream.runCollect(Stream.take(streamOf("message/stream", go), count))
  const resume = (id: string, lastEventId: string) => listen("tasks/resubscribe", { id }, { lastEventId })
  // Who was there all the time has heard this: the snapshot, then every event.
  const all = Effect.map(listen("message/stream", go), ([snapshot = assert.fail("no event"), ...events]) => ({
    id: taskIdOf(snapshot.result),
    snapshot,
    events
  }))

  const test = <A, E2>(title: string, effect: Effect.Effect<A, E2, FileSystem.FileSystem | HttpClient | Scope>) =>
    it.live(title, () => effect.pipe(Effect.scoped, Effect.provide([NodeServices.layer, NodeHttpClient.layerUndici])))

  describe(name, () => {
    test(
      "pitfall stream 2: every event has an id, from which the rest comes, once, in order, over each road",
      Effect.gen(function* () {
        yield* life(
          yield* temporaryFile,
          speaking(),
          Effect.gen(function* () {
            const { events, id, snapshot } = yield* all
            assert.deepStrictEqual(
              events.map(sequenceOf),
              events.map((_, index) => index + 1)
            )
            assert.strictEqual(new Set([snapshot, ...events].map((heard) => heard.id.split("-")[0])).size, 1)
            assert.deepStrictEqual(
              events.map(({ result }) => result.kind === "status-update" && result.final),
              events.map((_, index) => index === events.length - 1)
            )
            for (const { result } of events) assert(result.kind !== "status-update" || result.status.timestamp)
            for (const [index, cursor] of [snapshot.id, ...events.map((heard) => heard.id)].entries()) {
              const rest = events.slice(index)
              assert.deepStrictEqual(yield* resume(id, cursor), rest)
              assert.deepStrictEqual(yield* listen("message/stream", go, { lastEventId: cursor }), rest)
              const metadata = { "molecule/cursor": cursor }
              assert.deepStrictEqual(yield* listen("tasks/resubscribe", { id, metadata }), rest)
              assert.deepStrictEqual(yield* listen("message/stream", { ...go, metadata }), rest)
              // The header is the newer of the two.
              const both = listen("tasks/resubscribe", { id, metadata }, { lastEventId: lastId(events) })
              assert.deepStrictEqual(yield* both, [])
            }
          })
        )
      })
    )

    for (const heardBefore of [1, 2, 5, 8]) {
      test(
        `pitfall stream 1: a client that heard ${heardBefore} goes on after a restart of the server`,
        Effect.gen(function* () {
          const file = yield* temporaryFile
          const before = yield* life(file, speaking(7), cut(heardBefore))
          const id = taskIdOf(before[0]?.result)
          yield* life(
            file,
            speaking(),
            Effect.gen(function* () {
              const rest = yield* resume(id, lastId(before))
              const { events } = yield* all
              assert.deepStrictEqual([...before.slice(1), ...rest], events)
              const got = yield* decodeTask(resultOf(yield* rpc("tasks/get", { id })))
              assert.deepStrictEqual(apply([], events), apply(got.artifacts, []))
              assert.strictEqual(got.status.state, "completed")
            })
          )
        })
      )
    }

    test(
      "pitfall 4: without a cursor the first event is the task as it stands, after a restart too, and then what follows",
      Effect.gen(function* () {
        const file = yield* temporaryFile
        const before = yield* life(file, speaking(7), cut(6))
        const id = taskIdOf(before[0]?.result)
        const gate = yield* Deferred.make<void>()
        yield* life(
          file,
          speaking(8, Deferred.await(gate)),
          Effect.gen(function* () {
            const heard = yield* Queue.unbounded<Heard>()
            const following = yield* Effect.forkChild(
              Stream.runForEach(streamOf("tasks/resubscribe", { id }), (one) => Queue.offer(heard, one))
            )
            const snapshot = yield* Queue.take(heard)
            yield* Deferred.succeed(gate, undefined)
            yield* Fiber.join(following)
            const { events } = yield* all
            assert.deepStrictEqual(yield* Queue.takeAll(heard), events.slice(sequenceOf(snapshot)))
            assert(snapshot.result.kind === "task")
            assert.strictEqual(snapshot.result.id, id)
            assert.isAtLeast(sequenceOf(snapshot), 5)
            assert.deepStrictEqual(
              apply(snapshot.result.artifacts, events.slice(sequenceOf(snapshot))),
              apply([], events)
            )
          })
        )
      })
    )

    test(
      "pitfall 11: all streams of one task carry equal events in the same order, and closing one leaves the others",
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        yield* life(
          yield* temporaryFile,
          speaking(6, Deferred.await(gate)),
          Effect.gen(function* () {
            const first = yield* Effect.forkChild(listen("message/stream", go))
            const closed = yield* cut(4)
            const id = taskIdOf(closed[0]?.result)
            const second = yield* Effect.forkChild(resume(id, closed[0]?.id ?? ""))
            const third = yield* Effect.forkChild(resume(id, lastId(closed)))
            // All of them have heard what there is, and one more has come and gone.
            assert.strictEqual((yield* cut(6)).length, 6)
            yield* Deferred.succeed(gate, undefined)
            const [, ...events] = yield* Fiber.join(first)
            assert.deepStrictEqual(yield* Fiber.join(second), events)
            assert.deepStrictEqual([...closed.slice(1), ...(yield* Fiber.join(third))], events)
            assert.deepStrictEqual((yield* all).events, events)
          })
        )
      })
    )

    test(
      "pitfall 2: resubscribing to what has ended, is not known or is somebody else's",
      Effect.gen(function* () {
        yield* life(
          yield* temporaryFile,
          speaking(),
          Effect.gen(function* () {
            const { events, id } = yield* all
            const ended = errorOf(yield* rpc("tasks/resubscribe", { id }))
            assert.strictEqual(ended.code, ErrorCode.UnsupportedOperation)
            assert.include(ended.message, "completed")
            const answer = (taskId: string, token: string, lastEventId?: string) =>
              Effect.flatMap(
                post(bodyOf("tasks/resubscribe", { id: taskId }), {
                  token,
                  ...(lastEventId === undefined ? undefined : { lastEventId })
                }),
                (response) => Effect.map(response.text, (text) => text.replaceAll(taskId, "ID"))
              )
            for (const cursor of [undefined, lastId(events)]) {
              const notYours = yield* answer(id, "mallory", cursor)
              assert.include(notYours, `${ErrorCode.TaskNotFound}`)
              assert.strictEqual(yield* answer("none", "mallory", cursor), notYours)
            }
            const asAdmin = { token: "admin", lastEventId: events.at(-2)?.id ?? "" }
            assert.deepStrictEqual(yield* listen("tasks/resubscribe", { id }, asAdmin), events.slice(-1))
          })
        )
      })
    )

    test(
      "a task that ends while its snapshot is made is not shown as one that goes on",
      Effect.gen(function* () {
        // The task ends right before its events are read for the snapshot.
        let armed = false
        const ending = replacing((store) => ({
          events: (taskId, after, limit) => {
            // Those who follow ask for pages.
            const now = armed && limit === undefined
            const end = now ? store.setState(taskId, { state: "canceled" }) : Effect.void
            armed &&= !now
            return Effect.andThen(end, store.events(taskId, after, limit))
          }
        }))
        yield* life(
          yield* temporaryFile,
          speaking(7),
          Effect.gen(function* () {
            const id = taskIdOf((yield* cut(7))[0]?.result)
            armed = true
            assert.strictEqual(codeOf(yield* rpc("tasks/resubscribe", { id })), ErrorCode.UnsupportedOperation)
          }),
          ending
        )
      })
    )

    test(
      "a cursor that cannot be read is refused by the name of its field, and nothing is begun",
      Effect.gen(function* () {
        yield* life(
          yield* temporaryFile,
          ExecutorEcho.layer,
          Effect.gen(function* () {
            const fieldOf = (answer: Parameters<typeof errorOf>[0]) => {
              const { code, data } = errorOf(answer)
              assert.strictEqual(code, ErrorCode.InvalidParams)
              return JSON.stringify(data)
            }
            for (const method of ["message/stream", "tasks/resubscribe"]) {
              const params = { ...message("bad"), id: "any" }
              const header = yield* rpc(method, params, { lastEventId: "7" })
              assert.include(fieldOf(header), `"field":"Last-Event-ID"`)
              for (const cursor of ["x-07", 7, null, {}]) {
                const inBody = yield* rpc(method, { ...params, metadata: { "molecule/cursor": cursor } })
                assert.include(fieldOf(inBody), `"field":"metadata.molecule/cursor"`)
              }
            }
            // The message was never taken: with another text it is no conflict.
            const other = { message: { ...message("bad").message, parts: [{ kind: "text", text: "other" }] } }
            assert.deepInclude(resultOf(yield* rpc("message/send", other)), {
              parts: [{ kind: "text", text: "other" }]
            })
            // An empty header is what a client has that has heard nothing yet.
            const fresh = yield* listen("message/stream", message("fresh"), { lastEventId: "" })
            assert.strictEqual(fresh[0]?.result.kind, "task")
          })
        )
      })
    )

    test(
      "after a wipe there is a gap, and then everything",
      Effect.gen(function* () {
        const before = yield* life(yield* temporaryFile, speaking(7), cut(6))
        yield* life(
          yield* temporaryFile,
          speaking(),
          Effect.gen(function* () {
            const lost = yield* rpc(
              "tasks/resubscribe",
              { id: taskIdOf(before[0]?.result) },
              { lastEventId: lastId(before) }
            )
            assert.strictEqual(codeOf(lost), ErrorCode.TaskNotFound)
            const [gap, ...rest] = yield* listen("message/stream", go, { lastEventId: lastId(before) })
            const { events, snapshot } = yield* all
            assert.deepStrictEqual(gapOf(gap), { reason: "epoch", from: lastId(before), to: snapshot.id })
            assert.deepInclude(gap?.result, { kind: "status-update", final: false })
            assert.deepStrictEqual(rest, events)
            // The gap has an id too: who was cut off right behind it is not told of it twice.
            assert.strictEqual(gap?.id, snapshot.id)
          })
        )
      })
    )

    test(
      "a cursor that this server cannot have given is a gap, and then everything",
      Effect.gen(function* () {
        yield* life(
          yield* temporaryFile,
          speaking(),
          Effect.gen(function* () {
            const { events, id, snapshot } = yield* all
            const from = lastId(events).replace(/-\d+$/, "-1000")
            const [gap, ...rest] = yield* resume(id, from)
            assert.deepStrictEqual(gapOf(gap), { reason: "unknown", from, to: snapshot.id })
            assert.deepInclude(gap?.result, { final: false })
            assert.deepStrictEqual(rest, events)
          })
        )
      })
    )

    test(
      "pitfall stream 4: after a trim there is a gap, and then everything that is kept",
      Effect.gen(function* () {
        const file = yield* temporaryFile
        const { events, id, snapshot } = yield* life(file, speaking(), all)
        const at = (sequence: number) => events[0]?.id.replace(/-1$/, `-${sequence}`) ?? ""
        // The oldest event that is left is number 5, the second piece of its artifact.
        const trimmed = replacing((store) => ({
          events: (taskId, after, limit) => store.events(taskId, Math.max(after, 4), limit),
          firstKept: () => Effect.succeed(5)
        }))
        yield* life(
          file,
          speaking(),
          Effect.gen(function* () {
            const [gap, ...rest] = yield* resume(id, at(2))
            assert.deepStrictEqual(gapOf(gap), { reason: "trimmed", from: at(2), to: at(4) })
            assert.deepStrictEqual(
              rest.map((heard) => heard.id),
              events.slice(4).map((heard) => heard.id)
            )
            // After a gap an artifact begins anew; without one it goes on, although its beginning is gone.
            const appends = (heard: ReadonlyArray<Heard>) =>
              heard.map(({ result }) => result.kind === "artifact-update" && result.append)
            const firstPiece = appends(events).indexOf(true, 4)
            assert.isAtLeast(firstPiece, 4)
            assert.isFalse(appends(rest)[firstPiece - 4])
            assert.deepStrictEqual(yield* resume(id, at(4)), events.slice(4))
            assert.deepStrictEqual(yield* resume(id, at(6)), events.slice(6))
            const [fromStart] = yield* resume(id, snapshot.id)
            assert.deepStrictEqual(gapOf(fromStart), { reason: "trimmed", from: snapshot.id, to: at(4) })
          }),
          trimmed
        )
      })
    )

    test(
      "a client that does not read holds up nobody, and is not read for",
      Effect.gen(function* () {
        // 64 MiB, more than a page and the sockets on the way take in.
        const { count, executor, pages, stores } = bulky()
        yield* life(
          yield* temporaryFile,
          executor,
          Effect.gen(function* () {
            resultOf(yield* rpc("message/send", go))
            pages.length = 0
            const reading = yield* Deferred.make<void>()
            const slow = yield* Effect.forkChild(
              Stream.runForEach(streamOf("message/stream", go), () =>
                Effect.andThen(Deferred.succeed(reading, undefined), Effect.never)
              )
            )
            yield* Deferred.await(reading)
            const fast = yield* post(bodyOf("message/stream", go))
            assert.isAbove(yield* Stream.runCount(fast.stream), 0)
            yield* Fiber.interrupt(slow)
            assert.isAtMost(Math.max(...pages), 256)
            // The fast client was read everything for, the slow one was not.
            assert.isBelow(
              pages.reduce((sum, length) => sum + length, 0),
              2 * count
            )
          }),
          stores
        )
      })
    )
  })
}
