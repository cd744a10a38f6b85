/**
 * The container check, decided by whoever composes.
 *
 * @module
 */
import * as Layer from "effect/Layer"
import { Container } from "../../services/workspace/Container.ts"

/** In a container, or not: as given. */
export const layer = (inContainer: boolean) => Layer.succeed(Container, { inContainer })
