/**
 * A2A 1.0, sections 13 and 14 and the appendices: security, registrations.
 *
 * @module
 */
import { because, by, met, open, type Section } from "./requirement.ts"

const notYours = by.rpc("pitfall 12: what is not yours and what is not there are the same answer, byte for byte")
const foreign = by.operations("what is somebody else's is not there, to the byte")
const pages = by.operations("lists tasks page by page, the latest first, without artifacts unless asked")
const delivered = by.push(
  "pitfall 13: delivers every event of a task in order, signed, each with an id that stays over repetitions"
)
const letters = by.push("keeps what is given up as dead letters, and passes it over")
const ssrf = by.push("refuses targets that are not of the outside when they are named, and when they are used")
const challenge = by.rpc("a token that is not good is 401 with a challenge")
const promised = by.rpc("pitfall 10: what the card does not promise is refused, push with HTTP 400 and ErrorInfo")
const fields = by.rpc("unknown methods are -32601, parameters that are wrong -32602 with the fields' paths")
const anything = by.anything("any JSON and any malformed HTTP gets a specified error: no 500, no hang, no leak")
const busy = by.rpc("too much to do is 429, shutting down 503, both with Retry-After and -32050")
const served = by.agent("serves its card under both names, and its health")
const noExtended =
  "a workspace has no extended card, and its card says so; who embeds the server and gives it one decides who may see it by its CallerVerifier"

/** The sections. */
export const security10: ReadonlyArray<Section> = [
  {
    title: "13.1 Access",
    requirements: [
      met(3075, "MUST", "server", "each caller has its own tasks, and no others", foreign, notYours),
      met(3079, "MUST", "server", "who may is looked at in every operation", foreign, notYours),
      met(3080, "MUST", "server", "results are the caller's", pages, foreign),
      met(3081, "MUST", "server", "also without a filter", pages, foreign),
      met(3091, "MUST", "server", "lists are the caller's", pages, foreign),
      met(3092, "MUST", "server", "Get looks whose the task is", notYours, foreign),
      met(3093, "MUST", "server", "as do cancel, subscribe and push", notYours, foreign),
      met(3098, "MUST", "server", "before anything is told of what there is", notYours, foreign),
      open(3099, "SHOULD", "operator", "the model is documented", "docs/a2a.md, under who may see what")
    ]
  },
  {
    title: "13.2 Push notifications",
    requirements: [
      met(
        3109,
        "MUST",
        "server",
        "pushes carry the credentials of their configuration",
        delivered,
        by.pushHeaders("carry the credentials that the configuration names, by its scheme")
      ),
      met(3110, "SHOULD", "server", "end after a time, of 15 seconds here", letters),
      met(3111, "SHOULD", "server", "are tried again, ever later", letters),
      met(
        3113,
        "SHOULD",
        "server",
        "and go nowhere inside (SSRF)",
        ssrf,
        by.push("connects to no address that is not allowed any more, whatever was allowed when it was named")
      ),
      open(3120, "MUST", "client", "whoever receives one verifies it", because.receiver),
      open(3121, "SHOULD", "client", "and its task", because.receiver),
      open(3122, "MUST", "client", "and answers 2xx", because.receiver),
      open(3123, "SHOULD", "client", "and takes one that comes twice as one", because.receiver),
      open(3124, "SHOULD", "client", "and limits them", because.receiver),
      open(3125, "SHOULD", "client", "and uses HTTPS", because.receiver),
      open(
        3129,
        "SHOULD",
        "client",
        "targets use HTTPS",
        "http is allowed, for targets inside; docs/a2a.md says what is sent"
      ),
      open(3130, "SHOULD", "client", "tokens of configurations are secrets, and change", because.operator),
      open(
        3131,
        "SHOULD",
        "server",
        "configurations are kept safely",
        "they are in the journal, whose file only its owner can read (docs/durability.md); they are not encrypted there"
      ),
      open(3132, "SHOULD", "client", "each configuration has a token of its own", because.operator)
    ]
  },
  {
    title: "13.3 Extended cards",
    requirements: [
      open(3142, "MUST", "server", "who asks for one is authenticated", noExtended),
      met(
        3143,
        "MUST",
        "server",
        "as the public card says",
        challenge,
        by.callers("refuses every token that is not exactly that")
      ),
      open(
        3145,
        "SHOULD",
        "server",
        "with headers for caching",
        "its answer is an operation's, which says nothing of caching"
      ),
      open(3152, "SHOULD", "operator", "what is to be had at which level is documented", noExtended),
      open(3156, "SHOULD", "operator", "nothing in one would do harm if it leaked", noExtended),
      open(3157, "MUST", "server", "who may see it is looked at", noExtended),
      open(
        3158,
        "SHOULD",
        "client",
        "it takes the place of the public one for the session",
        "`AgentClient` keeps public cards only; who asks for the extended one has it to use"
      ),
      open(3159, "SHOULD", "operator", "it has a version", noExtended),
      met(3164, "MUST", "server", "without the capability: UnsupportedOperation", promised),
      met(
        3165,
        "MUST",
        "server",
        "promised and not configured: its own error",
        by.rpc("an extended card that is promised and not configured is -32007")
      )
    ]
  },
  {
    title: "13.4 and 13.5 General",
    requirements: [
      open(3173, "MUST", "operator", "connections are encrypted in production", because.tls),
      open(3174, "SHOULD", "operator", "by modern TLS", because.tls),
      open(3175, "SHOULD", "server", "with HSTS", because.tls),
      open(3176, "SHOULD", "operator", "and no old one", because.tls),
      met(3180, "MUST", "server", "all that comes in is looked at", fields, anything),
      met(
        3181,
        "SHOULD",
        "server",
        "sizes and complexity have limits",
        by.rpc("a body that is too large is 413, with a length and without"),
        by.rpc(
          "pitfall 7: malformed JSON is HTTP 200 with -32700; so are bytes that are not UTF-8 and JSON that is too deep"
        )
      ),
      met(
        3182,
        "SHOULD",
        "server",
        "media types that the agent does not take are refused",
        by.operations(
          "pitfall 5: rejects, cancels, refuses media types, and replies by a message where the agent says so"
        )
      ),
      met(
        3186,
        "MUST",
        "both",
        "credentials are secrets",
        by.cliOwn(
          "A2ACLI_AUTH_001, A2ACLI_AUTH_002, A2ACLI_AUTH_003, A2ACLI_AUTH_004: attaches credentials as the card says, hides them, and tells those that are missing from those that are wrong"
        ),
        by.clientHttp("follow redirects, and take no secrets elsewhere")
      ),
      open(3187, "SHOULD", "operator", "and change", because.operator),
      open(3188, "SHOULD", "operator", "and travel over encrypted connections", because.tls),
      open(
        3189,
        "SHOULD",
        "operator",
        "and can be revoked",
        "caller tokens end after minutes; tokens of workspaces are revoked on the platform (docs/platform.md)"
      ),
      open(
        3190,
        "SHOULD",
        "server",
        "failures are logged, and rate-limited",
        "the platform limits failures (docs/platform.md); an agent of its own answers 401 and neither logs nor limits"
      ),
      open(
        3194,
        "SHOULD",
        "server",
        "what concerns security is logged",
        "as before: the platform logs refusals, an agent of its own does not yet"
      ),
      open(3195, "SHOULD", "operator", "unusual patterns are noticed", because.operator),
      open(
        3196,
        "SHOULD",
        "server",
        "what matters leaves a trail",
        "the journal has each task with its caller; who read it is not recorded"
      ),
      met(
        3197,
        "MUST",
        "server",
        "logs have no secrets in them",
        by.rpc("a defect is -32603 and tells nothing of itself; an answer that is none is -32006"),
        by.refusals("what cannot be kept (${reason}), with reason and remedy and without the file's path")
      ),
      met(
        3201,
        "SHOULD",
        "server",
        "operations are limited",
        busy,
        by.agent("beyond its bound it answers 429 with Retry-After")
      ),
      met(
        3202,
        "SHOULD",
        "server",
        "with an error that says so",
        busy,
        by.agent("beyond its bound it answers 429 with Retry-After")
      ),
      open(3207, "MUST", "operator", "the laws on data are kept to", because.operator),
      open(3208, "SHOULD", "operator", "people can have their data deleted", because.operator),
      open(
        3209,
        "SHOULD",
        "operator",
        "data is kept for so long and no longer",
        "ended tasks are pruned by age and number (docs/workspace.md, `test/programs/pruning.test.ts`)"
      ),
      open(
        3210,
        "SHOULD",
        "server",
        "logs have little of people in them",
        "they have ids and states, and no texts of messages"
      ),
      open(3214, "MUST", "server", "bindings of one's own think of this, too", because.noCustom),
      open(3215, "SHOULD", "server", "in the same way", because.noCustom),
      open(3216, "MUST", "server", "and say how they authenticate", because.noCustom)
    ]
  },
  {
    title: "14 Registrations",
    requirements: [
      met(
        3238,
        "MUST",
        "both",
        "JSON is UTF-8",
        by.rpc(
          "pitfall 7: malformed JSON is HTTP 200 with -32700; so are bytes that are not UTF-8 and JSON that is too deep"
        )
      ),
      met(3243, "MUST", "both", "content is looked at by its schema", fields, anything),
      met(
        3244,
        "MUST",
        "both",
        "what users say is not executed",
        by.cliOwn("A2ACLI_OUT_005: keeps what an agent says off the terminal's controls, and blocks in one piece")
      ),
      met(3245, "MUST", "both", "references to files lead nowhere inside", ssrf),
      met(3246, "MUST", "server", "who may is looked at", challenge, notYours),
      open(3247, "MUST", "operator", "tasks and artifacts are protected as the laws want it", because.operator),
      met(
        3297,
        "MUST",
        "both",
        "`A2A-Version` is Major.Minor",
        by.rpc("an unknown version is VersionNotSupported"),
        by.rpc("pitfall 6: absent and empty are 0.3, patch numbers do not count, the header goes before the query")
      ),
      met(3335, "MUST", "server", "a card is at its well-known place", served),
      open(
        3341,
        "SHOULD",
        "operator",
        "with nothing in it that is secret",
        "what is on it stands in src/layers/a2a/IdentityHttp.ts"
      ),
      open(3342, "SHOULD", "operator", "over HTTPS", because.tls),
      open(3344, "SHOULD", "client", "signatures are verified", because.unverified),
      open(3345, "MUST", "server", "extended cards are for those who may see them", noExtended)
    ]
  },
  {
    title: "Appendices",
    requirements: [
      open(3357, "MUST", "operator", "older names stay resolvable", because.text),
      open(3417, "SHOULD", "operator", "older anchors stay beside the new", because.text),
      met(
        3421,
        "SHOULD",
        "client",
        "clients are ready for both versions",
        by.clientHttp("chooses by the client's preference, then by the card's order, 1.0 before 0.3"),
        by.client("drives every operation")
      ),
      open(3596, "MUST", "operator", "the appendix is edited by hand until it is generated", because.text)
    ]
  }
]
