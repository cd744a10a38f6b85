import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { createServer } from "node:http"
import * as TaskControlClient from "../../../src/layers/local/TaskControlClient.ts"
import * as TaskControlSocket from "../../../src/layers/local/TaskControlSocket.ts"
import * as HealthOfWork from "../../../src/layers/workspace/HealthOfWork.ts"
import { TaskOutput } from "../../../src/services/durable/AgentTask.ts"
import { CheckpointOutbox } from "../../../src/services/durable/CheckpointOutbox.ts"
import { Journal, JournalUnavailable } from "../../../src/services/durable/Journal.ts"
import {
  Draining,
  TaskNotCancelable,
  TaskNotEnded,
  TaskNotFound,
  TaskNotHeld,
  TaskRunner,
  WaitNotOpen
} from "../../../src/services/durable/TaskRunner.ts"
import {
  MessageConflict,
  MessageForgotten,
  type TaskRecord,
  TaskStoreError,
  TooManyTasks
} from "../../../src/services/durable/TaskStore.ts"
import { TaskControl } from "../../../src/services/local/TaskControl.ts"
import { Lifecycle, type LifecycleState } from "../../../src/services/workspace/Lifecycle.ts"
import { StateDirectory } from "../../../src/services/workspace/StateDirectory.ts"

const at = DateTime.makeUnsafe(1_795_471_139_574)
const record: TaskRecord = {
  input: { taskId: "t", contextId: "c", messageId: "m", caller: "me", text: "hello" },
  state: "completed",
  createdAt: at,
  updatedAt: at,
  output: new TaskOutput({ text: "done" })
}
const refused = new JournalUnavailable({ file: "f", reason: "full", detail: "no room", remedy: "make some" })

/** The socket in this directory, over a runner of which only what is given is there. */
const socket = (path: string, runner: Layer.PartialEffectful<TaskRunner["Service"]> = { epoch: "e" }) =>
  TaskControlSocket.layer.pipe(
    Layer.provide(HealthOfWork.layerWith({ failsOn: ["overdue", "journal", "held", "outbox"], maxOverdue: 5000 })),
    Layer.provide(Layer.effect(Lifecycle, SubscriptionRef.make<LifecycleState>("ok"))),
    Layer.provide(Layer.mock(TaskRunner)(runner)),
    Layer.provide(
      Layer.mock(Journal)({
        file: "f",
        epoch: "e",
        stageUnsafe: () => {},
        state: Effect.succeed({ refused, staged: 2 })
      })
    ),
    Layer.provide(
      Layer.mock(CheckpointOutbox)({
        pending: Effect.succeed(7),
        alarm: Effect.succeedSome({ since: at, detail: "the outbox is full" })
      })
    ),
    Layer.provide(Layer.succeed(StateDirectory, { path, file: (name) => `${path}/${name}` })),
    Layer.provide(NodeServices.layer)
  )

const client = (path: string) =>
  Effect.map(
    Layer.build(TaskControlClient.layerWith({ socket: `${path}/control.sock`, pid: 4711, tries: 0 })),
    Context.get(TaskControl)
  )

const temporary = Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped())

describe("TaskControlSocket", () => {
  it.live("is for its user only, takes the place of a dead one's, and goes with the layer", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* temporary
      const name = `${path}/control.sock`
      yield* files.writeFileString(name, "left behind")
      yield* files.chmod(name, 0o644)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(socket(path))
          const { mode, type } = yield* files.stat(name)
          assert.strictEqual(type, "Socket")
          assert.strictEqual(mode & 0o777, 0o600)
        })
      )
      assert.deepStrictEqual(yield* files.readDirectory(path), [])
      const gone = yield* Effect.flip((yield* client(path)).cancel("t"))
      assert.deepInclude(gone, { _tag: "ControlUnreachable", pid: 4711, detail: "ENOENT" })
      assert.include(gone.message, "process 4711 runs the workspace")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("does without a socket where its path is too long, or something else has its name", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = `${yield* temporary}/${"x".repeat(100)}`
      yield* files.makeDirectory(path)
      yield* Layer.build(socket(path))
      assert.deepStrictEqual(yield* files.readDirectory(path), [])
      const other = yield* temporary
      yield* files.makeDirectory(`${other}/control.sock/taken`, { recursive: true })
      yield* Layer.build(socket(other))
      assert.deepStrictEqual(yield* files.readDirectory(`${other}/control.sock`), ["taken"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("gives the client what the runner gives, errors and all", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      const given: Array<unknown> = []
      const store = new TaskStoreError({ operation: "cancel", cause: "the disk" })
      const errors = {
        cancel: [
          new TaskNotFound({ taskId: "t" }),
          new TaskNotCancelable({ taskId: "t", state: "failed" }),
          new TaskStoreError({ operation: "cancel", cause: "the disk" })
        ],
        release: [new TaskNotFound({ taskId: "t" }), new TaskNotHeld({ taskId: "t" }), store],
        retry: [
          new TaskNotEnded({ taskId: "t", state: "working" }),
          new MessageConflict({ messageId: "m", taskId: "t" }),
          new MessageForgotten({ messageId: "m", taskId: "t", state: "failed" }),
          refused,
          new TooManyTasks({ limit: 100, retryAfter: 5 }),
          new Draining({ retryAfter: 5 }),
          store
        ],
        provide: [new WaitNotOpen({ taskId: "t", wait: "outcome/a", detail: "does not fit" }), store]
      }
      const answer =
        <E>(list: Array<E>) =>
        (taskId: string, ...more: ReadonlyArray<unknown>) => {
          given.push([taskId, ...more])
          const error = list.shift()
          return error === undefined ? Effect.succeed(record) : Effect.fail(error)
        }
      yield* Layer.build(
        socket(path, {
          epoch: "e",
          cancel: answer([...errors.cancel]),
          release: answer([...errors.release]),
          retry: answer([...errors.retry]),
          provide: (...args) => Effect.asVoid(answer(errors.provide)(...args)),
          health: Effect.succeed({ oldestDue: 5, held: [{ taskId: "t", reason: "code", detail: "gone" }] }),
          activity: Effect.succeed({ running: 1, queued: 2, current: "" })
        })
      )
      const control = yield* client(path)
      const id = "a/b?ü"
      for (const error of errors.cancel) assert.deepStrictEqual(yield* Effect.flip(control.cancel(id)), error)
      assert.deepStrictEqual(yield* control.cancel(id), record)
      for (const error of errors.release) assert.deepStrictEqual(yield* Effect.flip(control.resume(id)), error)
      assert.deepStrictEqual(yield* control.resume(id), record)
      for (const error of errors.retry) assert.deepStrictEqual(yield* Effect.flip(control.retry(id)), error)
      assert.deepStrictEqual(yield* control.retry(id), record)
      for (const tag of ["WaitNotOpen", "TaskStoreError"]) {
        assert.strictEqual((yield* Effect.flip(control.provide(id, "outcome/a", { yes: [1, null] })))._tag, tag)
      }
      yield* control.provide(id, "outcome/a", "repeat")
      assert.deepStrictEqual(given.at(-1), [id, "outcome/a", "repeat"])
      assert.deepStrictEqual(yield* control.health, {
        pid: process.pid,
        status: "ok",
        // Less than may be overdue is nothing wrong.
        wrong: ["journal", "held", "outbox"],
        running: 1,
        queued: 2,
        oldestDue: 5,
        held: [{ taskId: "t", reason: "code", detail: "gone" }],
        journal: { file: "f", staged: 2, refused: refused.message },
        outbox: { pending: 7, alarm: "the outbox is full" }
      })
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("shares no route with another server of the same program", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      const Public = HttpRouter.serve(HttpRouter.add("GET", "/public", HttpServerResponse.text("open")), {
        disableLogger: true,
        disableListenLog: true
      }).pipe(Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })))
      const both = yield* Layer.build(Layer.merge(Public, socket(path)))
      const { address } = Context.get(both, HttpServer.HttpServer)
      const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
      const status = (target: string) => Effect.map(HttpClient.get(target), (response) => response.status)
      const overSocket = Effect.provide(
        Effect.all([status("http://local/pid"), status("http://local/public")]),
        Layer.fresh(NodeHttpClient.layerUndiciOptions({ connect: { socketPath: `${path}/control.sock` } }))
      )
      assert.deepStrictEqual(yield* overSocket, [200, 404])
      assert.deepStrictEqual(yield* Effect.all([status(`${url}/public`), status(`${url}/pid`)]), [200, 404])
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeServices.layer, NodeHttpClient.layerUndici)))
  )
})
