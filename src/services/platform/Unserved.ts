/**
 * What the original platform serves and this one does not: each capability with its routes, and the one sentence that a
 * client is answered. `docs/compatibility.md` lists them beside what is served.
 *
 * @module
 */

/** A capability without an implementation: `later` is planned, `never` is not. */
export interface Unserved {
  readonly plan: "later" | "never"
  /** The `error` of the 501: what is not there, and what to do instead. */
  readonly sentence: string
  /** The original's routes: a method (or `ANY`), a blank, a path; `/*` at the end stands for whatever follows. */
  readonly routes: ReadonlyArray<string>
}

/** The capabilities by their names. */
export const unserved = {
  plugins: {
    plan: "later",
    sentence: "plugins are not served yet: install what the agent needs on the machine where it runs",
    routes: [
      "GET /plugins",
      "GET /plugins/sources",
      "GET /workspaces/:id/plugins",
      "POST /workspaces/:id/plugins",
      "GET /workspaces/:id/plugins/available",
      "GET /workspaces/:id/plugins/compatibility",
      "DELETE /workspaces/:id/plugins/:name",
      "GET /workspaces/:id/plugins/:name/download"
    ]
  },
  allowlist: {
    plan: "later",
    sentence: "the allowlist of plugins is not served yet: as no plugins are served either, there is nothing to allow",
    routes: ["GET /orgs/:id/plugins/allowlist", "PUT /orgs/:id/plugins/allowlist"]
  },
  templates: {
    plan: "later",
    sentence: "templates are not served yet: send name, role, tier and runtime with POST /workspaces",
    routes: ["GET /templates", "POST /templates/import"]
  },
  files: {
    plan: "later",
    sentence: "the files of a workspace are not served yet: read and change them on the machine where its agent runs",
    routes: [
      "GET /workspaces/:id/files",
      "PUT /workspaces/:id/files",
      "GET /workspaces/:id/files/*",
      "PUT /workspaces/:id/files/*",
      "DELETE /workspaces/:id/files/*"
    ]
  },
  chatFiles: {
    plan: "later",
    sentence: "chat files are not served yet: send the file, or where it is, as a part of the message itself",
    routes: ["POST /workspaces/:id/chat/uploads", "GET /workspaces/:id/chat/download"]
  },
  schedules: {
    plan: "later",
    sentence: "schedules are not served yet: let a timer of your own send the prompt to POST /workspaces/:id/a2a",
    routes: [
      "GET /workspaces/:id/schedules",
      "POST /workspaces/:id/schedules",
      "PATCH /workspaces/:id/schedules/:scheduleId",
      "DELETE /workspaces/:id/schedules/:scheduleId",
      "POST /workspaces/:id/schedules/:scheduleId/run",
      "GET /workspaces/:id/schedules/:scheduleId/history",
      "GET /workspaces/:id/schedules/health",
      "GET /admin/schedules/health"
    ]
  },
  sharedContext: {
    plan: "later",
    sentence: "shared context is not served yet: send what a child has to know with the message to it",
    routes: ["GET /workspaces/:id/shared-context"]
  },
  viewport: {
    plan: "later",
    sentence: "the viewport is not kept yet: keep it in the storage of the page",
    routes: ["GET /canvas/viewport", "PUT /canvas/viewport"]
  },
  controlPlane: {
    plan: "later",
    sentence:
      "the hosted control plane is not reached through this platform yet: show the admin token instead of a session",
    routes: ["ANY /cp/*"]
  },
  agents: {
    plan: "later",
    sentence: "the record of agents and their models is not served yet: choose the model where the agent runs",
    routes: [
      "POST /workspaces/:id/agent",
      "PATCH /workspaces/:id/agent",
      "DELETE /workspaces/:id/agent",
      "POST /workspaces/:id/agent/move"
    ]
  },
  liveness: {
    plan: "later",
    sentence:
      "the liveness of the platform's own loops is not served yet: GET /health says whether the platform answers",
    routes: ["GET /admin/liveness"]
  },
  provisioning: {
    plan: "never",
    sentence: "this platform starts no containers: look after the agent on the machine where it runs",
    routes: [
      "GET /workspaces/:id/console",
      "POST /admin/workspaces/:id/bootstrap-failed",
      "POST /admin/workspace-images/refresh"
    ]
  },
  restart: {
    plan: "never",
    sentence: "this platform starts no containers and can restart none: restart the agent on the machine where it runs",
    routes: ["POST /workspaces/:id/restart"]
  },
  terminal: {
    plan: "never",
    sentence: "there is no terminal, as this platform runs no containers: log in to the machine where the agent runs",
    routes: ["GET /workspaces/:id/terminal"]
  },
  bundles: {
    plan: "never",
    sentence: "there are no bundles: make each workspace with POST /workspaces",
    routes: ["GET /bundles/export/:id", "POST /bundles/import"]
  },
  orgImport: {
    plan: "never",
    sentence: "there is no import of organisations: make each workspace with POST /workspaces, parents first",
    routes: ["GET /org/templates", "POST /org/import"]
  },
  channels: {
    plan: "never",
    sentence: "there are no channels: let a bot of your own send its messages to POST /workspaces/:id/a2a",
    routes: [
      "GET /channels/adapters",
      "POST /channels/discover",
      "GET /workspaces/:id/channels",
      "POST /workspaces/:id/channels",
      "PATCH /workspaces/:id/channels/:channelId",
      "DELETE /workspaces/:id/channels/:channelId",
      "POST /workspaces/:id/channels/:channelId/send",
      "POST /workspaces/:id/channels/:channelId/test"
    ]
  },
  webhooks: {
    plan: "never",
    sentence: "webhooks are not taken: let a receiver of your own check them and send to POST /workspaces/:id/a2a",
    routes: ["POST /webhooks/:type", "POST /webhooks/github", "POST /webhooks/github/:id"]
  },
  artifacts: {
    plan: "never",
    sentence: "there are no artifact repositories: give the agent a repository and its credentials where it runs",
    routes: [
      "GET /workspaces/:id/artifacts",
      "POST /workspaces/:id/artifacts",
      "POST /workspaces/:id/artifacts/fork",
      "POST /workspaces/:id/artifacts/token"
    ]
  },
  githubTokens: {
    plan: "never",
    sentence: "no GitHub tokens are handed out: give the agent one of its own where it runs",
    routes: ["GET /admin/github-installation-token", "GET /workspaces/:id/github-installation-token"]
  },
  testTokens: {
    plan: "never",
    sentence: "tokens for tests are not handed out: mint one with the admin token, POST /workspaces/:id/tokens",
    routes: ["GET /admin/workspaces/:id/test-token"]
  }
} as const satisfies Record<string, Unserved>

/** The name of a capability. */
export type UnservedName = keyof typeof unserved

const patternOf = (path: string) =>
  new RegExp(
    `^${path
      .replaceAll(/[.]/g, String.raw`\.`)
      .replaceAll(/:\w+/g, "[^/]+")
      .replace(/\*$/, ".*")}$`
  )

const patterns = Object.values<Unserved>(unserved).flatMap(({ routes, sentence }) =>
  routes.map((route) => {
    const [method = "", path = ""] = route.split(" ")
    return { method, pattern: patternOf(path), sentence }
  })
)

/** The sentence for a request, or undefined if the original does not know its route either. */
export const unservedSentence = (method: string, path: string): string | undefined =>
  patterns.find((one) => (one.method === "ANY" || one.method === method) && one.pattern.test(path))?.sentence
