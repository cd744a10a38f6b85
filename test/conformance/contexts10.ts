/**
 * A2A 1.0, sections 3.4 to 3.7: contexts, updates, versions.
 *
 * @module
 */
import { because, by, met, open, type Section } from "./requirement.ts"

const isStream = by.events(
  "JSON-RPC: the task, its pieces and its end, each in an envelope under the request's id, then nothing"
)
const equalStreams = by.streams(
  "pitfall 11: all streams of one task carry equal events in the same order, and closing one leaves the others"
)
const notYours = by.rpc("pitfall 12: what is not yours and what is not there are the same answer, byte for byte")
const ended = by.operations("answers with the ended task: its artifact, its history, its times")
const versions = by.rpc(
  "pitfall 6: absent and empty are 0.3, patch numbers do not count, the header goes before the query"
)
const context = by.rules("a task has an id of its own, and the context that its sender named, or a new one")

/** The sections. */
export const contexts10: ReadonlyArray<Section> = [
  {
    title: "3.4 Contexts and tasks",
    requirements: [
      met(591, "MUST", "server", "a context that the agent makes is in its answer", context),
      open(
        593,
        "MUST",
        "server",
        "a context that cannot be accepted is refused, and no other is made",
        "every context that is an id is accepted; one that is none is refused by its field"
      ),
      open(
        594,
        "SHOULD",
        "client",
        "clients name no context of their own unless they know how it is taken",
        "`a2a` and `AgentClient` name the contexts that they are given, and make none"
      ),
      met(
        595,
        "SHOULD",
        "client",
        "contexts of servers are opaque",
        by.cliSdk(
          "A2ACLI_INTERACT_001, A2ACLI_INTERACT_002, A2ACLI_INTERACT_004, A2ACLI_TASK_POLL_003: stops at a question, says how to go on, and goes on"
        )
      ),
      met(
        600,
        "SHOULD",
        "server",
        "tasks of one context belong together",
        by.rules("tasks of one context are listed together")
      ),
      open(
        602,
        "SHOULD",
        "operator",
        "how long contexts last is documented",
        "they end with their last task: docs/workspace.md has how long tasks are kept"
      ),
      met(611, "MUST", "server", "each new task has an id that no other has", context),
      met(612, "MUST", "server", "which is in the task", context),
      met(
        613,
        "MUST",
        "client",
        "a message with a task's id is to a task that there is",
        by.rules("a message to a task that there is not begins none")
      ),
      met(
        614,
        "MUST",
        "server",
        "otherwise: TaskNotFound",
        by.rules("a message to a task that there is not begins none"),
        notYours
      ),
      met(
        627,
        "MUST",
        "server",
        "without a context, a message to a task is of the task's",
        by.rules("a message with the id of a task alone is of the task's context")
      ),
      met(
        628,
        "MUST",
        "server",
        "a message that names another context than its task's is refused",
        by.rules("a message that names another context than its task's is refused by the field")
      ),
      met(
        638,
        "SHOULD",
        "client",
        "related tasks are named in `referenceTaskIds`",
        by.rules("what a message refers to is kept with it, and reaches the executor")
      ),
      open(639, "SHOULD", "server", "and understood by the agent", because.author),
      open(644, "SHOULD", "server", "as are the tasks of the same context", because.author)
    ]
  },
  {
    title: "3.5 Updates",
    requirements: [
      met(683, "MUST", "server", "events come in their order", equalStreams, isStream),
      met(691, "MUST", "server", "on all streams of the task", equalStreams),
      met(692, "MUST", "server", "the same, in the same order", equalStreams),
      met(693, "MUST", "server", "that one is closed does not touch the others", equalStreams)
    ]
  },
  {
    title: "3.6 Versions",
    requirements: [
      met(
        708,
        "SHOULD",
        "both",
        "versions are Major.Minor: patch numbers are not sent, and do not count",
        versions,
        by.cli(
          "A2ACLI_VER_001: signals the version with each request, takes the highest of 1.x, and nothing older unless told to"
        )
      ),
      met(
        712,
        "MUST",
        "client",
        "each request of a client has `A2A-Version`",
        by.cli(
          "A2ACLI_VER_001: signals the version with each request, takes the highest of 1.x, and nothing older unless told to"
        )
      ),
      met(
        737,
        "MUST",
        "server",
        "a request is taken as its version has it; a version that is not served: VersionNotSupported",
        versions,
        by.rpc("an unknown version is VersionNotSupported")
      ),
      met(
        739,
        "MUST",
        "server",
        "no version is 0.3",
        versions,
        by.rest("it is 1.0 only: absent is 0.3 and refused, unless configured otherwise")
      ),
      met(
        745,
        "MUST",
        "client",
        "clients can say which version and transport they want",
        by.clientHttp("chooses by the client's preference, then by the card's order, 1.0 before 0.3"),
        by.ownServer("drives every operation, in each version and over each transport")
      )
    ]
  },
  {
    title: "3.7 Messages and artifacts",
    requirements: [
      met(
        758,
        "SHOULD",
        "server",
        "results are artifacts, not messages",
        ended,
        by.testAgent("answers, makes artifacts of every kind, fails, rejects, and is busy")
      ),
      open(762, "MUST", "both", "messages of a status are no way to deliver what matters", because.author),
      open(
        764,
        "MUST",
        "client",
        "clients do not count on messages in the history",
        "what ours need (state, artifacts, the question that is open) is in the task"
      )
    ]
  }
]
