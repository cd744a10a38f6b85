/**
 * The platform's insides: everything that {@link layer} of `PlatformServer` needs of this room, over one database.
 *
 * @module
 */
import * as Layer from "effect/Layer"
import * as AddressPolicyRanges from "./AddressPolicyRanges.ts"
import * as AdminTokenFile from "./AdminTokenFile.ts"
import * as AgentTransportUndici from "./AgentTransportUndici.ts"
import * as CallerTokenSignerJose from "./CallerTokenSignerJose.ts"
import * as LivenessSweep from "./LivenessSweep.ts"
import * as RateLimitMemory from "./RateLimitMemory.ts"
import * as TokenStoreSql from "./TokenStoreSql.ts"
import * as WorkspaceStoreSql from "./WorkspaceStoreSql.ts"

const Stores = Layer.mergeAll(WorkspaceStoreSql.layer, TokenStoreSql.layer)
const Secrets = Layer.mergeAll(AdminTokenFile.layer, CallerTokenSignerJose.layer)
const WayOut = Layer.provideMerge(AgentTransportUndici.layer, AddressPolicyRanges.layer)

/**
 * Stores, secrets, way out, rate limit, and the sweep for silent agents, which runs for as long as the layer lives.
 *
 * **Details**
 *
 * Needs `SqlClient`, `PlatformSettings`, `StateDirectory` (where the secrets are), `FileSystem`, `Dns`, `Digest` and
 * `SecureRandom`. `Checkpoint` is not in it: that comes from `layers/durable`, on the same database.
 */
export const layer = Layer.mergeAll(
  Secrets,
  WayOut,
  RateLimitMemory.layer,
  Layer.provideMerge(LivenessSweep.layer, Stores)
)
