/**
 * The container check on a real machine.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { Container } from "../../services/workspace/Container.ts"

/** The file that Docker puts into every container. */
const marker = "/.dockerenv"

/** In a container if `/.dockerenv` exists, or `DOCKER_VERSION` is set and not blank. */
export const layer = Layer.effect(
  Container,
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const version = yield* Config.String("DOCKER_VERSION").pipe(Config.withDefault(""))
    const marked = yield* Effect.orElseSucceed(files.exists(marker), () => false)
    return Container.of({ inContainer: marked || version.trim() !== "" })
  })
)
