/**
 * A2A 1.0, sections 9 to 12: the bindings.
 *
 * @module
 */
import { because, by, met, open, type Section } from "./requirement.ts"

const versions = by.rpc(
  "pitfall 6: absent and empty are 0.3, patch numbers do not count, the header goes before the query"
)
const activates = by.rpc("echoes the extensions that it activates, and only these")
const promised = by.rpc("pitfall 10: what the card does not promise is refused, push with HTTP 400 and ErrorInfo")
const statuses = by.rest("errors are google.rpc.Status with the table's numbers")
const official = by.official("${binding}: messages, tasks and lists")
const restBasics = by.rest("sends a message, gets, lists and cancels tasks, as application/a2a+json")

/** The sections. */
export const bindings10: ReadonlyArray<Section> = [
  {
    title: "9 JSON-RPC",
    requirements: [
      met(2242, "MUST", "both", "service parameters are headers of HTTP", versions, activates),
      met(2246, "MUST", "both", "under their names", versions, activates),
      met(2248, "SHOULD", "both", "several values stand in one header, with commas", activates),
      met(
        2270,
        "MUST",
        "both",
        "requests are JSON-RPC 2.0",
        by.rpc("an envelope that is none is -32600, with the id if there is one"),
        by.rpc("answers with a message or a task under the request's id, as application/json"),
        official
      ),
      met(
        2455,
        "MUST",
        "server",
        "each of an error's `data` has an `@type`, well-known ones where there are any",
        promised,
        by.rpc("unknown methods are -32601, parameters that are wrong -32602 with the fields' paths")
      )
    ]
  },
  {
    title: "10 gRPC",
    requirements: [
      open(2518, "MUST", "both", "service parameters are metadata", because.noGrpc),
      open(2522, "MUST", "both", "under their names", because.noGrpc),
      open(2524, "SHOULD", "both", "several values in one entry", because.noGrpc),
      open(2543, "MUST", "server", "they are read from there", because.noGrpc),
      open(2544, "SHOULD", "server", "and looked at", because.noGrpc),
      open(2687, "MUST", "server", "errors have an ErrorInfo", because.noGrpc)
    ]
  },
  {
    title: "11 HTTP+JSON",
    requirements: [
      met(
        2750,
        "SHOULD",
        "both",
        "bodies are application/a2a+json",
        restBasics,
        by.rest("answers as application/json to who asks for that only, and takes it")
      ),
      met(
        2757,
        "MUST",
        "both",
        "service parameters are headers of HTTP",
        by.rest("it is 1.0 only: absent is 0.3 and refused, unless configured otherwise")
      ),
      met(
        2761,
        "MUST",
        "both",
        "under their names",
        by.rest("it is 1.0 only: absent is 0.3 and refused, unless configured otherwise")
      ),
      met(2763, "SHOULD", "both", "several values stand in one header, with commas", activates),
      met(2853, "MUST", "both", "what has no body has its parameters in path and query", restBasics, official),
      met(2857, "MUST", "both", "in camelCase", restBasics, official),
      met(2889, "MUST", "both", "what is nested is posted", restBasics, official),
      met(
        2894,
        "MUST",
        "both",
        "they are encoded for URLs",
        by.rest("ids in paths are taken apart before they are decoded, and may be long")
      ),
      met(2906, "MUST", "server", "each of an error's `details` has an `@type`", statuses, promised),
      met(2910, "MUST", "server", "errors of A2A have an ErrorInfo, since several share a status", statuses, promised),
      met(
        2973,
        "SHOULD",
        "server",
        "streams are in one order, without a turn",
        by.events("pitfall 3: HTTP+JSON: the items themselves; subscribe by POST and by GET"),
        by.streams(
          "pitfall 11: all streams of one task carry equal events in the same order, and closing one leaves the others"
        )
      )
    ]
  },
  {
    title: "12 Bindings of one's own",
    requirements: [
      open(2977, "MUST", "server", "they keep to the rules for all bindings", because.noCustom),
      open(
        2981,
        "MUST",
        "server",
        "have all operations, the data and their meaning, and are documented",
        because.noCustom
      ),
      open(2990, "MUST", "server", "map the types", because.noCustom),
      open(2999, "MUST", "server", "say how service parameters travel", because.noCustom),
      open(3013, "MUST", "server", "map the errors", because.noCustom),
      open(3029, "MUST", "server", "say so where they do not stream", because.noCustom),
      open(3033, "MUST", "server", "authenticate as the card says", because.noCustom),
      open(3042, "MUST", "server", "are on the card", because.noCustom),
      open(3062, "SHOULD", "server", "and are tested with others", because.noCustom)
    ]
  }
]
