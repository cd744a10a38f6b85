import { assert, describe, it } from "@effect/vitest"
import { milliseconds, parse, readDotenv } from "../../src/programs/a2aArguments.ts"

describe("the command line of a2a", () => {
  it("finds the command wherever options stand", () => {
    for (const line of [
      "-o json task get t1",
      "task get t1 -o json",
      "task --output=json get t1",
      "task -o json get -- t1"
    ]) {
      const { args, command, problem, values } = parse(line.split(" "))
      assert.deepStrictEqual(
        [command?.words, args, values.get("output"), problem],
        ["task get", ["t1"], ["json"], undefined]
      )
    }
    assert.strictEqual(parse(["send", "get"]).command?.words, "send")
  })

  it("keeps parts in their order", () => {
    const { parts } = parse(["send", "--file", "a", "--media-type", "b/c", "hello", "--data", "-", "--text=x"])
    assert.deepStrictEqual(
      parts.map(({ option, value }) => `${option} ${value}`),
      ["file a", "media-type b/c", "argument hello", "data -", "text x"]
    )
  })

  it("leaves the text of a delegated task alone", () => {
    const { args, values } = parse(["delegate", "--async", "id", "do", "it", "--async", "-h", "--"])
    assert.deepStrictEqual(args, ["id", "do", "it", "--async", "-h", "--"])
    assert.deepStrictEqual([...values.keys()], ["async"])
    assert.isFalse(parse(["delegate", "id", "do", "--async"]).values.has("async"))
  })

  it("takes aliases for what they stand for, and tells what is wrong", () => {
    for (const alias of ["--async", "--no-wait", "--return-immediately"]) {
      assert.deepStrictEqual([...parse(["send", "x", alias]).values.keys()], ["async"])
    }
    assert.isTrue(parse(["task", "get", "t", "--watch"]).values.has("wait"))
    assert.include(parse(["send", "--nonsense"]).problem, "--nonsense")
    assert.include(parse(["send", "--text"]).problem, "needs a value")
    assert.include(parse(["task", "get"]).problem, "<task-id>")
    assert.include(parse(["task", "list", "--text", "x"]).problem, "--text")
    assert.include(parse(["peers", "-o", "json"]).problem, "--output")
    assert.strictEqual(parse(["frobnicate", "x"]).unknown, "frobnicate x")
  })

  it("reads files of settings and durations", () => {
    const file = "# c\nexport A2ACLI_BEARER='a b' # d\nA2ACLI_OUTPUT=json # e\nA2ACLI_API_KEY=\"x#y\"\nOTHER=1\n"
    assert.deepStrictEqual(
      [...readDotenv(file)],
      [
        ["A2ACLI_BEARER", "a b"],
        ["A2ACLI_OUTPUT", "json"],
        ["A2ACLI_API_KEY", "x#y"]
      ]
    )
    assert.deepStrictEqual(["90s", "1.5m", "20ms", "3", "1h", "x", "-1s"].map(milliseconds), [
      90_000,
      90_000,
      20,
      3000,
      3_600_000,
      undefined,
      undefined
    ])
  })
})
