/**
 * A2A 0.3: every MUST that concerns a server or a client.
 *
 * @module
 */
import { because, by, met, open, type Section } from "./requirement.ts"

const everyWay = by.ownServer("drives every operation, in each version and over each transport")
const official = by.durable("${binding} ${version}: every operation")
const sdk03 = by.client("drives every operation")
const served = by.agent("serves its card under both names, and its health")
const numbers = by.agent("tells what is wrong with a request, by the numbers of JSON-RPC and A2A")
const answers = by.agent("answers message/send with the agent's message, and the same message with the same answer")
const streams = by.agent("streams the task, its pieces and its end, in order")
const envelope = by.rpc("an envelope that is none is -32600, with the id if there is one")
const noToken = by.agent("without a caller token it answers 401, whatever the body")
const chooses = by.clientHttp("chooses by the client's preference, then by the card's order, 1.0 before 0.3")
const anything = by.anything("any JSON and any malformed HTTP gets a specified error: no 500, no hang, no leak")
const noRest = "HTTP+JSON is served in 1.0 only, and the card of 0.3 does not declare it"
const clientAuth = by.client("proves who it is")

/** The sections. */
export const text03: ReadonlyArray<Section> = [
  {
    title: "3.1 and 3.2 Transports",
    requirements: [
      met(64, "MUST", "both", "A2A is spoken over HTTP", answers),
      met(66, "MUST", "server", "one of the transports is there", answers),
      met(75, "MUST", "server", "JSON-RPC keeps to what follows", answers, numbers),
      met(78, "MUST", "both", "requests and answers are JSON-RPC 2.0", answers, envelope),
      met(
        79,
        "MUST",
        "both",
        "as application/json",
        by.rpc("answers with a message or a task under the request's id, as application/json")
      ),
      open(84, "MUST", "server", "gRPC keeps to what follows", because.noGrpc),
      open(86, "MUST", "server", "its definition", because.noGrpc),
      open(87, "MUST", "server", "Protocol Buffers 3", because.noGrpc),
      open(88, "MUST", "server", "the service", because.noGrpc),
      open(89, "MUST", "server", "all methods", because.noGrpc),
      open(90, "MUST", "server", "names of fields", because.noGrpc),
      open(91, "MUST", "server", "errors", because.noGrpc),
      open(92, "MUST", "server", "TLS", because.noGrpc),
      open(96, "MUST", "server", "HTTP+JSON keeps to what follows", noRest),
      open(98, "MUST", "server", "its methods", noRest),
      open(99, "MUST", "server", "its paths", noRest),
      open(100, "MUST", "server", "its media type", noRest),
      open(101, "MUST", "server", "its statuses", noRest),
      open(102, "MUST", "server", "its bodies", noRest),
      open(103, "MUST", "server", "all methods", noRest),
      open(104, "MUST", "server", "its errors", noRest),
      open(110, "MUST", "server", "transports of one's own do the same", because.noCustom),
      open(111, "MUST", "server", "have names that meet no other", because.noCustom),
      open(112, "MUST", "server", "and are documented", because.noCustom),
      open(133, "MUST", "server", "HTTP+JSON streams by server-sent events", noRest)
    ]
  },
  {
    title: "3.3 to 3.5 Several transports, extensions, methods",
    requirements: [
      met(139, "MUST", "server", "all that are served do the same", everyWay, official),
      met(148, "MUST", "server", "all of them are on the card", served, everyWay),
      met(
        161,
        "MUST",
        "server",
        "extensions break nobody who does not know them",
        by.events("ids are told to those who know the extension or give a cursor, by header, metadata or query")
      ),
      met(
        169,
        "MUST",
        "server",
        "methods have names of category and action",
        answers,
        by.agent("cancels a running task, once")
      ),
      open(177, "MUST", "server", "methods of gRPC have names in PascalCase", because.noGrpc),
      open(184, "MUST", "server", "paths of HTTP+JSON", noRest),
      met(192, "MUST", "server", "names and parameters are mapped as the table has them", everyWay, official),
      met(195, "MUST", "server", "and mean the same", everyWay, official),
      open(207, "MUST", "server", "methods of extensions have names of their own", "our extension adds no method")
    ]
  },
  {
    title: "4 Security",
    requirements: [
      open(235, "MUST", "operator", "HTTPS in production", because.tls),
      met(
        251,
        "MUST",
        "server",
        "every request is authenticated as the card says",
        noToken,
        by.callers("refuses every token that is not exactly that")
      )
    ]
  },
  {
    title: "5 The card",
    requirements: [
      met(278, "MUST", "server", "there is a card", served),
      open(
        300,
        "MUST",
        "operator",
        "a card with secrets is protected",
        "there are none on ours (src/layers/a2a/IdentityHttp.ts)"
      ),
      open(367, "MUST", "server", "other transports meet none of the core's", because.noCustom),
      met(379, "MUST", "server", "URLs and transports are told together", served),
      met(383, "MUST", "server", "`url` is the agent's main endpoint", served),
      met(384, "MUST", "server", "where `preferredTransport` is spoken", served, sdk03),
      met(385, "MUST", "server", "which is there", served),
      met(386, "MUST", "server", "and works", sdk03, everyWay, official),
      met(391, "MUST", "server", "other interfaces name theirs", everyWay),
      met(396, "MUST", "client", "a client takes a transport by these rules", chooses),
      met(402, "MUST", "client", "with the URL that belongs to it", chooses, sdk03),
      met(406, "MUST", "server", "cards keep to these rules", served),
      met(408, "MUST", "server", "`preferredTransport` is at `url`", served),
      met(410, "MUST", "server", "one URL has no two transports", served),
      met(411, "MUST", "server", "there is one transport at least", served)
    ]
  },
  {
    title: "6 Data",
    requirements: [
      met(
        541,
        "MUST",
        "both",
        "a part is a text, a file or data",
        everyWay,
        sdk03,
        by.translation("every part comes back, with its name and its media type, which 0.3 has for files only")
      ),
      met(631, "MUST", "client", "a request has `jsonrpc` 2.0", envelope),
      met(634, "MUST", "both", "and an id that is a string, a number or null, and is repeated", envelope, answers),
      met(640, "MUST", "server", "an answer has `jsonrpc` 2.0", answers),
      met(641, "MUST", "server", "and the request's id, or null where that is not known", envelope, anything),
      met(642, "MUST", "server", "a result where it went well, and only there", answers),
      met(643, "MUST", "server", "an error where it did not, and only there", numbers),
      met(644, "MUST", "server", "one of the two", answers, numbers),
      met(
        656,
        "MUST",
        "client",
        "requests are posted, as application/json",
        sdk03,
        by.rpc("other methods than POST are 405; the answer to a known method says so")
      ),
      met(658, "MUST", "server", "answers are JSON-RPC, or a stream of events with one in each", answers, streams)
    ]
  },
  {
    title: "7, 9 and 10 Methods and their security",
    requirements: [
      met(1113, "MUST", "client", "the extended card is asked for with the card's authentication", clientAuth),
      met(
        1896,
        "MUST",
        "client",
        "credentials come another way",
        by.cliOwn(
          "A2ACLI_AUTH_001, A2ACLI_AUTH_002, A2ACLI_AUTH_003, A2ACLI_AUTH_004: attaches credentials as the card says, hides them, and tells those that are missing from those that are wrong"
        )
      ),
      met(1897, "MUST", "server", "every request is authenticated", noToken),
      met(1907, "MUST", "server", "all that comes in is looked at", numbers, anything)
    ]
  },
  {
    title: "11 Conformance",
    requirements: [
      met(1919, "MUST", "server", "a server does what follows", answers),
      met(1923, "MUST", "server", "has a transport", answers),
      met(1924, "MUST", "server", "a card", served),
      met(1925, "MUST", "server", "that tells its transports", served),
      met(
        1929,
        "MUST",
        "server",
        "message/send, tasks/get, tasks/cancel",
        answers,
        by.agent("a non-blocking send gives the task, tasks/get follows it, and its owner alone sees it"),
        by.agent("cancels a running task, once")
      ),
      open(1949, "MUST", "server", "further transports do the same", noRest),
      met(1958, "MUST", "server", "JSON-RPC 2.0", answers, envelope),
      met(1959, "MUST", "server", "the data of section 6", everyWay, sdk03),
      met(1960, "MUST", "server", "the errors of section 8", numbers),
      met(1964, "MUST", "client", "a client does what follows", sdk03),
      met(1968, "MUST", "client", "has a transport", sdk03),
      met(
        1969,
        "MUST",
        "client",
        "reads cards",
        by.clientHttp("asks where cards are, then where they used to be, and keeps what it was given")
      ),
      met(1970, "MUST", "client", "chooses by them", chooses),
      met(1974, "MUST", "client", "sends messages and asks for tasks", sdk03),
      met(1975, "MUST", "client", "knows the errors", by.client("names errors by their reasons")),
      met(1976, "MUST", "client", "and a way to authenticate", clientAuth)
    ]
  }
]
