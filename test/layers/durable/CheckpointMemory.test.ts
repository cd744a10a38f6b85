import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Layer from "effect/Layer"
import * as CheckpointMemory from "../../../src/layers/durable/CheckpointMemory.ts"
import { checkpointConformance } from "./checkpointConformance.ts"

checkpointConformance({
  name: "CheckpointMemory",
  layer: CheckpointMemory.layer.pipe(Layer.provide(NodeCrypto.layerSecureRandom))
})
