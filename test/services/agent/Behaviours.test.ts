import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as ExecutorBehaviours from "../../../src/layers/agent/ExecutorBehaviours.ts"
import {
  type Behaviour,
  behaviourFor,
  Behaviours,
  BehavioursError,
  unknownMessage
} from "../../../src/services/agent/Behaviours.ts"
import { root, temporaryDirectory } from "../../support/processes.ts"
import { keysAreRead } from "../../support/jsonKeys.ts"

const named = (name: string): Behaviour => [{ do: "fail", detail: name }]
const nameOf = ([action]: Behaviour) => (action.do === "fail" ? action.detail : action.do)

describe("behaviourFor", () => {
  const Id = Schema.Array(Schema.Literals(["a", "b", "-"])).check(Schema.isMaxLength(6))
  it.prop(
    "takes the longest of the beginnings that fit, whatever their order",
    [Schema.Array(Id).check(Schema.isMaxLength(8)), Id],
    ([prefixes, id]) => {
      const names = prefixes.map((prefix) => prefix.join("")).filter((prefix) => prefix !== "")
      const messageId = id.join("")
      const fitting = names.filter((name) => messageId.slice(0, name.length) === name)
      const longest = fitting.toSorted((one, other) => other.length - one.length)[0]
      const behaviours = Object.fromEntries(names.map((name) => [name, named(name)]))
      const found = behaviourFor({ behaviours }, { messageId, text: "" })
      assert.deepStrictEqual(found, longest === undefined ? unknownMessage : named(longest))
    }
  )

  it("takes a longer one before a shorter one, wherever it stands", () => {
    const names = ["tck-artifact-file", "tck-artifact-file-url", "tck"]
    for (const order of [names, names.toReversed()]) {
      const behaviours = Object.fromEntries(order.map((name) => [name, named(name)]))
      const of = (messageId: string) => nameOf(behaviourFor({ behaviours }, { messageId, text: "" }))
      assert.deepStrictEqual(
        [of("tck-artifact-file-url-1"), of("tck-artifact-file-1"), of("tck-other"), of("tc")],
        ["tck-artifact-file-url", "tck-artifact-file", "tck", "reject"]
      )
    }
  })

  it("looks at the text only where it shall, and only where no id fits", () => {
    const behaviours = { one: named("one"), two: named("two") }
    const message = { messageId: "one-1", text: " two, please" }
    const other = { ...message, messageId: "x" }
    assert.strictEqual(nameOf(behaviourFor({ behaviours, matchText: true }, message)), "one")
    assert.strictEqual(nameOf(behaviourFor({ behaviours, matchText: true }, other)), "two")
    assert.strictEqual(nameOf(behaviourFor({ behaviours }, other)), "reject")
    assert.strictEqual(nameOf(behaviourFor({ behaviours, otherwise: named("else") }, other)), "else")
  })
})

layer(NodeServices.layer)("a file of behaviours", (it) => {
  it.effect.prop("comes back as it was written", [Behaviours], ([behaviours]) =>
    Effect.gen(function* () {
      if (!keysAreRead(behaviours)) return
      const File = Schema.fromJsonString(Behaviours)
      const text = yield* Schema.encodeEffect(File)(behaviours)
      // By its text: JSON has one zero.
      assert.strictEqual(yield* Schema.encodeEffect(File)(yield* Schema.decodeEffect(File)(text)), text)
    })
  )

  it.effect("the example has every action, and every kind of part", () =>
    Effect.gen(function* () {
      const { behaviours } = yield* ExecutorBehaviours.read(`${root}examples/behaviours.json`)
      const actions = Object.values(behaviours).flat()
      const kinds = new Set<string>(actions.map((action) => action.do))
      for (const kind of ["answer", "artifact", "remark", "work", "ask", "complete", "fail", "reject"]) {
        assert.isTrue(kinds.has(kind), kind)
      }
      const parts = actions.flatMap((action) => (action.do === "artifact" ? action.artifact.parts : []))
      for (const kind of ["text", "raw", "url", "data"])
        assert.isTrue(
          parts.some((part) => kind in part),
          kind
        )
    })
  )

  const refusals: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["what is no JSON", "{", /valid JSON/],
    ["no behaviours", "{}", /Missing key[^]*\["behaviours"\]/],
    ["an empty behaviour", '{"behaviours":{"a":[]}}', /\["behaviours"\]\["a"\]\[0\]/],
    ["work without an end", '{"behaviours":{"a":[{"do":"work","seconds":1e9}]}}', /3600[^]*\["seconds"\]/],
    ["a word that is none", '{"behaviours":{"a":[{"do":"fly"}]}}', /\["behaviours"\]\["a"\]\[0\]/],
    [
      "two kinds in a part",
      '{"behaviours":{"a":[{"do":"answer","parts":[{"text":"a","data":1}]}]}}',
      /\["parts"\]\[0\]/
    ],
    [
      "something behind the end",
      '{"behaviours":{"a":[{"do":"fail","detail":"x"},{"do":"complete"}]}}',
      /nothing is done behind "fail"[^]*\["a"\]\[1\]/
    ],
    [
      "a message behind something else",
      '{"behaviours":{"a":[{"do":"work","seconds":1},{"do":"answer","parts":[{"text":"a"}]}]}}',
      /let "answer" stand alone[^]*\["a"\]\[1\]/
    ]
  ]
  for (const [what, text, expected] of refusals) {
    it.effect(`refuses ${what}, and tells where it stands and where to read on`, () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = `${yield* temporaryDirectory}/behaviours.json`
        yield* fs.writeFileString(file, text)
        const error = yield* Effect.flip(ExecutorBehaviours.read(file))
        assert.instanceOf(error, BehavioursError)
        assert.match(error.message, expected)
        assert.include(error.message, file)
        assert.include(error.message, "docs/a2a-test-agent.md")
      })
    )
  }
})
