import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { fileURLToPath } from "node:url"
import * as ExecutorModule from "../../../src/layers/agent/ExecutorModule.ts"
import * as StepDirect from "../../../src/layers/durable/StepDirect.ts"
import * as WorkspaceSettingsEnv from "../../../src/layers/workspace/WorkspaceSettingsEnv.ts"
import { AgentExecutor } from "../../../src/services/agent/AgentExecutor.ts"
import { Delegation } from "../../../src/services/team/Delegation.ts"
import { root } from "../../support/processes.ts"

const Nobody = Layer.succeed(Delegation, Delegation.of({ children: Effect.succeed([]), delegate: () => Effect.never }))
const Services = Layer.mergeAll(NodeServices.layer, NodeHttpClient.layerUndici, NodeCrypto.layer, Nobody)

const task = { taskId: "t", contextId: "c", messageId: "m", caller: "admin", text: "hello" }

/** The answer of the executor that a file with this text exports, or the error. */
const run = Effect.fnUntraced(function* (text: string, name = "agent.ts") {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped({ prefix: "molecule-module-" })
  const file = `${directory}/${name}`
  yield* files.writeFileString(file, text)
  const executor = yield* Effect.provide(AgentExecutor, ExecutorModule.layerWith({ file }))
  const events = yield* Ref.make<ReadonlyArray<StepDirect.DirectEvent>>([])
  const { text: answer } = yield* Effect.provide(executor.execute(task), StepDirect.layerWith(events))
  return { name: executor.name, answer }
}, Effect.scoped)

const source = (path: string) => JSON.stringify(new URL(`src/${path}`, `file://${root}`).href)
const effect = (path: string) => JSON.stringify(import.meta.resolve(`effect/${path}`))
const head = `
import * as Effect from ${effect("Effect")}
import * as FileSystem from ${effect("FileSystem")}
import * as Layer from ${effect("Layer")}
import { AgentExecutor } from ${source("services/agent/AgentExecutor.ts")}
import { TaskInput, TaskOutput } from ${source("services/durable/AgentTask.ts")}
import { Delegation } from ${source("services/team/Delegation.ts")}
const shout = (task: TaskInput) => Effect.succeed(new TaskOutput({ text: task.text.toUpperCase() }))
`

describe("ExecutorModule", () => {
  it.effect("an executor value, and a layer with what it may require", () =>
    Effect.gen(function* () {
      const value = yield* run(`${head}export default { name: "shout", execute: shout }`)
      assert.deepStrictEqual(value, { name: "shout", answer: "HELLO" })

      const layer = yield* run(`${head}
        export default Layer.effect(AgentExecutor, Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const { children } = yield* Delegation
          const count = (yield* children).length
          return { name: "layer", execute: (task) => Effect.as(files.exists("/"), new TaskOutput({ text: String(count) })) }
        }).pipe(Effect.orDie))`)
      assert.deepStrictEqual(layer, { name: "layer", answer: "0" })
    }).pipe(Effect.provide(Services))
  )

  it.effect("the example of docs/workspace.md", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const guide = yield* files.readFileString(`${root}docs/workspace.md`)
      const [, example = ""] = /```ts\n(\/\/ agent\.ts\n[^]*?)```/.exec(guide) ?? []
      // A file in a temporary folder does not find packages by their names.
      const found = example
        .replaceAll(/"effect\/(\w+)"/g, (_, path: string) => effect(path))
        .replaceAll('"molecule-effect"', source("index.ts"))
      assert.deepStrictEqual(yield* run(found), { name: "word-counter", answer: "1 words" })
      for (const setting of ["MOLECULE_EXECUTOR=module", "MOLECULE_EXECUTOR_MODULE=agent.ts"]) {
        assert.include(guide, setting)
      }
    }).pipe(Effect.provide(Services))
  )

  const wrong: ReadonlyArray<readonly [what: string, text: string, reason: string, said: string]> = [
    ["no default export", `${head}export const agent = shout`, "export", "no default export"],
    ["another default export", `export default 42`, "export", "not an executor"],
    ["an executor without a name", `${head}export default { execute: shout }`, "export", "not an executor"],
    ["a layer of something else", `${head}export default Layer.empty`, "export", "does not provide AgentExecutor"],
    ["a file that throws", `throw new Error("boom")`, "load", "boom"],
    ["a file that is no program", `export default <`, "load", "cannot be loaded"],
    [
      "a layer that fails",
      `${head}export default Layer.effect(AgentExecutor, Effect.fail(new Error("no key")))`,
      "build",
      "no key"
    ],
    [
      "a layer that requires what is not there",
      `${head}import * as Context from ${effect("Context")}
       export default Layer.effect(AgentExecutor, Context.Service("Another"))`,
      "build",
      "Another"
    ]
  ]
  it.effect.each(wrong)("%s is an error that names variable, file and remedy", ([, text, reason, said]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run(text))
      assert.instanceOf(error, ExecutorModule.ExecutorModuleError)
      assert.strictEqual(error.reason, reason)
      for (const part of ["MOLECULE_EXECUTOR_MODULE=/", "agent.ts", said, error.remedy]) {
        assert.include(error.message, part)
      }
    }).pipe(Effect.provide(Services))
  )

  it.effect("a file that is not there, or is a directory", () =>
    Effect.gen(function* () {
      for (const file of ["/no/such/agent.ts", fileURLToPath(new URL(".", import.meta.url))]) {
        const error = yield* Effect.flip(Effect.provide(AgentExecutor, ExecutorModule.layerWith({ file })))
        assert.strictEqual(error.reason, "missing")
        assert.include(error.message, "there is no such file")
      }
    }).pipe(Effect.provide(Services))
  )
})

describe("MOLECULE_EXECUTOR=module", () => {
  const read = (environment: Record<string, string>) =>
    Effect.provideService(
      Effect.map(WorkspaceSettingsEnv.config, ({ executor }) => executor),
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromUnknown(environment)
    )

  it.effect("names a file, which is required", () =>
    Effect.gen(function* () {
      const chosen = yield* read({ MOLECULE_EXECUTOR: "module", MOLECULE_EXECUTOR_MODULE: "agent.ts" })
      assert.deepStrictEqual(chosen, { _tag: "module", file: "agent.ts" })
      const missing = yield* Effect.flip(read({ MOLECULE_EXECUTOR: "module" }))
      assert.include(missing.message, "MOLECULE_EXECUTOR_MODULE")
    })
  )
})
