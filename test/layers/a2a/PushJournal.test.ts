import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { createHmac } from "node:crypto"
import type * as PushJournal from "../../../src/layers/a2a/PushJournal.ts"
import { A2AOperations } from "../../../src/services/a2a/A2AOperations.ts"
import { PushConfigs } from "../../../src/services/a2a/PushConfigs.ts"
import { temporaryFile } from "../../support/journal.ts"
import { receiver, type Received } from "../../support/pushReceiver.ts"
import { call, messageOf, run, send } from "./operationsFixtures.ts"

const options: Partial<PushJournal.Options> = {
  allow: { loopback: true, private: false },
  pause: { first: 5, longest: 20 }
}

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("5 millis") }),
    Effect.timeout("8 seconds")
  )

const states = (received: ReadonlyArray<Received>) =>
  received.map(({ body }) => {
    const item: unknown = JSON.parse(body)
    return JSON.stringify(item).includes("artifactUpdate") ? "artifact" : (/TASK_STATE_(\w+)/.exec(body)?.[1] ?? "?")
  })

const inFile = <A, E>(use: (filename: string) => Effect.Effect<A, E, Scope.Scope>) =>
  Effect.flatMap(temporaryFile, use).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("PushJournal", () => {
  it.live(
    "pitfall 13: delivers every event of a task in order, signed, each with an id that stays over repetitions",
    () =>
      inFile((filename) =>
        Effect.gen(function* () {
          const { behaviour, received, url } = yield* receiver
          // Every second attempt fails.
          behaviour.status = (index) => (index % 2 === 0 ? 503 : 200)
          const authentication = { scheme: "HMAC-SHA256", credentials: "secret" }
          yield* run(
            filename,
            Effect.gen(function* () {
              const taskPushNotificationConfig = { url, token: "t-1", authentication }
              yield* send(messageOf("parts"), { taskPushNotificationConfig })
              yield* until(() => states(received).at(-1) === "COMPLETED")
            }),
            {},
            options
          )
          assert.deepStrictEqual(states(received).slice(-5), [
            "WORKING",
            "artifact",
            "artifact",
            "artifact",
            "COMPLETED"
          ])
          const ids = received.map(({ headers }) => headers["webhook-id"])
          assert.strictEqual(new Set(ids).size, ids.length)
          for (const { body, headers } of received) {
            const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`
            const signature = createHmac("sha256", "secret").update(signed).digest("base64")
            assert.strictEqual(headers["webhook-signature"], `v1,${signature}`)
            assert.strictEqual(headers["x-a2a-notification-token"], "t-1")
            assert.strictEqual(headers["content-type"], "application/a2a+json")
          }
        })
      )
  )

  it.live("pitfall 14: goes on after a restart where it was, and with what came meanwhile", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { behaviour, received, url } = yield* receiver
        behaviour.status = (index) => (index < 2 ? 200 : 503)
        yield* run(
          filename,
          Effect.gen(function* () {
            yield* send(messageOf("parts"), { taskPushNotificationConfig: { url } })
            yield* until(() => received.length === 2)
          }),
          {},
          options
        )
        behaviour.status = () => 200
        const before = received.length
        yield* run(
          filename,
          until(() => states(received).at(-1) === "COMPLETED"),
          {},
          options
        )
        assert.isAbove(received.length, before)
        // What was taken right before the end may come again, under the same id.
        const all = received.map(({ headers }) => String(headers["webhook-id"]).split("/").at(-1))
        const ids = Array.from(new Set(all))
        assert.isAtMost(all.length - ids.length, 1)
        assert.deepStrictEqual(
          ids,
          ids.map((_, index) => String(index + 1))
        )
      })
    )
  )

  it.live("keeps what is given up as dead letters, and passes it over", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { behaviour, received, url } = yield* receiver
        behaviour.status = (index) => (index === 0 ? 404 : index === 1 ? 302 : 200)
        behaviour.headers = { location: "http://127.0.0.1:1/" }
        yield* run(
          filename,
          Effect.gen(function* () {
            const { dead } = yield* PushConfigs
            const task = yield* send(messageOf("hello"), { taskPushNotificationConfig: { url, id: "mine" } })
            yield* until(() => states(received).at(-1) === "COMPLETED")
            assert.deepStrictEqual(yield* dead(task.id), [
              { id: "mine", sequence: 1, detail: "the receiver answered 404" },
              { id: "mine", sequence: 2, detail: "the receiver answered 302" }
            ])
          }),
          {},
          options
        )
      })
    )
  )

  it.live("pitfall 13: pushes nothing after a configuration is deleted, which may be repeated", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { asked, behaviour, received, url } = yield* receiver
        behaviour.status = () => 503
        yield* run(
          filename,
          Effect.gen(function* () {
            const { createPushConfig, deletePushConfig, getPushConfig, listPushConfigs } = yield* A2AOperations
            const { id: taskId } = yield* send(messageOf("ask"))
            const made = yield* createPushConfig(call(), { taskId, url, token: "t" })
            assert.strictEqual(made.id, taskId)
            assert.deepStrictEqual(yield* getPushConfig(call(), { taskId, id: taskId }), made)
            yield* createPushConfig(call(), { taskId, url, id: "second" })
            assert.strictEqual((yield* listPushConfigs(call(), { taskId })).configs.length, 2)
            yield* send(messageOf("red", { taskId }))
            yield* until(() => asked() > 2)
            for (const id of [taskId, "second", "second"]) yield* deletePushConfig(call(), { taskId, id })
            assert.deepStrictEqual((yield* listPushConfigs(call(), { taskId })).configs, [])
            // What was on its way when it was deleted may still arrive, and is refused like those before.
            yield* Effect.sleep("100 millis")
            behaviour.status = () => 200
            const calls = asked()
            yield* Effect.sleep("100 millis")
            assert.strictEqual(asked(), calls)
            assert.deepStrictEqual(received, [])
            const gone = yield* Effect.flip(getPushConfig(call(), { taskId, id: "second" }))
            assert.strictEqual(gone.reason, "TASK_NOT_FOUND")
          }),
          {},
          options
        )
      })
    )
  )

  it.live("refuses targets that are not of the outside when they are named, and when they are used", () =>
    inFile((filename) =>
      run(
        filename,
        Effect.gen(function* () {
          const { createPushConfig } = yield* A2AOperations
          const { id: taskId } = yield* send(messageOf("ask"))
          for (const url of [
            "http://127.0.0.1/",
            "http://localhost:8080/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://10.1.2.3/",
            "http://169.254.169.254/latest/meta-data",
            "http://[fd00::1]/",
            "http://2130706433/",
            "http://0x7f.1/",
            "ftp://example.com/",
            "https://user:secret@example.com/",
            "nonsense"
          ]) {
            const refused = yield* Effect.flip(createPushConfig(call(), { taskId, url }))
            assert.deepStrictEqual(
              refused.fieldViolations?.map(({ field }) => field),
              ["url"],
              url
            )
          }
        })
      )
    )
  )

  it.live("connects to no address that is not allowed any more, whatever was allowed when it was named", () =>
    inFile((filename) =>
      Effect.gen(function* () {
        const { asked, behaviour, received, url } = yield* receiver
        behaviour.status = () => 503
        const named = url.replace("127.0.0.1", "localhost")
        const { id } = yield* run(
          filename,
          Effect.gen(function* () {
            const task = yield* send(messageOf("hello"), { taskPushNotificationConfig: { url: named } })
            yield* until(() => asked() > 0)
            return task
          }),
          {},
          options
        )
        behaviour.status = () => 200
        const before = asked()
        yield* run(
          filename,
          Effect.gen(function* () {
            const { dead } = yield* PushConfigs
            const letters = yield* dead(id).pipe(
              Effect.repeat({ until: (found) => found.length > 2, schedule: Schedule.spaced("5 millis") }),
              Effect.timeout("8 seconds")
            )
            assert.isAbove(letters.length, 2)
          }),
          {},
          { pause: { first: 1, longest: 2 }, giveUpAfter: 10 }
        )
        assert.strictEqual(asked(), before)
        assert.deepStrictEqual(received, [])
      })
    )
  )
})
