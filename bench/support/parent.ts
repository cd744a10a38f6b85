/**
 * What a process of the bench owes to the one that started it.
 *
 * @module
 */

/**
 * Ends this process when the parent is gone, however it went: the parent holds the other end of our standard input. Before
 * that `cleanUp` runs.
 */
export const endWithParent = (cleanUp: () => Promise<void> = () => Promise.resolve()): void => {
  process.stdin.on("end", () => void cleanUp().finally(() => process.exit(1)))
  process.stdin.resume()
  process.stdin.unref()
}
