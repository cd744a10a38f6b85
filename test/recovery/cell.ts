/**
 * Plays one cell of the matrix with real processes, and takes down what is to be checked.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { PlatformClient } from "../../src/services/platform/PlatformClient.ts"
import type { Death, Evidence } from "./checker.ts"
import { type Address, call, control, follow, type Followed, getTask } from "./client.ts"
import { turnOf } from "./effects.ts"
import * as JournalView from "./journalView.ts"
import type { Action, Condition, Plan, Role } from "./plan.ts"
import * as World from "./world.ts"

/** A cell takes a second or three; what is not over by then has stalled. */
const deadline = 30_000

/** The value that is given to a wait. */
const word = "word"

/** How often the conditions are looked at. */
const look = "20 millis"

/** What is said of a task that is held under other code: its step, and both versions. */
const tellsOfCode = /begun by .* with code v1, last completed step \S+ .*; this program has .* with code v2/s

/** What came of a cell, and what its processes said, for a report. */
export interface Played {
  readonly evidence: Evidence
  readonly output: string
}

/** One process that is started, killed and started again. */
interface Actor {
  readonly role: Role
  readonly home: World.Home
  life: number
  process: World.Life
}

const messageId = "recovery-message"

/** Plays a cell on a platform that runs. */
export const play = Effect.fnUntraced(function* (address: Address, directory: string, plan: Plan, wiped: boolean) {
  const trouble: Array<string> = []
  const deaths: Array<Death> = []
  const named = new Set<string>()
  const outputs: Array<string> = []
  const environment = wiped ? { MOLECULE_ACK: "platform" } : {}
  const { workspaces } = yield* PlatformClient

  // Where the disk goes, each step before it waits until the platform has what came before: what must not run again is
  // then known.
  const isLost = (role: Role, life: number) => wiped && role === plan.victim && life === 1
  const startActor = (role: Role, home: World.Home, life: number) => {
    const options = role === plan.victim ? plan.lives[life - 1] : undefined
    return World.startLife(address.url, home, { ...options, inTurns: isLost(role, life), environment })
  }
  const makeActor = Effect.fnUntraced(function* (role: Role, parent?: World.Home["id"]) {
    const home = yield* World.makeHome(directory, role, parent)
    const process = yield* startActor(role, home, 1)
    return { role, home, life: 1, process } satisfies Actor as Actor
  })
  const worker = yield* makeActor("worker")
  const actors = [worker, ...(plan.withChild ? [yield* makeActor("child", worker.home.id)] : [])]
  // A child that is not there yet costs its parent seconds of trying again, which are no part of the history.
  yield* Effect.repeat(
    Effect.forEach(actors, ({ process }) => process.output),
    { until: (said) => said.every((text) => text.includes("registered")), schedule: Schedule.spaced(look), times: 500 }
  )
  const actorOf = (role: Role) => actors.find((one) => one.role === role) ?? worker
  const victim = actorOf(plan.victim)

  const followed: Followed = { stream: [], taskId: undefined, ended: false, refusal: "" }
  const client = yield* Effect.tryPromise((signal) =>
    follow(address, { workspace: worker.home.id, messageId, text: plan.text }, followed, signal)
  ).pipe(Effect.forkScoped)

  const holds = Effect.fnUntraced(function* (condition: Condition) {
    if ("accepted" in condition) return followed.taskId !== undefined
    if ("refused" in condition) return named.has("refused")
    if ("says" in condition) return (yield* victim.process.output).includes(condition.says)
    const { home } = actorOf(condition.of ?? "worker")
    if ("seen" in condition) return World.effectsOf(home).some(({ step }) => step === condition.seen)
    const rows = World.rowsOf(home)
    return "committed" in condition
      ? JournalView.results(rows).has(condition.committed)
      : JournalView.openWaits(rows).some(({ wait }) => wait === condition.waiting)
  })

  // What a client does again and again until it is told that it is done.
  const provide = Effect.fnUntraced(function* (wait: string, role: Role) {
    const { home } = actorOf(role)
    for (const taskId of JournalView.acceptedTasks(World.rowsOf(home))) {
      const body = { taskId, wait, value: word }
      const status = yield* Effect.promise(() => control(`${home.state}/control.sock`, "/tasks/provide", body))
      if (status === 200 || status === 204) return true
    }
    return false
  })
  const cancel = Effect.fnUntraced(function* () {
    const { taskId } = followed
    if (taskId === undefined) return false
    const result = yield* Effect.promise(() => call(address, worker.home.id, "tasks/cancel", { id: taskId }))
    return result !== undefined
  })
  const second = Effect.fnUntraced(function* () {
    const other = yield* World.startLife(address.url, victim.home, {})
    const exit = yield* other.exitCode
    const said = yield* other.output
    if (exit !== 0 && said.includes(`process ${victim.process.pid}`)) named.add("refused")
    else trouble.push(`a second process ended with ${exit} and said: ${said.slice(-500)}`)
    return true
  }, Effect.scoped)

  const perform = Effect.fnUntraced(function* ({ act }: Action) {
    switch (act.do) {
      case "open":
        yield* World.openGate(worker.home, act.gate)
        return true
      case "provide":
        return yield* provide(act.wait, act.of ?? "worker")
      case "cancel":
        return yield* cancel()
      case "term":
        yield* victim.process.signal("SIGTERM")
        return true
      case "kill":
        yield* victim.process.signal("SIGKILL")
        return true
      case "second":
        return yield* second()
    }
  })

  const done = new Map<Action, number>()
  const act = Effect.fnUntraced(function* (action: Action) {
    const { from = 1, to = Infinity, when } = action
    const repeated = action.act.do === "provide" || action.act.do === "cancel"
    const { life } = victim
    if (life < from || life > to || (repeated ? done.get(action) === life : done.has(action))) return
    for (const condition of when) if (!(yield* holds(condition))) return
    if (yield* perform(action)) done.set(action, life)
  })

  const accepted = Effect.fnUntraced(function* (home: World.Home) {
    const known = followed.taskId === undefined || home !== worker.home ? [] : [followed.taskId]
    return Array.from(new Set([...known, ...JournalView.acceptedTasks(World.rowsOf(home))]))
  })

  // What is safe is read while nobody runs: between the death and the next start.
  const bury = Effect.fnUntraced(function* (actor: Actor) {
    const { home, role } = actor
    const said = yield* actor.process.output
    outputs.push(`${role}, life ${actor.life}:\n${said}`)
    const { code, crash } = plan.lives[actor.life - 1] ?? {}
    const expectedCrashes = plan.lives.slice(0, actor.life).filter((life) => life.crash !== undefined).length
    if (crash !== undefined && World.crashesOf(home) !== expectedCrashes) {
      trouble.push(`life ${actor.life} ended without reaching its point: ${said.slice(-500)}`)
    }
    const isNow = ({ act: { do: what }, from = 1, to = Infinity }: Action) =>
      what === "kill" && from <= actor.life && actor.life <= to
    for (const action of plan.actions.filter(isNow)) {
      if (!done.has(action)) trouble.push(`life ${actor.life} ended before it was killed: ${said.slice(-500)}`)
    }
    const rows = World.rowsOf(home)
    if (code !== undefined && tellsOfCode.test(said) && JournalView.heldTasks(rows).length > 0) named.add("held")
    const lost = isLost(role, actor.life)
    const safe = lost ? yield* World.confirmedSteps(home, yield* accepted(home)) : JournalView.completedSteps(rows)
    deaths.push({ role, effects: World.effectsOf(home).length, safe, lost })
    if (lost) yield* World.wipe(home)
  })

  const steps = Object.keys(plan.expected.runs[plan.victim] ?? {})
  const turns = new Set<string>()
  const giveTurns = Effect.gen(function* () {
    const next = steps.find((step) => !turns.has(step))
    if (next === undefined) return
    for (const task of yield* accepted(victim.home)) {
      if (!(yield* World.isAcceptanceConfirmed(victim.home, task))) return
      const confirmed = yield* World.confirmedSteps(victim.home, [task])
      if (!Array.from(turns).every((step) => confirmed.includes(`${task} ${step}`))) return
      yield* World.openGate(victim.home, turnOf(next))
      turns.add(next)
    }
  })

  const began = yield* Clock.currentTimeMillis
  let lifeFiber = yield* Effect.forkScoped(victim.process.exitCode)
  while (true) {
    const now = yield* Clock.currentTimeMillis
    if (now - began > deadline) {
      const stage = `life ${victim.life} of ${plan.lives.length + 1}`
      trouble.push(`not over after ${deadline / 1000} s, in ${stage}; the client was last told: ${followed.refusal}`)
      break
    }
    if (lifeFiber.pollUnsafe() !== undefined) {
      if (victim.life > plan.lives.length) {
        trouble.push(`the last life ended by itself: ${(yield* victim.process.output).slice(-500)}`)
        break
      }
      yield* bury(victim)
      victim.life++
      victim.process = yield* startActor(victim.role, victim.home, victim.life)
      lifeFiber = yield* Effect.forkScoped(victim.process.exitCode)
    }
    if (isLost(victim.role, victim.life)) yield* giveTurns
    for (const action of plan.actions) yield* act(action)
    if (followed.ended && victim.life > plan.lives.length) break
    if (followed.ended) {
      trouble.push(`the task ended in life ${victim.life} of ${plan.lives.length + 1}`)
      break
    }
    yield* Effect.sleep(look)
  }
  yield* Fiber.interrupt(client)

  const task = yield* Effect.promise(() => getTask(address, worker.home.id, followed.taskId ?? "none"))
  const rows = World.rowsOf(worker.home)
  for (const actor of actors) {
    outputs.push(`${actor.role}, life ${actor.life}:\n${yield* actor.process.output}`)
    yield* actor.process.signal("SIGKILL").pipe(Effect.ignoreCause)
  }
  const evidence: Evidence = {
    effects: Object.fromEntries(actors.map(({ home, role }) => [role, World.effectsOf(home)])),
    deaths,
    trouble,
    stream: followed.stream,
    events: JournalView.eventNumbers(rows, followed.taskId ?? ""),
    ...task,
    restored: JournalView.isRestored(World.rowsOf(victim.home)),
    named: Array.from(named),
    waiting: actors.flatMap(({ home, role }) =>
      JournalView.openWaits(World.rowsOf(home)).map(({ task: id, wait }) => `${role}: ${id} ${wait}`)
    ),
    tasks: Math.max(...actors.map(({ home }) => JournalView.acceptedTasks(World.rowsOf(home)).length))
  }
  yield* Effect.ignore(workspaces.delete({ params: { id: worker.home.id }, query: {} }))
  return { evidence, output: outputs.join("\n") } satisfies Played as Played
}, Effect.scoped)
