import * as JF from "/work/main/src/layers/journal/journalFile.ts"
import * as EP from "/work/main/src/layers/journal/executionProjection.ts"
import * as TP from "/work/main/src/layers/journal/taskProjection.ts"
import { DatabaseSync } from "node:sqlite"
import { mkdtempSync, rmSync } from "node:fs"
const q = (a: number[], p: number) => a.slice().sort((x, y) => x - y)[Math.floor(a.length * p)]!.toFixed(3)
const rounds = 3
for (let r = 0; r < rounds; r++) {
  const d = mkdtempSync("/tmp/bench-helper/jf")
  { const db = new DatabaseSync(d + "/f.db"); db.exec("PRAGMA journal_mode=WAL"); db.exec("PRAGMA synchronous=FULL"); db.exec("CREATE TABLE t(a TEXT,b TEXT,c TEXT) STRICT")
    const s = db.prepare("INSERT INTO t VALUES(?,?,?)"); const ts: number[] = []; const t0 = performance.now()
    for (let i = 0; i < 6000; i++) { const t = performance.now(); s.run("task-" + i, "one", "one of task"); ts.push(performance.now() - t) }
    console.log("floor      ", "p50", q(ts, .5), "p90", q(ts, .9), "p99", q(ts, .99), "mean", ((performance.now() - t0) / 6000).toFixed(3)) }
  for (const auto of [1000, 10000]) { const f = JF.open({ filename: d + `/j${auto}.db`, projections: [EP.projection, TP.projection], newEpoch: "x", busyTimeout: 1000 })
    f.database.exec(`PRAGMA wal_autocheckpoint=${auto}`)
    const ts: number[][] = [[], [], [], []]; const t0 = performance.now(); const n = 1500; const cpu = process.cpuUsage()
    for (let i = 0; i < n; i++) { const s = "task-" + i
      const exit = (name: string) => ({ stream: s, record: { _tag: "ActivityCompleted", name, attempt: 1, exit: { _tag: "Success", value: name + " of " + s } } } as const)
      const b: any[] = [[{ stream: s, record: { _tag: "ExecutionStarted", workflow: "ThreeSteps", payload: { id: s } } }, exit("one")], [exit("two")], [exit("three")], [{ stream: s, record: { _tag: "ExecutionCompleted", exit: { _tag: "Success", value: "one of, two of" } } }]]
      b.forEach((e, k) => { const t = performance.now(); f.commit(e, 1); ts[k]!.push(performance.now() - t) }) }
    const u = process.cpuUsage(cpu)
    console.log("commits auto" + auto, ts.map((a) => "p50 " + q(a, .5) + " p99 " + q(a, .99)).join(" | "), "task mean", ((performance.now() - t0) / n).toFixed(3), "cpu/task us", ((u.user + u.system) / n).toFixed(0)); f.close() }
  rmSync(d, { recursive: true })
}
