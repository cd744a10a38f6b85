/**
 * What the table of routes in `docs/compatibility.md` is made of.
 *
 * @module
 */
import { unserved, type Unserved, type UnservedName } from "../../src/services/platform/Unserved.ts"
import type { Shown } from "../support/titles.ts"

/** How a route of the original stands here. */
export type Standing =
  /** Served: how ours differs, with the numbers of the defects that it has not, and the tests that show it. */
  | { readonly _tag: "served"; readonly differs: string; readonly shown: readonly [Shown, ...ReadonlyArray<Shown>] }
  /** Answered with 501 and the sentence of a capability. */
  | { readonly _tag: "unserved"; readonly plan: Unserved["plan"]; readonly sentence: string }
  /** Wanted, and not built yet: 404. */
  | { readonly _tag: "open" }

/** A route: its method and path with a blank between them, and where the specification has it (M: platform-more). */
export interface Route {
  readonly route: string
  readonly section: string
  readonly standing: Standing
}

/** Routes that belong together. */
export interface RouteGroup {
  readonly title: string
  readonly routes: ReadonlyArray<Route>
}

/** A route that is served. */
export const served = (
  route: string,
  section: string,
  differs: string,
  ...shown: readonly [Shown, ...ReadonlyArray<Shown>]
): Route => ({ route, section, standing: { _tag: "served", differs, shown } })

/** Routes that are wanted, and not built yet. */
export const open = (section: string, ...routes: ReadonlyArray<string>): ReadonlyArray<Route> =>
  routes.map((route) => ({ route, section, standing: { _tag: "open" } }))

/** The routes of a capability that is not served. */
export const without = (name: UnservedName, section: string): ReadonlyArray<Route> => {
  const { plan, routes, sentence } = unserved[name]
  return routes.map((route) => ({ route, section, standing: { _tag: "unserved", plan, sentence } }))
}

const platform =
  (file: string) =>
  (title: string): Shown => ({ file: `layers/platform/${file}`, title })

/** The tests by the names of their files. */
export const by = {
  access: platform("access.test.ts"),
  accessTable: (title: string): Shown => ({ file: "services/platform/Access.test.ts", title }),
  checkpoints: platform("checkpoints.test.ts"),
  failure: platform("storeFailure.test.ts"),
  forward: platform("relayForward.test.ts"),
  frame: platform("requestFrame.test.ts"),
  inbox: platform("relayInbox.test.ts"),
  proxy: platform("A2AProxyHttp.test.ts"),
  queue: platform("relayQueue.test.ts"),
  registry: platform("registry.test.ts"),
  robustness: platform("robustness.test.ts"),
  orgTokens: platform("orgTokens.test.ts"),
  tokens: platform("tokens.test.ts"),
  workspaces: platform("workspaces.test.ts")
}
