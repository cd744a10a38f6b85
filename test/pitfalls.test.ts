/**
 * Where A2A servers, streams and durable engines fail: each line of the collection that this project keeps is a test that
 * begins with the line's name. This file looks whether none is missing, and has the ten of durable execution, whose
 * histories are played by the recovery matrix.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { cells, histories } from "./recovery/matrix.ts"
import { points } from "./recovery/plan.ts"

const source = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8")

/** What servers miss, what streams get wrong, and work that is silently stuck: the line, and the file of its test. */
const lines: ReadonlyArray<readonly [name: string, what: string, file: string]> = [
  ["pitfall 1", "a message after the end is refused", "layers/a2a/OperationsDurable.test.ts"],
  ["pitfall 2", "so is a subscription; an unknown task is not found", "layers/a2a/streamConformance.ts"],
  ["pitfall 3", "who streams can be subscribed to", "layers/a2a/eventStream.test.ts"],
  ["pitfall 4", "a subscription begins with the task, after a restart too", "layers/a2a/streamConformance.ts"],
  ["pitfall 5", "media types that are not taken are refused", "layers/a2a/OperationsDurable.test.ts"],
  ["pitfall 6", "versions are looked at; none is 0.3", "layers/a2a/ServerHttp.test.ts"],
  ["pitfall 7", "broken JSON is an answer of JSON-RPC", "layers/a2a/ServerHttp.test.ts"],
  ["pitfall 8", "lists: the last page, the order, no artifacts", "layers/a2a/ServerHttp.test.ts"],
  ["pitfall 9", "every status has its time", "layers/a2a/protocolRules.test.ts"],
  ["pitfall 10", "errors have their details and their numbers", "layers/a2a/ServerHttp.test.ts"],
  ["pitfall 11", "all streams of a task are the same", "layers/a2a/streamConformance.ts"],
  ["pitfall 12", "what is not yours is not there", "layers/a2a/ServerHttp.test.ts"],
  ["pitfall 13", "push configurations: deleted twice; deliveries authenticated", "layers/a2a/PushJournal.test.ts"],
  ["pitfall 14", "push arrives", "layers/a2a/PushJournal.test.ts"],
  ["pitfall stream 1", "numbers go on after a restart", "layers/a2a/streamConformance.ts"],
  ["pitfall stream 2", "what is replayed comes before what is live", "layers/a2a/streamConformance.ts"],
  ["pitfall stream 3", "an event is the same whenever it is read", "layers/durable/taskEventConformance.ts"],
  ["pitfall stream 4", "what is gone is a gap", "layers/a2a/streamConformance.ts"],
  ["pitfall stream 5", "what was heard is kept, over kill -9", "layers/a2a/streamCrash.test.ts"],
  ["pitfall stuck", "work that nothing wakes is found and named", "layers/durable/taskWatch.test.ts"]
]

describe("pitfalls", () => {
  it.each(lines)("%s (%s) has a test of that name", (name, _, file) => {
    const titles = Array.from(source(file).matchAll(/["`](pitfall[^"`]*?): /g), ([, title]) => title)
    assert.include(titles, name)
  })

  it("the ten of durable execution are the histories of the matrix", () => {
    assert.strictEqual(histories.length, 10)
  })

  for (const [index, { cells: made, name, title }] of histories.entries()) {
    it(`pitfall durable ${index + 1}: ${title}: killed at every point, with the disk and without`, () => {
      const own = cells.filter(({ history }) => history === name)
      assert.strictEqual(own.length, points.length * 2)
      // The one that is a setting and not a history: every cell runs the production program.
      if (typeof made !== "function") return assert.include(made.notApplicable, "production")
      for (const { id, outcome } of own) assert.strictEqual(outcome._tag, "Run", id)
    })
  }
})
