/**
 * The platform's signed word on who sends a message to an agent.
 *
 * @module
 */
import * as Schema from "effect/Schema"

/** The header that carries the token from the platform's proxy to the agent: `Authorization: Bearer <JWT>`. */
export const callerTokenHeader = "authorization"

/** How long a caller token is valid, in seconds: long enough for a slow connection, too short to be worth stealing. */
export const callerTokenSeconds = 60

/** The signature algorithm: Ed25519, the one that RFC 8037 names EdDSA. */
export const callerTokenAlgorithm = "EdDSA"

/** The issuer named in every caller token. */
export const callerTokenIssuer = "molecule-platform"

/**
 * The claims of a caller token, a JWT (RFC 7519): `aud` is the workspace it is for and no other, `sub` the workspace that
 * calls, or `admin`.
 */
export const CallerClaims = Schema.Struct({
  iss: Schema.Literal(callerTokenIssuer),
  aud: Schema.String,
  sub: Schema.NonEmptyString,
  exp: Schema.Int,
  iat: Schema.Int
})
