import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Layer from "effect/Layer"
import * as TaskStoreMemory from "../../../src/layers/durable/TaskStoreMemory.ts"
import { taskStoreConformance } from "./taskStoreConformance.ts"

taskStoreConformance("TaskStoreMemory", Layer.provide(TaskStoreMemory.layer, NodeCrypto.layerSecureRandom))
