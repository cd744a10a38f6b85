/**
 * One message through the team, watched from outside.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import { A2AClient } from "../../services/a2a/A2AClient.ts"
import { phases } from "../../services/durable/AgentTask.ts"
import { type RunReport, type StepReport, TeamError } from "../../services/local/Team.ts"
import * as Board from "./board.ts"
import type { Placed } from "./teamSetup.ts"

/** How long the whole task may take before we stop waiting for it. */
const taskTimeout = Duration.minutes(30)

/** Checkpoints travel behind the task; this long we wait for the last of them. */
const stepsTimeout = "10 seconds"

/** How often the platform is asked for new steps. */
const watchInterval = "200 millis"

const keyOf = (step: typeof StepReport.Type) => `${step.workspace}/${step.workflowId}/${step.name}`

/**
 * Sends `text` to the first member (the coordinator) and reports how it ended. `onStep` sees each step once, as it is
 * checkpointed, with how many of how many are there; `onTable` the team's table whenever it looks different.
 */
export const run = Effect.fn("teamRun.run")(function* (options: {
  readonly members: ReadonlyArray<Placed>
  readonly platformUrl: string
  readonly messageId: string
  readonly text: string
  readonly onStep: (step: typeof StepReport.Type, done: number, all: number) => Effect.Effect<void>
  readonly onTable: (table: string) => Effect.Effect<void>
}) {
  const a2a = yield* A2AClient
  const { members, messageId, platformUrl, text } = options
  const [lead] = members
  const all = members.length * phases.length
  if (lead === undefined) return yield* Effect.die("a team has at least a lead")

  // Steps that were there before belong to former tasks.
  const before = yield* Effect.orElseSucceed(Board.steps(members), () => [])
  const seen = yield* Ref.make<ReadonlySet<string>>(new Set(before.map(keyOf)))
  const steps = yield* Ref.make<ReadonlyArray<typeof StepReport.Type>>([])
  const shown = yield* Ref.make("")

  const lookForSteps = Effect.gen(function* () {
    for (const step of yield* Board.steps(members)) {
      const known = yield* Ref.get(seen)
      if (known.has(keyOf(step))) continue
      yield* Ref.set(seen, new Set([...known, keyOf(step)]))
      const done = yield* Ref.updateAndGet(steps, (found) => [...found, step])
      yield* options.onStep(step, done.length, all)
    }
  })
  const lookAtTable = Effect.gen(function* () {
    const table = yield* Board.table(members)
    if ((yield* Ref.getAndSet(shown, table)) !== table) yield* options.onTable(table)
  })
  // The platform may be away for a while; the task goes on, and so does the watching.
  const look = Effect.andThen(lookForSteps, lookAtTable).pipe(
    Effect.catch((error) => Effect.logDebug("the platform cannot be watched now", { detail: error.message }))
  )

  yield* look
  const watcher = yield* Effect.forkChild(Effect.repeat(look, Schedule.spaced(watchInterval)))
  const exchanged = yield* a2a
    .exchange({ target: lead.id, messageId, contextId: messageId, text, timeout: taskTimeout })
    .pipe(
      Effect.mapError(
        (error) =>
          new TeamError({ detail: error.message, remedy: "the logs are in the state directory, one for each program" })
      )
    )
  yield* Fiber.interrupt(watcher)

  yield* Effect.andThen(look, Ref.get(steps)).pipe(
    Effect.repeat({ schedule: Schedule.spaced(watchInterval), until: (found) => found.length >= all }),
    Effect.timeoutOption(stepsTimeout)
  )
  const found = yield* Ref.get(steps)
  const order = (step: typeof StepReport.Type) => members.findIndex(({ member }) => member.name === step.workspace)
  return {
    platformUrl,
    taskId: exchanged.taskId,
    state: exchanged.state,
    steps: found.toSorted(
      (a, b) => order(a) - order(b) || a.workflowId.localeCompare(b.workflowId) || a.index - b.index
    ),
    result: exchanged.text
  } satisfies typeof RunReport.Type
})

/** Waits until every member is online. */
export const awaitTeam = (members: ReadonlyArray<Placed>) =>
  Board.allOnline(members).pipe(
    Effect.filterOrFail(Predicate.isTruthy, () => new TeamError({ detail: "not online yet", remedy: "wait" })),
    Effect.asVoid
  )
