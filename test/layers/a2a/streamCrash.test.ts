import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import {
  apply,
  decodeTask,
  type Heard,
  lastId,
  listen,
  message,
  resultOf,
  rpc,
  sequenceOf,
  streamOf,
  taskIdOf
} from "../../support/agentClient.ts"
import { eventually, Machine, start, temporaryDirectory } from "../../support/processes.ts"

const go = message("go")

// An agent in a process of its own, on the file, and where it listens.
const startAgent = Effect.fnUntraced(function* (file: string) {
  const agent = yield* start("../../test/layers/a2a/streamAgent", [file], {})
  const at = yield* eventually(
    Effect.flatMap(agent.stdout, (text) => Effect.fromNullishOr(/^at (\S+)$/m.exec(text)?.[1]))
  ).pipe(Effect.tapError(() => Effect.flatMap(agent.output, (text) => Effect.logError(text))))
  return { ...agent, at }
})

describe.concurrent("streams over kill -9", () => {
  // After how many events of each life the process is killed, while it goes on saying more.
  for (const lives of [
    [1, 1, 59],
    [30, 100, 3]
  ]) {
    it.live(
      `pitfall stream 5: a client that hears ${lives.join(", then ")} events between the kills has heard everything, once, in order`,
      () =>
        Effect.gen(function* () {
          const file = `${yield* temporaryDirectory}/tasks.db`
          const heard: Array<Heard> = []
          for (const [life, count] of lives.entries()) {
            const { at, exitCode, signal } = yield* startAgent(file)
            const stream =
              life === 0
                ? streamOf("message/stream", go, { at })
                : streamOf("tasks/resubscribe", { id: taskIdOf(heard[0]?.result) }, { at, lastEventId: lastId(heard) })
            heard.push(...(yield* Stream.runCollect(Stream.take(stream, count))))
            yield* signal("SIGKILL")
            assert.strictEqual(yield* exitCode, -1)
          }
          const { at } = yield* startAgent(file)
          const id = taskIdOf(heard[0]?.result)
          heard.push(...(yield* listen("tasks/resubscribe", { id }, { at, lastEventId: lastId(heard) })))
          assert.deepStrictEqual(
            heard.map(sequenceOf),
            heard.map((_, index) => index)
          )
          // What it heard is what is kept, and makes the same of the task.
          const [, ...kept] = yield* listen("message/stream", go, { at })
          const [, ...events] = heard
          assert.deepStrictEqual(events, kept)
          const task = yield* decodeTask(resultOf(yield* rpc("tasks/get", { id }, { at })))
          assert.strictEqual(task.status.state, "completed")
          assert.deepStrictEqual(apply([], events), apply(task.artifacts, []))
        }).pipe(Effect.scoped, Effect.provide(Machine)),
      60_000
    )
  }
})
