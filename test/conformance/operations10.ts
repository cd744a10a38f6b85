/**
 * A2A 1.0, sections 1 to 3.3: the operations, their parameters and errors.
 *
 * @module
 */
import { because, by, met, open, type Section } from "./requirement.ts"

const isStream = by.events(
  "JSON-RPC: the task, its pieces and its end, each in an envelope under the request's id, then nothing"
)
const follows = by.streams(
  "pitfall 4: without a cursor the first event is the task as it stands, after a restart too, and then what follows"
)
const notYours = by.rpc("pitfall 12: what is not yours and what is not there are the same answer, byte for byte")
const foreign = by.operations("what is somebody else's is not there, to the byte")
const lists = by.rpc("pitfall 8: gets, lists and cancels tasks; newest first, nextPageToken is empty on the last page")
const pages = by.operations("lists tasks page by page, the latest first, without artifacts unless asked")
const ended = by.operations("answers with the ended task: its artifact, its history, its times")
const asks = by.operations(
  "pitfall 1: asks, waits for the answer over a restart, goes on with it, and takes nothing after the end"
)
const fields = by.rpc("unknown methods are -32601, parameters that are wrong -32602 with the fields' paths")
const configs = by.rpc("push configurations are made, read, listed and deleted, twice if need be")
const noConfig = by.push("pitfall 13: pushes nothing after a configuration is deleted, which may be repeated")
const promised = by.rpc("pitfall 10: what the card does not promise is refused, push with HTTP 400 and ErrorInfo")
const versions = by.rpc(
  "pitfall 6: absent and empty are 0.3, patch numbers do not count, the header goes before the query"
)
const statuses = by.rest("errors are google.rpc.Status with the table's numbers")
const challenge = by.rpc("a token that is not good is 401 with a challenge")

/** The sections. */
export const operations10: ReadonlyArray<Section> = [
  {
    title: "1 Introduction",
    requirements: [
      open(107, "MUST", "operator", "a published JSON artifact is not normative", because.text),
      open(112, "MUST", "operator", "breaking changes come with guidance for migration", because.text),
      open(113, "MUST", "operator", "anchors of older documents stay", because.text),
      open(
        114,
        "SHOULD",
        "operator",
        "SDKs keep aliases of deprecated types",
        "the names of 0.3 are served as 0.3 (docs/a2a.md); 1.0 has its own names only"
      ),
      open(115, "SHOULD", "operator", "deprecated names stay until the next major version", because.text),
      open(129, "MUST", "both", "the words are read as RFC 2119 has them", "defines the words of this table")
    ]
  },
  {
    title: "3.1.1 Send Message",
    requirements: [
      met(
        180,
        "MUST",
        "server",
        "the answer is a task or a message, at once",
        by.rpc("answers with a message or a task under the request's id, as application/json"),
        ended
      )
    ]
  },
  {
    title: "3.1.2 Send Streaming Message",
    requirements: [
      met(206, "MUST", "server", "a stream of one of two patterns is opened", isStream),
      met(
        208,
        "MUST",
        "server",
        "a message is alone in its stream, which then ends",
        by.cliSdk(
          "A2ACLI_SEND_003, A2ACLI_OUT_003: streams an event a line, the last of which ends it, and a message as the only one"
        ),
        by.client("drives every operation")
      ),
      met(
        210,
        "MUST",
        "server",
        "a task comes first, then its updates; the stream ends with it",
        isStream,
        by.operations("streams the task first, artifacts in pieces, and takes a stream up again behind its cursor")
      ),
      met(212, "MUST", "server", "what happens is told at once", by.testAgent("streams in the order of the file"))
    ]
  },
  {
    title: "3.1.3 and 3.1.4 Get and List Tasks",
    requirements: [
      met(240, "MUST", "server", "a list has no artifacts, not even an empty field, unless asked", pages),
      met(246, "MUST", "server", "`nextPageToken` is there on each page, empty on the last", lists, pages),
      met(254, "MUST", "server", "only the caller's tasks, by cursor, the latest first", pages, foreign),
      met(262, "MUST", "server", "sorted by the time of the status, the latest first", lists, pages)
    ]
  },
  {
    title: "3.1.6 Subscribe to Task",
    requirements: [
      met(309, "MUST", "server", "the stream ends when the task does", follows, isStream),
      met(311, "MUST", "server", "the first event is the task as it stands", follows)
    ]
  },
  {
    title: "3.1.7 to 3.1.10 Push notification configurations",
    requirements: [
      met(
        335,
        "MUST",
        "server",
        "a target is kept, and is told of updates",
        configs,
        by.push(
          "pitfall 13: delivers every event of a task in order, signed, each with an id that stays over repetitions"
        )
      ),
      met(
        360,
        "MUST",
        "server",
        "a configuration is told, and an error where there is none or it is another's",
        configs,
        foreign
      ),
      met(381, "MUST", "server", "all of a task are listed", configs),
      met(
        402,
        "MUST",
        "server",
        "one that is deleted is told of nothing any more; deleting again is the same",
        noConfig,
        configs
      )
    ]
  },
  {
    title: "3.1.11 Get Extended Agent Card",
    requirements: [
      met(
        423,
        "MUST",
        "client",
        "the client authenticates as the public card says",
        by.client("proves who it is"),
        by.cliOwn(
          "A2ACLI_AUTH_001, A2ACLI_AUTH_002, A2ACLI_AUTH_003, A2ACLI_AUTH_004: attaches credentials as the card says, hides them, and tells those that are missing from those that are wrong"
        )
      ),
      open(
        425,
        "SHOULD",
        "client",
        "an extended card takes the place of the public one that was kept",
        "`AgentClient` keeps public cards only; who asks for the extended one has it to use, and can connect with it"
      )
    ]
  },
  {
    title: "3.2 Parameters",
    requirements: [
      met(446, "MUST", "server", "a blocking send waits for the end, or for the task to need something", ended, asks),
      met(
        448,
        "MUST",
        "server",
        "a non-blocking one does not wait",
        ended,
        by.testAgent("answers, makes artifacts of every kind, fails, rejects, and is busy")
      ),
      met(
        470,
        "SHOULD",
        "server",
        "with a history length of 0 there is no `history`",
        ended,
        by.rest("sends a message, gets, lists and cancels tasks, as application/a2a+json")
      ),
      met(479, "MUST", "both", "service parameters have names without regard to case", versions)
    ]
  },
  {
    title: "3.3 Errors and capabilities",
    requirements: [
      met(
        500,
        "MUST",
        "server",
        "errors are the protocol's, with what helps to mend them",
        by.anything("any JSON and any malformed HTTP gets a specified error: no 500, no hang, no leak"),
        fields
      ),
      met(
        505,
        "MUST",
        "server",
        "requests without good credentials are refused",
        challenge,
        by.agent("without a caller token it answers 401, whatever the body")
      ),
      met(506, "SHOULD", "server", "with a challenge", challenge),
      met(507, "SHOULD", "server", "that names the scheme", challenge),
      met(512, "MUST", "server", "who may not is told so", notYours, foreign),
      open(
        513,
        "SHOULD",
        "server",
        "the scope that is missing is named",
        "there are no scopes: a task is its sender's, and to everybody else it is not there"
      ),
      met(514, "MUST", "server", "what one may not see is not shown to exist", notYours, foreign),
      met(
        519,
        "MUST",
        "server",
        "parameters are looked at before anything is done",
        fields,
        by.anything("nor does it where messages become tasks on a disk")
      ),
      met(
        520,
        "SHOULD",
        "server",
        "the fields that are wrong are named",
        fields,
        by.rest("ids in paths are taken apart before they are decoded, and may be long")
      ),
      met(521, "SHOULD", "server", "and what would be right", fields),
      met(526, "MUST", "server", "what is not there is not found", notYours, statuses),
      met(527, "SHOULD", "server", "as is what is another's, in the same words", notYours, foreign),
      met(
        532,
        "SHOULD",
        "server",
        "what passes is told from what stays",
        by.rpc("too much to do is 429, shutting down 503, both with Retry-After and -32050")
      ),
      met(
        534,
        "SHOULD",
        "server",
        "what breaks inside is logged",
        by.rpc("a defect is -32603 and tells nothing of itself; an answer that is none is -32006")
      ),
      met(540, "MUST", "server", "an error has a code, a text and, where there are any, details", statuses, promised),
      met(544, "MUST", "server", "each detail names its `@type`", statuses, promised),
      met(549, "MUST", "server", "each binding says them in its own form", statuses, promised),
      met(571, "MUST", "server", "what the card does not promise is refused", promised),
      met(573, "MUST", "server", "push without the capability: PushNotificationNotSupported", promised),
      met(574, "MUST", "server", "streams without the capability: UnsupportedOperation", promised),
      met(
        575,
        "MUST",
        "server",
        "an extended card without the capability: UnsupportedOperation; promised and not configured: its own error",
        promised,
        by.rpc("an extended card that is promised and not configured is -32007")
      ),
      met(
        576,
        "MUST",
        "server",
        "a required extension that is not activated: ExtensionSupportRequired",
        by.rpc("an extension that is required has to be activated")
      ),
      met(
        578,
        "SHOULD",
        "client",
        "the client looks at the card before it asks for what may be missing",
        by.cli("A2ACLI_VER_003: asks no agent for what its card does not promise")
      )
    ]
  }
]
