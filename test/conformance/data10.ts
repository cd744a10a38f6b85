/**
 * A2A 1.0, sections 4 to 7: data, bindings in general, authentication.
 *
 * @module
 */
import { because, by, met, open, type Section } from "./requirement.ts"

const official = by.official("${binding}: messages, tasks and lists")
const durable = by.durable("${binding} ${version}: every operation")
const everyWay = by.ownServer("drives every operation, in each version and over each transport")
const fields = by.rpc("unknown methods are -32601, parameters that are wrong -32602 with the fields' paths")
const times = by.rules("times are in UTC, to the millisecond")
const delivered = by.push(
  "pitfall 13: delivers every event of a task in order, signed, each with an id that stays over repetitions"
)
const activates = by.rpc("echoes the extensions that it activates, and only these")
const required = by.rpc("an extension that is required has to be activated")
const statuses = by.rest("errors are google.rpc.Status with the table's numbers")
const promised = by.rpc("pitfall 10: what the card does not promise is refused, push with HTTP 400 and ErrorInfo")
const anything = by.anything("any JSON and any malformed HTTP gets a specified error: no 500, no hang, no leak")
const challenge = by.rpc("a token that is not good is 401 with a challenge")
const credentials = by.rules("a task that needs credentials says what for, and takes messages meanwhile")

/** The sections. */
export const data10: ReadonlyArray<Section> = [
  {
    title: "4 Data model",
    requirements: [
      met(768, "MUST", "both", "every binding says the same data", official, everyWay, durable),
      met(
        873,
        "MUST",
        "server",
        "pushes carry the credentials that their configuration names",
        delivered,
        by.pushHeaders("carry the credentials that the configuration names, by its scheme")
      ),
      open(877, "MUST", "client", "whoever receives a push answers 2xx", because.receiver),
      open(878, "SHOULD", "client", "and takes one that comes twice as one", because.receiver),
      open(879, "MUST", "client", "and looks whether it knows the task", because.receiver),
      open(880, "SHOULD", "client", "and whether it comes from where it should", because.receiver),
      met(
        884,
        "MUST",
        "server",
        "each is sent at least once",
        delivered,
        by.push("pitfall 14: goes on after a restart where it was, and with what came meanwhile")
      ),
      met(
        886,
        "SHOULD",
        "server",
        "within a reasonable time, of 15 seconds here",
        by.push("keeps what is given up as dead letters, and passes it over")
      )
    ]
  },
  {
    title: "4.6 Extensions",
    requirements: [
      open(
        1139,
        "SHOULD",
        "operator",
        "the URI of an extension has a version, and a breaking change another URI",
        "ours has one: `streamResumption.uri` in src/services/a2a/A2AOperations.ts"
      ),
      met(
        1141,
        "SHOULD",
        "server",
        "an unknown extension is passed over, a required one refused; none falls back to an older",
        activates,
        required
      )
    ]
  },
  {
    title: "5.1 to 5.4 Bindings",
    requirements: [
      met(
        1147,
        "MUST",
        "server",
        "all bindings do the same, err the same and authenticate the same",
        everyWay,
        official,
        by.rest("the extended card, and the same tasks as over JSON-RPC")
      ),
      met(1156, "MUST", "server", "all of them are on the card", everyWay),
      open(
        1158,
        "SHOULD",
        "client",
        "clients fall back to another binding",
        "a client chooses once, by preference and card; one that fails is an error that names it, since a second binding would repeat what the first may have done"
      ),
      met(
        1178,
        "MUST",
        "server",
        "errors are mapped as the table has them",
        statuses,
        promised,
        by.rpc("a defect is -32603 and tells nothing of itself; an answer that is none is -32006")
      ),
      open(1194, "MUST", "server", "bindings of one's own map them, too", because.noCustom)
    ]
  },
  {
    title: "5.5 to 5.8 JSON",
    requirements: [
      met(
        1204,
        "MUST",
        "both",
        "names of fields are in camelCase",
        official,
        by.rest("sends a message, gets, lists and cancels tasks, as application/a2a+json")
      ),
      met(1215, "MUST", "both", "enumerations are the names of the definition", official),
      met(1230, "MUST", "both", "times are ISO 8601 in UTC", times),
      met(1236, "SHOULD", "both", "to the millisecond", times),
      met(1253, "MUST", "both", "they are read and written so", times),
      met(1255, "MUST", "both", "with no other zone than Z", times),
      met(1259, "MUST", "both", "the definition says which fields are required", fields),
      met(
        1263,
        "MUST",
        "both",
        "required fields are there; a message without them is refused; required lists are not empty",
        fields,
        anything
      ),
      met(1275, "SHOULD", "both", "fields that are not known are passed over", by.rpc("unknown fields are ignored")),
      open(1279, "SHOULD", "server", "a binding of one's own has a URI", because.noCustom),
      open(1283, "SHOULD", "server", "as its name on the card", because.noCustom),
      open(1297, "MUST", "server", "and another when it breaks", because.noCustom)
    ]
  },
  {
    title: "7 Authentication",
    requirements: [
      open(1879, "MUST", "operator", "in production, connections are encrypted, by modern TLS", because.tls),
      met(
        1883,
        "SHOULD",
        "client",
        "clients verify the server's certificate",
        by.cli(
          "A2ACLI_DEFAULT_001, A2ACLI_AUTH_003: trusts no certificate that nobody vouches for, unless told to, with a warning"
        )
      ),
      met(
        1895,
        "MUST",
        "server",
        "every request is authenticated as the card says",
        challenge,
        by.callers("refuses every token that is not exactly that"),
        by.agent("without a caller token it answers 401, whatever the body")
      ),
      met(1896, "SHOULD", "server", "refusals have the binding's own codes", challenge),
      met(1897, "SHOULD", "server", "and a challenge", challenge),
      met(1925, "MUST", "server", "who needs authorization on the way has a task", credentials),
      met(1926, "MUST", "server", "whose state is auth-required", credentials),
      met(1927, "MUST", "server", "with a message that says for what", credentials),
      open(1929, "MUST", "server", "credentials come another way than by the protocol", because.author),
      met(
        1931,
        "SHOULD",
        "server",
        "streams stay open meanwhile",
        by.ownServer("drives every operation, in each version and over each transport"),
        by.testAgent("asks, and goes on with what follows; as often as it takes")
      ),
      met(
        1933,
        "SHOULD",
        "server",
        "messages to the task are taken meanwhile",
        credentials,
        by.testAgent("asks, and goes on with what follows; as often as it takes")
      ),
      open(
        1945,
        "SHOULD",
        "client",
        "an agent that asks on for its own client keeps to the same rules",
        "delegations answer what the peer needs as an error with its question; they do not hand it on yet"
      ),
      met(
        1947,
        "SHOULD",
        "client",
        "a client without a stream subscribes, has itself told, or asks",
        by.cliSdk(
          "A2ACLI_INTERACT_001, A2ACLI_INTERACT_002, A2ACLI_INTERACT_004, A2ACLI_TASK_POLL_003: stops at a question, says how to go on, and goes on"
        )
      ),
      open(1955, "SHOULD", "server", "credentials come over a secure channel", because.author),
      open(1961, "SHOULD", "server", "those inside the protocol are bound to who asked", because.author),
      open(1962, "SHOULD", "server", "and readable by no other", because.author)
    ]
  }
]
