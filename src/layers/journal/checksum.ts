/**
 * The checksums by which the rows of a stream vouch for each other.
 *
 * @module
 */
import { hash } from "node:crypto"

/** What a checksum covers besides the row before it. */
export interface Covered {
  readonly stream: string
  readonly sequence: number
  readonly kind: string
  readonly at: number
  readonly data: string
}

/** Of the row before the first. */
export const genesis = ""

/**
 * The checksum of a row, given that of the row before it in its stream: the first 16 characters (96 bits) of a SHA-256 in
 * base64url. It is there against damage, not against a forger, who could compute it too.
 */
export const checksum = (previous: string, { at, data, kind, sequence, stream }: Covered): string =>
  hash("sha256", `${previous}\n${stream}\n${sequence}\n${kind}\n${at}\n${data}`, "base64url").slice(0, 16)
