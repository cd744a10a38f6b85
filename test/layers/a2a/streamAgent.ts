/**
 * A program for the crash tests: an agent that says a lot, in a process that the test can kill.
 * Argument: the file of its stores. It prints its address.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpServer from "effect/http/HttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as ExecutorFunction from "../../../src/layers/agent/ExecutorFunction.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { output, progress, Step } from "../../../src/services/durable/Step.ts"
import * as Agent from "../../support/agent.ts"
import { storesAt } from "./streamStores.ts"

const [, , file = ""] = process.argv

const Talkative = ExecutorFunction.layer(() =>
  Effect.gen(function* () {
    const { emit, step } = yield* Step
    for (const name of ["first", "second", "third"]) {
      yield* emit(progress(name))
      yield* step(
        name,
        Schema.Void,
        Effect.forEach(
          Array.from({ length: 60 }, (_, index) => index + 1),
          (number) => emit(number % 7 === 0 ? progress(`${name} ${number}`) : output(`${number} `)),
          { discard: true }
        )
      )
    }
    return new TaskOutput({ text: "done" })
  })
)

const Address = Layer.effectDiscard(HttpServer.addressFormattedWith((address) => Console.log(`at ${address}`)))

NodeRuntime.runMain(Layer.launch(Address.pipe(Layer.provide(Agent.layerOn(storesAt(file), Talkative, Agent.Trusting)))))
