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

// Hex is what Node makes quickest, and 24 digits of it are 96 bits.
const digits = 24

const covered = (previous: string, { at, data, kind, sequence, stream }: Covered) =>
  `${previous}\n${stream}\n${sequence}\n${kind}\n${at}\n${data}`

/**
 * The checksum of a row, given that of the row before it in its stream: the first 96 bits of a SHA-256. It is there against
 * damage, not against a forger, who could compute it too.
 */
export const checksum = (previous: string, row: Covered): string =>
  hash("sha256", covered(previous, row)).slice(0, digits)

/** Is `sum` the checksum of the row? Journals of earlier versions have the same bits in base64url. */
export const isChecksum = (sum: string, previous: string, row: Covered): boolean =>
  sum.length === digits
    ? checksum(previous, row) === sum
    : hash("sha256", covered(previous, row), "base64url").slice(0, 16) === sum
