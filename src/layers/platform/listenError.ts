/**
 * Why the platform does not listen, in words that help.
 *
 * @module
 */
import type { ServeError } from "effect/http/HttpServerError"
import * as Predicate from "effect/Predicate"
import { ListenError } from "../../services/platform/ListenError.ts"

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE:
    "the port is in use: stop who uses it, or choose another with MOLECULE_PLATFORM_PORT (0 takes a free one)",
  EACCES: "ports below 1024 need privileges: choose another with MOLECULE_PLATFORM_PORT",
  EADDRNOTAVAIL: "this machine has no such address: choose another with MOLECULE_PLATFORM_HOST"
}

/** Names the variable and the remedy where the cause is known. */
export const listenError = (
  { cause }: ServeError,
  { host, port }: { readonly host: string; readonly port: number }
) => {
  const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : ""
  return new ListenError({ host, port, detail: reasons[code] ?? String(cause) })
}
