/**
 * Whether this process runs inside a container.
 *
 * @module
 */
import * as Context from "effect/Context"

/**
 * The answer to "are we in a container?", asked once when the layer is built.
 *
 * **Details**
 *
 * Yes if the file `/.dockerenv` exists or `DOCKER_VERSION` is set and not blank. It chooses the default platform URL and
 * the preflight's hints, and is a service of its own so that tests can be in either place.
 */
export class Container extends Context.Service<
  Container,
  {
    /** True inside a container. */
    readonly inContainer: boolean
  }
>()("molecule-effect/services/workspace/Container") {}
