/**
 * Every route of the original's control plane, and how it stands here.
 *
 * @module
 */
import { by, open, type RouteGroup, served, without } from "./route.ts"

const discover = by.registry(
  "discover gives the stored URL to whom the hierarchy connects, and 503 for who is not there"
)
const peers = by.registry("peers: siblings, children, parent, oldest first; q looks in name and role and never fails")
const beats = by.registry("heartbeats move the status, and never end a pause; a registration does not either")
const steps = by.checkpoints(
  "a repeat replaces and keeps its id; lists by index downwards; latest is the last one written"
)
const tokens = by.tokens("each works at once, is listed by its first characters, newest first, page by page")
const orgTokens = by.orgTokens("are shown once, listed newest first by their first characters, and say who made them")
const deletes = by.workspaces("delete asks before it takes children along, takes all of them, and can be repeated")
const passes = by.forward(
  "passes HTTP+JSON through: method, path, query, body, media types, and errors in their own form"
)
const comes = by.inbox("waits for them, answers, and the caller's request completes")

/** The original's routes, group by group. */
export const groups: ReadonlyArray<RouteGroup> = [
  {
    title: "Workspaces",
    routes: [
      served(
        "GET /workspaces",
        "§2.3",
        "only the admin token; a row that cannot be read is a 503, not left out (P5, P6)",
        by.access("anyone sees six fields of a workspace, its own token and the admin see more, nobody sees a secret")
      ),
      served(
        "POST /workspaces",
        "§2.1, §2.2",
        "every workspace is `external`; the URL is checked, parents must exist, a 400 names each field, `platform_url` is not taken from forwarded headers; `template`, `model`, `secrets` and `initial_memories` are not looked at yet (P13, P15, P20, U8, U13)",
        by.workspaces("create refuses what does not fit, naming every field, and keeps nothing of it"),
        by.workspaces("create without a URL gives the token once; with one it is online and has no token yet")
      ),
      served(
        "GET /workspaces/:id",
        "§2.3",
        "six fields for anyone; the rest for its own token and the admin (P10)",
        by.access("anyone sees six fields of a workspace, its own token and the admin see more, nobody sees a secret")
      ),
      served(
        "PATCH /workspaces/:id",
        "§2.4",
        "as a whole or not at all; tier, parent, runtime and directory are the admin's; parents exist and form no circle (P7, P8, P30)",
        by.workspaces("patch is all or nothing, and where it stands is not the workspace's own to change")
      ),
      served("DELETE /workspaces/:id", "§2.5", "one transaction; an unknown id is a 404 (P31)", deletes),
      served(
        "GET /workspaces/:id/state",
        "§2.6",
        "404 with `deleted` for the deleted workspace's own token; the admin may look (P33, U2)",
        deletes,
        by.access("unknown ids: nobody registers one, state says stop, the admin gets 404")
      ),
      ...open("§2.7", "POST /workspaces/:id/pause", "POST /workspaces/:id/resume", "POST /workspaces/:id/hibernate"),
      ...without("restart", "§2.7"),
      ...without("provisioning", "§2.9, M§9.3"),
      ...open("M§5.1", "POST /workspaces/:id/expand", "POST /workspaces/:id/collapse"),
      ...without("agents", "M§5.2"),
      ...open("M§4.4", "GET /workspaces/:id/budget", "PATCH /workspaces/:id/budget"),
      ...open("M§4.4", "GET /workspaces/:id/config", "PATCH /workspaces/:id/config"),
      ...without("terminal", "M§5.6")
    ]
  },
  {
    title: "Registry",
    routes: [
      served(
        "POST /registry/register",
        "§3.1, §3.2",
        "no unknown ids; one first token for each workspace; ends no pause; `remote://no-inbound` is taken (P2, P3, P4, P26, P35, U7, U12)",
        by.registry("of many first registrations at once exactly one gets a token, and only its URL counts"),
        by.registry("a first token is not given twice, not even after the last one was revoked")
      ),
      served(
        "POST /registry/heartbeat",
        "§3.3",
        "takes `awaiting_agent` to `online`; a removed id is 401 (P20, P25, P33, U1)",
        beats,
        by.registry("a heartbeat stores what it says, absent numbers as 0, spending only upwards of 0")
      ),
      served(
        "POST /registry/update-card",
        "§3.4",
        "",
        by.access("a bearer that nobody issued is refused as a revoked one is, wherever a credential counts")
      ),
      served("GET /registry/discover/:id", "§3.5", "the stored URL, never a container's name (P3, P21)", discover),
      served("GET /registry/:id/peers", "§3.6", "always in one order; `q` never fails (P34, P50)", peers),
      served("POST /registry/check-access", "§3.7", "wants a credential (P10)", peers)
    ]
  },
  {
    title: "Tokens and secrets",
    routes: [
      served("GET /workspaces/:id/tokens", "§4.1", "", tokens),
      served(
        "POST /workspaces/:id/tokens",
        "§4.1",
        "never more than fifty, however many ask at once; none for a removed workspace (P4, P35)",
        by.tokens("fifty live ones, never one more, however many ask at once; a revoked one makes room")
      ),
      served(
        "DELETE /workspaces/:id/tokens/:tokenId",
        "§4.1",
        "the last one opens nothing (P3)",
        by.registry("a first token is not given twice, not even after the last one was revoked")
      ),
      served("GET /org/tokens", "§4.2, M§6.6", "", orgTokens),
      served(
        "POST /org/tokens",
        "§4.2, M§6.6",
        "a body that is no JSON is a 400, not a token without a name; 500 live ones at most; no cookie says who asked (P18)",
        orgTokens,
        by.orgTokens("there are as many as one list shows, never one more, however many ask at once")
      ),
      served(
        "DELETE /org/tokens/:id",
        "§4.2, M§6.6",
        "an id that is none is a 404",
        by.orgTokens("do what the admin may, and nothing after they were revoked; what they are not, is nobody")
      ),
      ...open(
        "§4.3",
        "GET /workspaces/:id/secrets",
        "POST /workspaces/:id/secrets",
        "PUT /workspaces/:id/secrets",
        "DELETE /workspaces/:id/secrets/:key",
        "GET /workspaces/:id/secrets/values",
        "GET /workspaces/:id/model",
        "PUT /workspaces/:id/model",
        "GET /settings/secrets",
        "POST /settings/secrets",
        "PUT /settings/secrets",
        "DELETE /settings/secrets/:key",
        "GET /admin/secrets",
        "POST /admin/secrets",
        "DELETE /admin/secrets/:key"
      ),
      ...without("testTokens", "§1.6"),
      ...without("githubTokens", "M§9.3")
    ]
  },
  {
    title: "Messages, delegations, checkpoints",
    routes: [
      served(
        "POST /workspaces/:id/a2a",
        "§6",
        "always wants a credential; the agent is told who calls; numbers and errors arrive as they are; streams stream; the caller of a queued message waits for its answer (P1, P13, P14, P37–P44, U3)",
        by.proxy("sends the text as it came, with a token that says who calls, and answers what the agent answers"),
        by.queue("a busy agent gets the message when it said it would, and the caller's request completes")
      ),
      ...open("§6.6", "POST /admin/a2a-queue/drop-stale"),
      ...open(
        "§7",
        "POST /workspaces/:id/delegate",
        "GET /workspaces/:id/delegations",
        "POST /workspaces/:id/delegations/record",
        "POST /workspaces/:id/delegations/:delegationId/update"
      ),
      served(
        "POST /workspaces/:id/checkpoints",
        "§5",
        "names and numbers have limits (P17)",
        steps,
        by.checkpoints("names are bounded, long ones work in paths, and there is a limit to their number")
      ),
      served("GET /workspaces/:id/checkpoints/latest", "§5", "always in one order (P50)", steps),
      served("GET /workspaces/:id/checkpoints/:workflowId", "§5", "always in one order (P50)", steps),
      served("DELETE /workspaces/:id/checkpoints/:workflowId", "§5", "", steps)
    ]
  },
  {
    title: "Activity and events",
    routes: [
      served(
        "GET /workspaces/:id/activity",
        "M§1.2",
        "shows the messages that wait, oldest first for the workspace, with a cursor (U3, U4, U5); other kinds of rows are not kept yet",
        by.inbox(
          "sees messages oldest first, one of each caller; a reply to a peer is the answer to what the peer asked"
        ),
        by.inbox("filters and limits are the original's; nothing else is in its list")
      ),
      ...open("M§1", "POST /workspaces/:id/activity", "GET /workspaces/:id/session-search"),
      served(
        "POST /workspaces/:id/notify",
        "M§1.4",
        "answers who asked from the canvas; is no message to the workspace itself; not kept yet (M44, M75, U5)",
        by.inbox(
          "sees messages oldest first, one of each caller; a reply to a peer is the answer to what the peer asked"
        )
      ),
      ...open(
        "M§1",
        "GET /workspaces/:id/traces",
        "GET /workspaces/:id/transcript",
        "GET /workspaces/:id/metrics",
        "GET /metrics"
      ),
      ...open("M§2", "GET /events", "GET /events/:workspaceId", "GET /ws", "GET /workspaces/:id/events/stream")
    ]
  },
  {
    title: "Memories, approvals, instructions, audit",
    routes: [
      ...open(
        "M§3.1, M§3.3",
        "POST /workspaces/:id/memories",
        "GET /workspaces/:id/memories",
        "DELETE /workspaces/:id/memories/:memoryId",
        "GET /admin/memories/export",
        "POST /admin/memories/import"
      ),
      ...open(
        "M§3.4",
        "GET /workspaces/:id/memory",
        "GET /workspaces/:id/memory/:key",
        "POST /workspaces/:id/memory",
        "DELETE /workspaces/:id/memory/:key"
      ),
      ...without("sharedContext", "M§3.5"),
      ...open(
        "M§4.1",
        "POST /workspaces/:id/approvals",
        "GET /workspaces/:id/approvals",
        "POST /workspaces/:id/approvals/:approvalId/decide",
        "GET /approvals/pending"
      ),
      ...open(
        "M§4.2",
        "GET /instructions",
        "POST /instructions",
        "PUT /instructions/:id",
        "DELETE /instructions/:id",
        "GET /workspaces/:id/instructions/resolve"
      ),
      ...open("M§8.1", "GET /workspaces/:id/audit"),
      ...open("M§9.1", "POST /workspaces/:id/mcp", "GET /workspaces/:id/mcp/stream"),
      ...without("schedules", "M§4.3")
    ]
  },
  {
    title: "Templates, files, the page",
    routes: [
      ...without("templates", "M§5.3"),
      ...without("files", "M§5.4"),
      ...without("chatFiles", "M§5.5"),
      ...without("viewport", "M§5.7"),
      ...without("plugins", "M§6.1"),
      ...without("allowlist", "M§6.3"),
      ...without("bundles", "M§6.4"),
      ...without("orgImport", "M§6.5"),
      ...without("channels", "M§7.1"),
      ...without("webhooks", "M§7.3, M§7.4"),
      ...without("artifacts", "M§8.2"),
      ...without("controlPlane", "M§9.2")
    ]
  },
  {
    title: "Health",
    routes: [
      served(
        "GET /health",
        "M§9.3",
        "",
        by.frame("every answer carries the headers that protect browsers, and the rate")
      ),
      ...without("liveness", "M§9.3")
    ]
  }
]

/** What only this platform serves. */
export const own: RouteGroup = {
  title: "Only here",
  routes: [
    served(
      "GET /.well-known/jwks.json",
      "",
      "the keys of the tokens that agents are called with (P14)",
      by.proxy("sends the text as it came, with a token that says who calls, and answers what the agent answers")
    ),
    served("GET /workspaces/:id/a2a/:path/*", "", "A2A over HTTP+JSON, and the agent's card", passes),
    served("POST /workspaces/:id/a2a/:path/*", "", "A2A over HTTP+JSON", passes),
    served("DELETE /workspaces/:id/a2a/:path/*", "", "A2A over HTTP+JSON", passes),
    served("GET /workspaces/:id/a2a/queue", "", "messages for an agent that nobody can connect to (U3)", comes),
    served(
      "POST /workspaces/:id/a2a/queue/:entry/lease",
      "",
      "it needs longer",
      by.inbox("what it took and did not answer is given out again; the late answer of the first time is refused")
    ),
    served("POST /workspaces/:id/a2a/queue/:entry/answer", "", "its answer, part by part", comes)
  ]
}

/** Routes that are served without being endpoints of the API, as sockets are. */
export const besideApi: ReadonlyArray<string> = []
