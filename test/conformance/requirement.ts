/**
 * What the table of `docs/a2a-conformance.md` is made of.
 *
 * @module
 */
import type { Shown } from "../support/titles.ts"

/** How binding it is, in the words of RFC 2119 ("SHALL" and "REQUIRED" are MUST, "RECOMMENDED" is SHOULD). */
export type Level = "MUST" | "SHOULD"

/** Whom it binds: who serves agents, who asks them, both, or whoever writes or operates an agent. */
export type Party = "server" | "client" | "both" | "operator"

/** One requirement, in our own words; or several of one line, where one test shows them together. */
export interface Requirement {
  /** The line of the specification's text, by which the table is checked for being whole. */
  readonly line: number
  readonly level: Level
  readonly party: Party
  readonly what: string
  /** The tests that show it; without any, the reason why not. */
  readonly shown: ReadonlyArray<Shown> | string
}

/** The requirements of a section. */
export interface Section {
  readonly title: string
  readonly requirements: ReadonlyArray<Requirement>
}

/** A requirement that tests show. */
export const met = (
  line: number,
  level: Level,
  party: Party,
  what: string,
  first: Shown,
  ...more: ReadonlyArray<Shown>
): Requirement => ({ line, level, party, what, shown: [first, ...more] })

/** A requirement that no test shows, and why. */
export const open = (line: number, level: Level, party: Party, what: string, why: string): Requirement => ({
  line,
  level,
  party,
  what,
  shown: why
})

const layers =
  (file: string) =>
  (title: string): Shown => ({ file: `layers/a2a/${file}`, title })
const programs =
  (file: string) =>
  (title: string): Shown => ({ file: `programs/${file}`, title })

/** The tests by the names of their files. */
export const by = {
  rpc: layers("ServerHttp.test.ts"),
  rest: layers("RestHttp.test.ts"),
  operations: layers("OperationsDurable.test.ts"),
  push: layers("PushJournal.test.ts"),
  pushHeaders: layers("pushRequest.test.ts"),
  events: layers("eventStream.test.ts"),
  agent: layers("A2AServerHttp.test.ts"),
  anything: layers("anything.test.ts"),
  streams: layers("streamConformance.ts"),
  client: layers("AgentClientHttp.test.ts"),
  clientHttp: layers("agentHttp.test.ts"),
  clientStreams: layers("agentStreams.test.ts"),
  ownServer: layers("agentOwnServer.test.ts"),
  official: layers("officialClient.test.ts"),
  durable: layers("officialDurable.test.ts"),
  translation: layers("translation03.test.ts"),
  callers: layers("CallerVerifierJwt.test.ts"),
  rules: layers("protocolRules.test.ts"),
  caching: layers("cardCaching.test.ts"),
  refusals: layers("refusals.test.ts"),
  cli: programs("a2aRules.test.ts"),
  cliSdk: programs("a2aSdk.test.ts"),
  cliOwn: programs("a2a.test.ts"),
  testAgent: programs("testAgent.test.ts")
}

/** Reasons that several have in common. */
export const because = {
  noGrpc: "gRPC is not served, and no card declares it",
  noCustom: "there is no binding of our own",
  text: "concerns the text of the specification, not who speaks the protocol",
  tls: "the agent speaks plain HTTP, on loopback or inside a container; TLS ends before it (docs/workspace.md)",
  unsigned: "our cards carry no signatures, which the text leaves open",
  unverified: "signatures of cards are not looked at yet: the client trusts the connection",
  author: "is up to whoever writes the agent: the executor is given what it needs for it",
  receiver: "concerns whoever receives pushes; we send them",
  operator: "is up to whoever operates the agent"
}
