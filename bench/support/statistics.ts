/**
 * The few statistics that the benches print.
 *
 * @module
 */

/** The value below which the fraction `p` (0 to 1) of the values lies; 0 for none. */
export const percentile = (values: ReadonlyArray<number>, p: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0
}

/** To so many significant digits, without an exponent. */
export const significant = (value: number, digits: number): number => Number(value.toPrecision(digits))
