/** What every implementation of `Checkpoint` does, as a suite that each of them runs. */
import { assert, layer as withLayer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Checkpoint, CheckpointInput, type SavedStep } from "../../../src/services/durable/Checkpoint.ts"
import { WorkspaceId } from "../../../src/services/workspace/WorkspaceId.ts"
import { keysAreRead } from "../../support/jsonKeys.ts"

/** Two workspaces for stores that know no workspaces. */
export const someWorkspaces = [
  WorkspaceId.make("bf3dbe33-0ad2-4c9c-9c9e-733e57bdcbee"),
  WorkspaceId.make("0e1b2c3d-0ad2-4c9c-9c9e-733e57bdcbee")
] as const

/** The layer under test, and where it has no workspaces by itself, two that exist there; nothing else may use them. */
export interface Subject<R, E> {
  readonly name: string
  readonly layer: Layer.Layer<Checkpoint | R, E>
  readonly workspaces?: Effect.Effect<readonly [WorkspaceId, WorkspaceId], unknown, R>
  /** How often the properties are tried; fewer where a try is slow. */
  readonly runs?: number
  /** On the real clock: for stores that are reached through sockets. */
  readonly live?: boolean
}

const Workflow = Schema.Literals(["plain", "with/slash", "ü 100% ?#&"])
const Step = Schema.Literals(["task_receive", "llm_call", "task complete/ü"])
const Operation = Schema.Union([
  Schema.TaggedStruct("save", {
    workflowId: Workflow,
    stepName: Step,
    stepIndex: CheckpointInput.fields.stepIndex,
    payload: Schema.Json
  }),
  Schema.TaggedStruct("clear", { workflowId: Workflow })
])
type Saved = Omit<CheckpointInput, "workspaceId">

// Compared as JSON, in which -0 is 0.
const encode = Schema.encodeSync(Schema.fromJsonString(Schema.Json))
const text = ({ payload, stepIndex, stepName, workflowId }: Saved) => encode([workflowId, stepName, stepIndex, payload])
const texts = (steps: ReadonlyArray<Saved>) => steps.map(text)

const addressable = ({ stepName, workflowId }: Saved) =>
  stepName.isWellFormed() && workflowId.isWellFormed() && ![".", "..", "latest"].includes(workflowId)

/** Runs the suite. */
export const checkpointConformance = <R, E>({ layer, live = false, name, runs = 50, workspaces }: Subject<R, E>) =>
  withLayer(layer, { excludeTestServices: live })(`${name} is a Checkpoint`, (it) => {
    const someInput = { stepName: "s", stepIndex: 0, payload: null }
    const setup = Effect.gen(function* () {
      const checkpoint = yield* Checkpoint
      const [a, b] = workspaces === undefined ? someWorkspaces : yield* workspaces
      return { checkpoint, a, b }
    })

    it.effect("what was saved is listed, highest step first, and only in its own workflow and workspace", () =>
      Effect.gen(function* () {
        const { a, b, checkpoint } = yield* setup
        const save = (workflowId: string, stepName: string, stepIndex: number) =>
          checkpoint.save({ workspaceId: a, workflowId, stepName, stepIndex, payload: { stepName } })
        const saved = [
          yield* save("ordered", "task_receive", 0),
          yield* save("ordered", "llm_call", 1),
          yield* save("ordered", "task_complete", 2)
        ]
        yield* save("other", "task_receive", 0)
        const listed = yield* checkpoint.list(a, "ordered")
        assert.deepStrictEqual(texts(listed), texts(saved.toReversed()))
        assert.deepStrictEqual(
          listed.map(({ id }) => id),
          saved.toReversed().map(({ id }) => id)
        )
        assert.deepStrictEqual(yield* checkpoint.list(b, "ordered"), [])
      })
    )

    it.effect("equal steps come newest first", () =>
      Effect.gen(function* () {
        const { a, checkpoint } = yield* setup
        for (const stepName of ["one", "two", "three", "one"]) {
          yield* checkpoint.save({ workspaceId: a, workflowId: "equal", stepName, stepIndex: 7, payload: null })
        }
        const names = (yield* checkpoint.list(a, "equal")).map(({ stepName }) => stepName)
        assert.deepStrictEqual(names, ["one", "three", "two"])
      })
    )

    it.effect("a repeat replaces the step and keeps its id", () =>
      Effect.gen(function* () {
        const { a, checkpoint } = yield* setup
        const key = { workspaceId: a, workflowId: "repeat", stepName: "s" }
        const first = yield* checkpoint.save({ ...key, stepIndex: 0, payload: "first" })
        const [before] = yield* checkpoint.list(a, "repeat")
        const second = yield* checkpoint.save({ ...key, stepIndex: 5, payload: "second" })
        const [after, ...more] = yield* checkpoint.list(a, "repeat")
        assert.strictEqual(second.id, first.id)
        assert.strictEqual(more.length, 0)
        assert.isTrue(before !== undefined && after !== undefined)
        if (before === undefined || after === undefined) return
        assert.strictEqual(text(after), text({ ...key, stepIndex: 5, payload: "second" }))
        assert.isTrue(DateTime.isGreaterThanOrEqualTo(after.completedAt, before.completedAt))
      })
    )

    it.effect("latest is the step written last, over all workflows, repeats counted", () =>
      Effect.gen(function* () {
        const { a, checkpoint } = yield* setup
        for (const [workflowId, stepName, stepIndex] of [
          ["l1", "high", 9],
          ["l2", "low", 0],
          ["l1", "low", 0],
          ["l2", "low", 0]
        ] as const) {
          const saved = yield* checkpoint.save({ workspaceId: a, workflowId, stepName, stepIndex, payload: null })
          const latest = yield* checkpoint.latest(a)
          assert.deepStrictEqual(
            Option.map(latest, ({ id }: SavedStep) => id),
            Option.some(saved.id)
          )
        }
      })
    )

    it.effect("clear removes one workflow and counts", () =>
      Effect.gen(function* () {
        const { a, b, checkpoint } = yield* setup
        for (const workspaceId of [a, b]) {
          for (const stepName of ["one", "two"]) {
            yield* checkpoint.save({ workspaceId, workflowId: "cleared", stepName, stepIndex: 0, payload: null })
          }
        }
        assert.strictEqual(yield* checkpoint.clear(a, "cleared"), 2)
        assert.strictEqual(yield* checkpoint.clear(a, "cleared"), 0)
        assert.strictEqual((yield* checkpoint.list(b, "cleared")).length, 2)
        assert.strictEqual(yield* checkpoint.clear(b, "cleared"), 2)
      })
    )

    it.effect("nothing there is nothing, not an error", () =>
      Effect.gen(function* () {
        const { b, checkpoint } = yield* setup
        yield* checkpoint.clear(b, "cleared")
        assert.deepStrictEqual(yield* checkpoint.latest(b), Option.none())
        assert.deepStrictEqual(yield* checkpoint.list(b, "never"), [])
        assert.strictEqual(yield* checkpoint.clear(b, "never"), 0)
      })
    )

    it.effect("what does not fit the schema is rejected, and leaves nothing", () =>
      Effect.gen(function* () {
        const { a, checkpoint } = yield* setup
        const wrong = [
          { ...someInput, workflowId: "" },
          { ...someInput, workflowId: "w".repeat(256) },
          { ...someInput, workflowId: "wrong", stepName: "" },
          { ...someInput, workflowId: "wrong", stepName: "s".repeat(256) },
          { ...someInput, workflowId: "wrong", stepName: "half a pair \ud800" },
          { ...someInput, workflowId: "wrong", stepIndex: 0.5 },
          { ...someInput, workflowId: "wrong", stepIndex: 2 ** 31 },
          { ...someInput, workflowId: "wrong", payload: Number.NaN }
        ]
        for (const input of wrong) {
          const error = yield* Effect.flip(checkpoint.save({ ...input, workspaceId: a }))
          assert.strictEqual(error._tag, "CheckpointRejected", error.message)
        }
        assert.deepStrictEqual(yield* checkpoint.list(a, "wrong"), [])
      })
    )

    it.effect.prop(
      "any input that fits the schema comes back as it went in",
      [CheckpointInput],
      ([input]) =>
        Effect.gen(function* () {
          const { a, checkpoint } = yield* setup
          if (!addressable(input) || !keysAreRead(input)) return
          const saved = yield* checkpoint.save({ ...input, workspaceId: a })
          assert.strictEqual(text(saved), text(input))
          const listed = yield* checkpoint.list(a, input.workflowId)
          assert.strictEqual(
            listed
              .filter(({ stepName }) => stepName === input.stepName)
              .map(text)
              .join(),
            text(input)
          )
          yield* checkpoint.clear(a, input.workflowId)
        }),
      { arbitrary: { runs } }
    )

    it.effect.prop(
      "after any operations it holds what a plain list would hold",
      [Schema.Array(Operation)],
      ([operations]) =>
        Effect.gen(function* () {
          const { b, checkpoint } = yield* setup
          let model: ReadonlyArray<Saved> = []
          for (const workflowId of Workflow.literals) yield* checkpoint.clear(b, workflowId)
          for (const operation of operations) {
            if (operation._tag === "save") {
              const { _tag: _, ...input } = operation
              yield* checkpoint.save({ ...input, workspaceId: b })
              model = [
                ...model.filter((one) => one.workflowId !== input.workflowId || one.stepName !== input.stepName),
                input
              ]
            } else {
              const cleared = model.filter((one) => one.workflowId === operation.workflowId)
              assert.strictEqual(yield* checkpoint.clear(b, operation.workflowId), cleared.length)
              model = model.filter((one) => one.workflowId !== operation.workflowId)
            }
          }
          for (const workflowId of Workflow.literals) {
            const expected = model
              .filter((one) => one.workflowId === workflowId)
              .toReversed()
              .toSorted((x, y) => y.stepIndex - x.stepIndex)
            assert.deepStrictEqual(texts(yield* checkpoint.list(b, workflowId)), texts(expected))
          }
          assert.deepStrictEqual(
            Option.map(yield* checkpoint.latest(b), text),
            Option.map(Option.fromUndefinedOr(model.at(-1)), text)
          )
        }),
      { arbitrary: { runs } }
    )
  })
