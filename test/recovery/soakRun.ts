/**
 * The soak: tasks of every kind, kills at random moments, and the same checks as in the matrix.
 *
 * @module
 */
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { mkdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { root } from "../support/processes.ts"
import { checkEffects, checkEvents, checkStream, type Death, assemble } from "./checker.ts"
import { type Address, call, control, follow, type Followed, getTask } from "./client.ts"
import * as JournalView from "./journalView.ts"
import type { Role } from "./plan.ts"
import * as World from "./world.ts"

/** How much of it. */
export interface Options {
  readonly seed: number
  readonly tasks: number
  readonly kills: number
}

/** Numbers between 0 and 1 that follow from the seed (mulberry32). */
const randomOf = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** What is sent, and what must come of it. */
const kinds = [
  { text: "suspend", answer: "before\nword\nafter\n", end: "completed" },
  { text: "parallel", answer: "fast\nslow\nend\n", end: "completed" },
  { text: "retry", answer: "flaky\nend\n", end: "completed" },
  { text: "schedule", answer: "tick-1\ntick-2\ntick-3\ntick-4\n", end: "completed" },
  { text: "child", answer: "before+word+after\nend\n", end: "completed" },
  { text: "cancel", answer: "", end: "canceled" }
] as const

/** So many tasks are in flight at once. */
const inFlight = 12

/** Milliseconds between two kills, at least and at most: less than a start takes, and more. */
const rest = [100, 2500] as const

/** Tasks are sent so many milliseconds before a kill at most, so that it finds them at any point. */
const lead = 700

/** Milliseconds that the last tasks have when nobody is killed any more. */
const patience = 60_000

interface Sent {
  readonly kind: (typeof kinds)[number]
  readonly messageId: string
  readonly followed: Followed
}

type Target = Role | "platform"

const checkTask = Effect.fnUntraced(function* (
  { followed: { ended, refusal, stream, taskId }, kind, messageId }: Sent,
  address: Address,
  home: World.Home,
  rows: ReadonlyArray<JournalView.Row>
) {
  if (!ended || taskId === undefined) return [`${kind.text} ${messageId} has not ended; last told: ${refusal}`]
  const { answer, state } = yield* Effect.promise(() => getTask(address, home.id, taskId))
  const events = JournalView.eventNumbers(rows, taskId)
  const last = stream.at(-1)?.cursor ?? ""
  return [
    ...(state === kind.end ? [] : [`it is ${state}, not ${kind.end}`]),
    ...(kind.end === "canceled" || answer === kind.answer ? [] : [`the answer is ${JSON.stringify(answer)}`]),
    ...(kind.end === "canceled" || assemble(stream) === kind.answer ? [] : ["the streamed answer is another"]),
    ...(last.endsWith(`-${events.length}`) ? [] : [`the stream ended with ${last} of ${events.length} events`]),
    ...checkEvents(events),
    ...checkStream(stream)
  ].map((problem) => `${kind.text} ${taskId}: ${problem}`)
})

/** Runs it; `say` hears how far it is. */
export const run = Effect.fnUntraced(function* (options: Options, say: (line: string) => Effect.Effect<void>) {
  const random = randomOf(options.seed)
  const began = yield* Clock.currentTimeMillis
  const scope = yield* Effect.scope
  let resumed = 0
  let hits = 0
  const directory = yield* World.temporary("molecule-soak-")
  const outputs: Array<string> = []
  const trouble: Array<string> = []
  const deaths: Array<Death> = []
  const killed: Record<Target, number> = { worker: 0, child: 0, platform: 0 }

  // Each process has a scope of its own: what is dead is not held until the end.
  const inScope = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R | Scope.Scope>) {
    const own = yield* Scope.fork(scope)
    return { own, value: yield* Scope.provide(effect, own) }
  })
  let platform = yield* inScope(World.startPlatformProcess(directory))
  const { client, port, ...first } = platform.value
  const address: Address = { url: first.url, token: first.adminToken }
  const homes = yield* Effect.gen(function* () {
    const worker = yield* World.makeHome(directory, "worker")
    return { worker, child: yield* World.makeHome(directory, "child", worker.id) }
  }).pipe(Effect.provide(client))
  const environment = { MOLECULE_MAX_RUNNING_TASKS: "16", MOLECULE_MAX_TASKS: "1000" }
  const startOne = (role: Role) => inScope(World.startLife(address.url, homes[role], { environment }))
  const processes = { worker: yield* startOne("worker"), child: yield* startOne("child") }
  yield* World.openGate(homes.worker, "slow")

  const sent: Array<Sent> = []
  const open = () => sent.filter(({ followed }) => !followed.ended)
  const send = Effect.fnUntraced(function* () {
    const kind = kinds[sent.length % kinds.length] ?? kinds[0]
    const followed: Followed = { stream: [], taskId: undefined, ended: false, refusal: "" }
    const messageId = `soak-${sent.length}`
    sent.push({ kind, messageId, followed })
    yield* Effect.tryPromise((signal) =>
      follow(address, { workspace: homes.worker.id, messageId, text: kind.text }, followed, signal)
    ).pipe(Effect.forkIn(scope))
  })

  // Provides what is waited for, and cancels what is to be cancelled, again and again.
  const attend = Effect.gen(function* () {
    const canceling = new Set(
      open().flatMap(({ followed, kind }) => (kind.end === "canceled" ? [followed.taskId] : []))
    )
    for (const home of Object.values(homes)) {
      const waits = yield* Effect.sync(() => JournalView.openWaits(World.rowsOf(home, JournalView.waitKinds)))
      for (const { kind, task, wait } of waits) {
        if (kind === "signal") {
          const body = { taskId: task, wait, value: "word" }
          yield* Effect.promise(() => control(`${home.state}/control.sock`, "/tasks/provide", body))
        } else if (canceling.has(task)) {
          yield* Effect.promise(() => call(address, home.id, "tasks/cancel", { id: task }))
        }
      }
    }
    // Who is killed again and again with the same task in flight sets it aside: a person sees that and lets it run again.
    for (const home of Object.values(homes)) {
      const held = yield* Effect.sync(() => JournalView.heldTasks(World.rowsOf(home, JournalView.holdKinds)))
      for (const taskId of held) {
        const status = yield* Effect.promise(() => control(`${home.state}/control.sock`, "/tasks/resume", { taskId }))
        if (status === 200 || status === 204) resumed++
      }
    }
    yield* Effect.sleep("100 millis")
  })
  yield* Effect.forkScoped(Effect.forever(attend))

  const kill = Effect.fnUntraced(function* (target: Target) {
    killed[target]++
    const victim = target === "platform" ? platform : processes[target]
    yield* Effect.ignoreCause(victim.value.signal("SIGKILL"))
    const exit = yield* victim.value.exitCode
    const said = yield* victim.value.output
    outputs.push(`${target}, life ${killed[target]}:\n${said}`)
    if (exit !== -1 && exit < 128) trouble.push(`${target} ended by itself with ${exit}: ${said.slice(-500)}`)
    if (target === "platform") {
      platform = yield* inScope(World.startPlatformProcess(directory, port))
    } else {
      const home = homes[target]
      const safe = JournalView.completedSteps(World.rowsOf(home, ["ActivityCompleted"]))
      deaths.push({ role: target, effects: World.effectsOf(home).length, safe, lost: false })
      processes[target] = yield* startOne(target)
    }
    yield* Scope.close(victim.own, Exit.void)
  })

  // Tasks come at the pace of the kills, so that there are always some in flight.
  for (let kills = 0; kills < options.kills; kills++) {
    const due = Math.min(options.tasks, inFlight + Math.ceil(((kills + 1) * options.tasks) / options.kills))
    const pause = rest[0] + random() * (rest[1] - rest[0])
    const before = Math.min(pause, random() * lead)
    const draw = random()
    yield* Effect.sleep(pause - before)
    while (sent.length < due && open().length < inFlight) yield* send()
    yield* Effect.sleep(before)
    if (open().length > 0) hits++
    yield* kill(draw < 0.5 ? "worker" : draw < 0.8 ? "child" : "platform")
    if ((kills + 1) % 10 === 0)
      yield* say(`  ${kills + 1} kills, ${sent.length} tasks sent, ${open().length} in flight`)
  }
  const quiet = yield* Clock.currentTimeMillis
  while (sent.length < options.tasks || open().length > 0) {
    while (sent.length < options.tasks && open().length < inFlight) yield* send()
    if ((yield* Clock.currentTimeMillis) - quiet > patience) break
    yield* Effect.sleep("100 millis")
  }

  const rows = { worker: World.rowsOf(homes.worker), child: World.rowsOf(homes.child) }
  const byTask = yield* Effect.forEach(sent, (one) => checkTask(one, address, homes.worker, rows.worker))
  const effects = { worker: World.effectsOf(homes.worker), child: World.effectsOf(homes.child) }
  const spawner = yield* ChildProcessSpawner
  for (const [role, { value }] of Object.entries(processes)) {
    // Before it has come up, it is ended by a signal like any program.
    const home = role === "worker" ? homes.worker : homes.child
    yield* Effect.promise(() => control(`${home.state}/control.sock`, "/pid", {})).pipe(
      Effect.repeat({ until: (status) => status !== 0, schedule: Schedule.spaced("100 millis"), times: 200 })
    )
    outputs.push(`${role}, last life:\n${yield* value.output}`)
    yield* Effect.ignoreCause(value.signal("SIGTERM"))
    const exit = yield* value.exitCode
    if (exit !== 0) trouble.push(`${role} was asked to stop and ended with ${exit}`)
  }
  const journals = yield* Effect.forEach(Object.values(homes), ({ state }) => {
    const program = `${root}src/programs/molecule.ts`
    const command = ChildProcess.make(process.execPath, [program, "journal", "check", "--state", state])
    return Effect.map(spawner.exitCode(command), (exit) =>
      Number(exit) === 0 ? [] : [`molecule journal check --state ${state} ended with ${exit}`]
    )
  })
  const left = Object.entries(rows).flatMap(([role, own]) => [
    ...JournalView.openWaits(own).map(({ task, wait }) => `${role}: ${task} still waits for ${wait}`),
    ...JournalView.unfinishedTasks(own).map((task) => `${role}: ${task} has not ended`),
    ...JournalView.heldTasks(own).map((task) => `${role}: ${task} is set aside`),
    ...own.flatMap(({ data, kind, stream }) =>
      kind === "TaskHeld" && data["reason"] !== "crashes" ? [`${role}: ${stream}: ${String(data["detail"])}`] : []
    )
  ])
  const accepted = JournalView.acceptedTasks(rows.worker).length
  const delegated = JournalView.acceptedTasks(rows.child).length
  const asked = sent.filter(({ kind }) => kind.text === "child").length
  const problems = [
    ...trouble,
    ...byTask.flat(),
    ...checkEffects(effects, deaths),
    ...left,
    ...(accepted === options.tasks ? [] : [`${options.tasks} messages became ${accepted} tasks`]),
    ...(delegated === asked ? [] : [`${asked} delegations became ${delegated} tasks of the child`]),
    ...journals.flat()
  ]
  const report = `${tmpdir()}/molecule-recovery/soak-${options.seed}.txt`
  if (problems.length > 0) {
    yield* Effect.sync(() => {
      mkdirSync(`${tmpdir()}/molecule-recovery`, { recursive: true })
      writeFileSync(report, [...problems, ...outputs].join("\n"))
    })
  }
  return {
    ended: byTask.filter((found) => found.length === 0).length,
    deaths: killed,
    hits,
    resumed,
    problems,
    report,
    seconds: Math.round(((yield* Clock.currentTimeMillis) - began) / 1000)
  }
}, Effect.scoped)
