/**
 * The recovery matrix: each history on which others failed, killed at each point, with and without its disk, and what
 * must come of it.
 *
 * @module
 */
import type { Crash, CrashPoint } from "./crashPoint.ts"
import { type Action, type Cell, type History, type Life, type Plan, type Point, points, type Runs } from "./plan.ts"

const at =
  (place: "before-row" | "before-commit" | "after-commit") =>
  (kind: string, ...having: ReadonlyArray<string>): CrashPoint => ({ at: place, kind, having })
const before = at("before-row")
const uncommitted = at("before-commit")
const committed = at("after-commit")

const step = (name: string) => `"step":"${name}"`
const named = (name: string) => `"name":"${name}"`
const wait = (name: string) => `"wait":"${name}"`

const dies = (...at: ReadonlyArray<CrashPoint>): Life => ({ crash: { points: at } })
const diesAfterTerm = (...at: ReadonlyArray<CrashPoint>): Life => ({ crash: { points: at, afterTerm: true } })
const close: Crash["points"][number] = { at: "close" }
const atResumption = dies(committed("TaskResumed"))
// A restart without a disk dies while it writes what the platform knew; one with a disk while it takes the task up.
const whileRestoring = (wiped: boolean) =>
  wiped ? dies(uncommitted("PlatformRestored")) : dies(uncommitted("TaskResumed"))

const term = (...when: Action["when"]): Action => ({ when, to: 1, act: { do: "term" } })
const kill = (...when: Action["when"]): Action => ({ when, to: 1, act: { do: "kill" } })
const draining = { says: "shutting down" } as const

/** A cell on one workspace that ends well, but for what is said otherwise. */
const plan = (
  text: string,
  answer: string,
  runs: Readonly<Record<string, Runs>>,
  lives: ReadonlyArray<Life>,
  actions: ReadonlyArray<Action> = []
): Plan => ({
  text,
  victim: "worker",
  withChild: false,
  lives,
  actions,
  expected: { end: "completed", answer, runs: { worker: runs }, restored: false, named: [] }
})

const word = "word"
const suspendAnswer = `before\n${word}\nafter\n`
const provideGo = (from = 1, to?: number): Action => ({
  when: [{ waiting: "go" }],
  from,
  ...(to === undefined ? undefined : { to }),
  act: { do: "provide", wait: "go" }
})

const suspend = (point: Point, wiped: boolean): Plan => {
  const make = (runs: readonly [before: Runs, after: Runs], ...lives: ReadonlyArray<Life>) =>
    plan("suspend", suspendAnswer, { before: runs[0], after: runs[1] }, lives, [provideGo()])
  switch (point) {
    case "before-row":
      return make([1, 1], dies(before("StepBegan", step("after"))))
    case "after-effect":
      return make([1, 2], dies(before("ActivityCompleted", named("after"))))
    case "after-commit":
      return make([1, 1], dies(committed("ActivityCompleted", named("after"))))
    case "wait":
      return make([[1, 2], 1], dies(uncommitted("WaitBegan", wait("go"))))
    case "recovery":
      return make([1, 2], dies(before("ActivityCompleted", named("after"))), whileRestoring(wiped))
    case "shutdown":
      return {
        ...make([1, 1], diesAfterTerm(close)),
        actions: [term({ waiting: "go" }), provideGo(2)]
      }
  }
}

const child = (point: Point): Plan => {
  const open = { waiting: "go", of: "child" } as const
  const provideChild = (from = 1): Action => ({ when: [open], from, act: { do: "provide", wait: "go", of: "child" } })
  const make = (ask: Runs, lives: ReadonlyArray<Life>, ...actions: ReadonlyArray<Action>): Plan => {
    const made = plan("child", `before+${word}+after\nend\n`, { ask, end: 1 }, lives, actions)
    const runs = { ...made.expected.runs, child: { before: 1, after: 1 } }
    return { ...made, withChild: true, expected: { ...made.expected, runs } }
  }
  switch (point) {
    case "before-row":
      return make(1, [dies(before("StepBegan", step("ask")))], provideChild())
    case "after-effect":
      return make(2, [{}], kill(open), provideChild(2))
    case "after-commit":
      return make(1, [dies(committed("ActivityCompleted", named("ask")))], provideChild())
    case "wait": {
      const made = make(1, [dies(uncommitted("WaitBegan", wait("go")))], provideChild())
      const runs = { worker: { ask: 1, end: 1 }, child: { before: [1, 2], after: 1 } } as const
      return { ...made, victim: "child", expected: { ...made.expected, runs } }
    }
    case "recovery":
      return make(2, [{}, atResumption], kill(open), provideChild(3))
    case "shutdown":
      return make(2, [{}], term(open), kill(draining), provideChild(2))
  }
}

const parallel = (point: Point, wiped: boolean): Plan => {
  const openSlow: Action = { when: [{ committed: "fast" }], act: { do: "open", gate: "slow" } }
  const make = (slow: Runs, ...lives: ReadonlyArray<Life>) =>
    plan("parallel", "fast\nslow\nend\n", { fast: 1, slow, end: 1 }, lives, [openSlow])
  switch (point) {
    case "before-row":
      return make(1, dies(before("StepBegan", step("slow"))))
    case "after-effect":
      return make(2, dies(before("ActivityCompleted", named("slow"))))
    case "after-commit":
      return make(1, dies(committed("ActivityCompleted", named("slow"))))
    case "wait":
      return make(1, dies(uncommitted("TaskAccepted")))
    case "recovery":
      return make(2, dies(before("ActivityCompleted", named("slow"))), whileRestoring(wiped))
    case "shutdown":
      return {
        ...make(2, diesAfterTerm(before("ActivityCompleted", named("slow")))),
        actions: [term({ committed: "fast" }), { ...openSlow, when: [draining], to: 1 }, { ...openSlow, from: 2 }]
      }
  }
}

const pause = "retry/flaky/1"
const secondTry = before("StepBegan", step("flaky"), '"attempt":2')

const retry = (point: Point): Plan => {
  const make = (flaky: Runs, ...lives: ReadonlyArray<Life>) => plan("retry", "flaky\nend\n", { flaky, end: 1 }, lives)
  switch (point) {
    case "before-row":
      return make(2, dies(secondTry))
    case "after-effect":
      return make(3, dies(before("ActivityCompleted", named("flaky~2"))))
    case "after-commit":
      return make(2, dies(committed("DeferredCompleted", named(`DurableClock/${pause}`))))
    case "wait":
      return make(2, dies(uncommitted("WaitBegan", wait(pause))))
    case "recovery":
      return make(2, dies(committed("ClockScheduled", named(pause))), atResumption)
    case "shutdown":
      return { ...make(2, diesAfterTerm(close, secondTry)), actions: [term({ waiting: pause })] }
  }
}

const arrival = named("wait/go")

const signal = (point: Point, wiped: boolean): Plan => {
  // From the moment of the step before: the signal comes while the task is about to suspend.
  const early = (to?: number): Action => ({ ...provideGo(1, to), when: [{ seen: "before" }] })
  // What is on disk need not be sent again; what was on a lost disk must be.
  const once = early(wiped ? undefined : 1)
  const make = (runs: Runs, provided: Action, ...lives: ReadonlyArray<Life>) =>
    plan("suspend", suspendAnswer, { before: runs, after: 1 }, lives, [provided])
  switch (point) {
    case "before-row":
      return make(1, early(), dies(before("DeferredCompleted", arrival)))
    case "after-effect":
      return make(1, early(), dies(uncommitted("DeferredCompleted", arrival)))
    case "after-commit":
      return make(1, once, dies(committed("DeferredCompleted", arrival)))
    case "wait":
      return make([1, 2], early(), dies(uncommitted("WaitBegan", wait("go"))))
    case "recovery":
      return make(1, once, dies(committed("DeferredCompleted", arrival)), atResumption)
    case "shutdown":
      return {
        ...make(1, early(), diesAfterTerm(close, committed("DeferredCompleted", arrival))),
        actions: [term({ waiting: "go" }), { ...provideGo(), when: [{ waiting: "go" }, draining], to: 1 }, provideGo(2)]
      }
  }
}

const canceled = '"state":"canceled"'

const cancel = (point: Point, wiped: boolean): Plan => {
  const ask = (from = 1, to?: number): Action => ({
    when: [{ waiting: pause }],
    from,
    ...(to === undefined ? undefined : { to }),
    act: { do: "cancel" }
  })
  const make = (flaky: Runs, asked: ReadonlyArray<Action>, ...lives: ReadonlyArray<Life>): Plan => {
    const made = plan("cancel", "", { flaky, end: 0 }, lives, asked)
    return { ...made, expected: { ...made.expected, end: "canceled" } }
  }
  switch (point) {
    case "before-row":
      return make(1, [ask()], dies(before("TaskMoved", canceled)))
    case "after-effect":
      return make(1, [ask()], dies(uncommitted("TaskMoved", canceled)))
    case "after-commit":
      return make(1, [ask(1, wiped ? undefined : 1)], dies(committed("TaskMoved", canceled)))
    case "wait":
      return make([1, 2], [ask()], dies(uncommitted("WaitBegan", wait(pause))))
    case "recovery":
      return make(1, [ask(3)], dies(committed("ClockScheduled", named(pause))), atResumption)
    case "shutdown":
      return make(
        1,
        [term({ waiting: pause }), { ...ask(1, 1), when: [{ waiting: pause }, draining] }, ask(2)],
        diesAfterTerm(close, uncommitted("TaskMoved", canceled))
      )
  }
}

const schedule = (point: Point): Plan => {
  const make = (first: Runs, second: Runs, ...lives: ReadonlyArray<Life>) =>
    plan(
      "schedule",
      "tick-1\ntick-2\ntick-3\ntick-4\n",
      { "tick-1": first, "tick-2": second, "tick-3": 1, "tick-4": 1 },
      lives
    )
  switch (point) {
    case "before-row":
      return make(1, 1, dies(before("StepBegan", step("tick-2"))))
    case "after-effect":
      return make(1, 2, dies(before("ActivityCompleted", named("tick-2"))))
    case "after-commit":
      return make(1, 1, dies(committed("ActivityCompleted", named("tick-2"))))
    case "wait":
      return make([1, 2], 1, dies(uncommitted("WaitBegan", wait("pause-2"))))
    case "recovery":
      return make(1, 1, dies(committed("ClockScheduled", named("pause-2"))), atResumption)
    case "shutdown":
      return {
        ...make(1, 1, diesAfterTerm(close, before("StepBegan", '"step":"tick-'))),
        actions: [term({ seen: "tick-1" })]
      }
  }
}

const drain = (point: Point, wiped: boolean): Plan => {
  // The first process drains when the second comes; the second is refused, and only then does the first go on, and die.
  const actions: ReadonlyArray<Action> = [
    term({ accepted: true }, { says: "registered" }),
    { when: [draining], to: 1, act: { do: "second" } },
    { when: [{ refused: true }], act: { do: "open", gate: "first" } }
  ]
  const make = (first: Runs, ...lives: ReadonlyArray<Life>): Plan => {
    const made = plan("drain", "first\nsecond\n", { first, second: 1 }, lives, actions)
    return { ...made, expected: { ...made.expected, named: ["refused"] } }
  }
  switch (point) {
    case "before-row":
      return make(1, diesAfterTerm(before("StepBegan", step("first"))))
    case "after-effect":
      return make(2, diesAfterTerm(before("ActivityCompleted", named("first"))))
    case "after-commit":
      return make(1, diesAfterTerm(committed("ActivityCompleted", named("first"))))
    case "wait":
      return make([1, 2], diesAfterTerm(uncommitted("WaitBegan", wait("pause"))))
    case "recovery":
      return make(2, diesAfterTerm(before("ActivityCompleted", named("first"))), whileRestoring(wiped))
    case "shutdown":
      return make(1, diesAfterTerm(close, before("StepBegan", step("second"))))
  }
}

const code = (point: Point): Plan => {
  const openSecond: Action = { when: [{ seen: "first" }], act: { do: "open", gate: "second" } }
  // A life with other code, which holds the task and is then ended as one ends a program.
  const other: Life = { code: "v2" }
  const make = (
    runs: readonly [first: Runs, second: Runs],
    lives: ReadonlyArray<Life>,
    actions: ReadonlyArray<Action> = [openSecond]
  ): Plan => {
    const held = lives.length
    const made = plan("code", "first\nsecond\nv1\n", { first: runs[0], second: runs[1], end: 1 }, lives, [
      ...actions,
      { when: [{ says: "code v1" }, { says: "code v2" }], from: held, to: held, act: { do: "term" } }
    ])
    return { ...made, expected: { ...made.expected, named: ["held"] } }
  }
  const lost = before("ActivityCompleted", named("second"))
  switch (point) {
    case "before-row":
      return make([1, 1], [dies(before("StepBegan", step("second"))), other])
    case "after-effect":
      return make([1, 2], [dies(lost), other])
    case "after-commit":
      return make([1, 1], [dies(committed("ActivityCompleted", named("second"))), other])
    case "wait":
      return make([[1, 2], 1], [dies(uncommitted("WaitBegan", wait("pause"))), other])
    case "recovery":
      return make([1, 2], [dies(lost), { ...dies(uncommitted("TaskHeld")), code: "v2" }, other])
    case "shutdown":
      return make(
        [1, 2],
        [diesAfterTerm(lost), other],
        [
          // The pause is over when its row is gone; then the task stands at the gate, and runs.
          term({ committed: "DurableClock/pause" }),
          { ...openSecond, when: [draining], to: 1 },
          { ...openSecond, from: 2 }
        ]
      )
  }
}

/** The table, a line for each history. */
export const histories: ReadonlyArray<History> = [
  {
    name: "suspend",
    title: "after a suspend and resume",
    seenIn: "mastra#22636, Effect-TS/effect#8238, #8312",
    cells: suspend
  },
  { name: "child", title: "a nested child is waiting", seenIn: "mastra#15734", cells: child },
  { name: "parallel", title: "two parallel tools, one done", seenIn: "inngest#2775", cells: parallel },
  {
    name: "retry",
    title: "a retry timer is pending",
    seenIn: "vercel/workflow#1806, cloudflare/agents#1730",
    cells: retry
  },
  { name: "signal", title: "a signal arrives while suspending", seenIn: "Effect-TS/effect#8238", cells: signal },
  { name: "cancel", title: "cancel while backing off", seenIn: "restate#3656", cells: cancel },
  { name: "schedule", title: "a recurring schedule", seenIn: "cloudflare/agents#1119", cells: schedule },
  {
    name: "drain",
    title: "the same identity is still draining elsewhere",
    seenIn: "dbos-transact-py#804",
    cells: drain
  },
  { name: "code", title: "the code changed in between", seenIn: "vercel/workflow#2816", cells: code },
  {
    name: "development",
    title: "recovery is wired in development only",
    seenIn: "mastra#24592",
    cells: {
      notApplicable:
        "a setting, not something that happens: every cell runs the production program src/programs/workspace.ts, which has no switch for recovery"
    }
  }
]

// Without the disk only what the platform has confirmed is known: a step may have its effect once more, under the same id.
const loosen = (runs: Runs): Runs => {
  const [least, most] = typeof runs === "number" ? [runs, runs] : runs
  return [least, most === 0 ? 0 : most + 1]
}

const withoutDisk = (kept: Plan): Plan => {
  const own = Object.entries(kept.expected.runs[kept.victim] ?? {}).map(([name, runs]) => [name, loosen(runs)])
  const runs = { ...kept.expected.runs, [kept.victim]: Object.fromEntries(own) }
  // What died before it was a task is nothing that the platform could know.
  const isTask = !kept.lives.some(({ crash }) =>
    crash?.points.some((point) => point.at !== "close" && point.kind === "TaskAccepted")
  )
  return { ...kept, expected: { ...kept.expected, runs, restored: isTask } }
}

/** Every cell, in the order of the document. */
export const cells: ReadonlyArray<Cell> = histories.flatMap(({ cells: made, name: history }) =>
  points.flatMap((point) =>
    [false, true].map((wiped): Cell => {
      const cell = { id: `${history}/${point}/${wiped ? "wiped" : "kept"}`, history, point, wiped }
      if (typeof made !== "function") return { ...cell, outcome: { _tag: "NotApplicable", why: made.notApplicable } }
      const kept = made(point, wiped)
      return { ...cell, outcome: { _tag: "Run", plan: wiped ? withoutDisk(kept) : kept } }
    })
  )
)
