/**
 * The owner's side of `TaskControl`: the API on a socket in the state directory.
 *
 * @module
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { TaskRunner } from "../../services/durable/TaskRunner.ts"
import { socketName, TaskControlApi } from "../../services/local/TaskControl.ts"
import { Health } from "../../services/workspace/Health.ts"
import { StateDirectory } from "../../services/workspace/StateDirectory.ts"

/** The longest path of a socket that every system takes, in bytes: the shortest `sun_path`, of macOS, less its end. */
export const longestPath = 103

const Tasks = HttpApiBuilder.group(
  TaskControlApi,
  "tasks",
  Effect.fnUntraced(function* (handlers) {
    const runner = yield* TaskRunner
    return handlers.handleAll({
      cancel: ({ payload }) => runner.cancel(payload.taskId),
      resume: ({ payload }) => runner.release(payload.taskId),
      retry: ({ payload }) => runner.retry(payload.taskId),
      provide: ({ payload }) => Effect.as(runner.provide(payload.taskId, payload.wait, payload.value), {})
    })
  })
)

const Workspace = HttpApiBuilder.group(
  TaskControlApi,
  "workspace",
  Effect.fnUntraced(function* (handlers) {
    const { forOperator } = yield* Health
    const { pid } = process
    return handlers.handleAll({ health: () => forOperator, pid: () => Effect.succeed({ pid }) })
  })
)

const Api = HttpApiBuilder.layer(TaskControlApi).pipe(Layer.provide(Layer.mergeAll(Tasks, Workspace)))

const warn = (path: string, cause: string) =>
  Layer.effectDiscard(
    Effect.logWarning(
      `no socket at ${path}: molecule can show this workspace's tasks, but not change them while it runs`,
      { cause }
    )
  )

const serve = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  // We hold the directory's lock, so whoever left one behind is dead.
  yield* files.remove(path, { force: true })
  yield* Effect.addFinalizer(() => Effect.ignore(files.remove(path, { force: true })))
  const Server = NodeHttpServer.layer(() => createServer(), { path, gracefulShutdownTimeout: "1 second" })
  // The directory is 0700: nobody else can reach the socket in the moment before it is 0600.
  const Closed = Layer.effectDiscard(files.chmod(path, 0o600)).pipe(Layer.provideMerge(Server))
  return HttpRouter.serve(Api, { disableLogger: true, disableListenLog: true }).pipe(Layer.provide(Closed))
})

/**
 * Serves `TaskControlApi` at `control.sock` in the state directory for as long as the layer lives, for this user only.
 *
 * **Details**
 *
 * Where there can be no socket (a path that is too long, a disk that refuses) the workspace runs without, and says so.
 */
export const layer = Layer.unwrap(
  Effect.map(StateDirectory, (state) => {
    const path = state.file(socketName)
    // A longer path would be cut, without a word, by some systems.
    return Buffer.byteLength(path) > longestPath
      ? warn(path, `the path has more than ${longestPath} bytes: use a state directory with a shorter one`)
      : Layer.unwrap(serve(path)).pipe(Layer.catch((error) => warn(path, String(error))))
  })
)
