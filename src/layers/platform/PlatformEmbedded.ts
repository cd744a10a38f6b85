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
import * as OrgTokenStoreSql from "./OrgTokenStoreSql.ts"
import * as RateLimitMemory from "./RateLimitMemory.ts"
import * as RelayDispatcher from "./RelayDispatcher.ts"
import * as RelayQueueSql from "./RelayQueueSql.ts"
import * as TokenStoreSql from "./TokenStoreSql.ts"
import * as WorkspaceStoreSql from "./WorkspaceStoreSql.ts"

const Stores = Layer.mergeAll(WorkspaceStoreSql.layer, TokenStoreSql.layer, OrgTokenStoreSql.layer, RelayQueueSql.layer)
const Secrets = Layer.mergeAll(AdminTokenFile.layer, CallerTokenSignerJose.layer)
const WayOut = Layer.provideMerge(AgentTransportUndici.layer, AddressPolicyRanges.layer)

/**
 * Stores, secrets, way out, rate limit, the relay's queue, and what runs for as long as the layer lives: the sweep for silent
 * agents, and the carrier of queued messages.
 *
 * **Details**
 *
 * Needs `SqlClient`, `PlatformSettings`, `StateDirectory` (where the secrets are), `FileSystem`, `Dns`, `Digest` and
 * `SecureRandom`. `Checkpoint` is not in it: that comes from `layers/durable`, on the same database.
 */
export const layer = Layer.mergeAll(
  RateLimitMemory.layer,
  Layer.provideMerge(Layer.merge(LivenessSweep.layer, RelayDispatcher.layer), Layer.mergeAll(Stores, Secrets, WayOut))
)
