/**
 * A2A 1.0, section 8: the agent card.
 *
 * @module
 */
import { because, by, met, open, type Section } from "./requirement.ts"

const served = by.agent("serves its card under both names, and its health")
const cached = by.caching("says how long it may be kept, has a tag of its content, and is not sent again to who has it")
const chooses = by.clientHttp("chooses by the client's preference, then by the card's order, 1.0 before 0.3")
const fresh = by.clientHttp("does not ask again while a card is fresh, and takes a whole URL as it is, or as a base")
const asksAgain = by.clientHttp("asks where cards are, then where they used to be, and keeps what it was given")

/** The sections. */
export const card10: ReadonlyArray<Section> = [
  {
    title: "8.1 to 8.3 The card and its interfaces",
    requirements: [
      met(1970, "MUST", "server", "there is a card", served),
      met(
        1984,
        "MUST",
        "server",
        "it declares what is served",
        served,
        by.ownServer("drives every operation, in each version and over each transport")
      ),
      met(1988, "SHOULD", "server", "all of it, in the order of preference", served),
      met(
        1990,
        "MUST",
        "server",
        "each interface with its transport and its URL",
        by.ownServer("drives every operation, in each version and over each transport")
      ),
      met(
        1995,
        "MUST",
        "client",
        "the first interface that the client has, its URL and its tenant",
        chooses,
        by.client("puts the interface's tenant into each request"),
        by.cli(
          "A2ACLI_TX_001, A2ACLI_TX_002: takes the first interface of the card that it has, or the first that is preferred"
        )
      )
    ]
  },
  {
    title: "8.4 Signatures",
    requirements: [
      open(2008, "MUST", "server", "what is signed is canonical (RFC 8785)", because.unsigned),
      open(2012, "MUST", "server", "with the presence of fields as it was", because.unsigned),
      open(2013, "MUST", "server", "optional fields that are not set are left out", because.unsigned),
      open(2014, "MUST", "server", "those that are set are in, whatever their value", because.unsigned),
      open(2015, "MUST", "server", "required fields are in", because.unsigned),
      open(2016, "MUST", "server", "other fields are left out at their defaults", because.unsigned),
      open(2018, "MUST", "server", "the order and the writing of RFC 8785", because.unsigned),
      open(2023, "MUST", "server", "without the signatures themselves", because.unsigned),
      open(2044, "MUST", "server", "an example: a required name", because.unsigned),
      open(2045, "MUST", "server", "an example: a required description that is empty", because.unsigned),
      open(2046, "MUST", "server", "an example: required capabilities", because.unsigned),
      open(2049, "MUST", "server", "an example: an empty list that is not required", because.unsigned),
      open(2050, "MUST", "server", "an example: an empty list that is required", because.unsigned),
      open(2068, "MUST", "server", "the protected header has its members", because.unsigned),
      open(2071, "SHOULD", "server", "`typ` is JOSE", because.unsigned),
      open(2119, "MUST", "client", "who verifies does so in these steps", because.unverified),
      open(2130, "SHOULD", "client", "one signature is verified before a card is trusted", because.unverified),
      open(2131, "SHOULD", "client", "with keys that came over HTTPS", because.unverified),
      open(2133, "MUST", "client", "and are not revoked", because.unverified)
    ]
  },
  {
    title: "8.6 Caching",
    requirements: [
      met(2215, "SHOULD", "both", "the caching of HTTP is made use of", cached, fresh),
      met(2219, "SHOULD", "server", "with `Cache-Control: max-age`", cached),
      met(2220, "SHOULD", "server", "and an `ETag` of the content", cached),
      met(2225, "SHOULD", "client", "clients keep to RFC 9111", fresh),
      met(2226, "SHOULD", "client", "and ask with `If-None-Match` when what they have is old", asksAgain)
    ]
  }
]
