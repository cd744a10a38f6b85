/**
 * The public entry of molecule-effect: the contracts by their names, the layers as namespaces.
 *
 * @module
 */
export { AgentExecutor } from "./services/agent/AgentExecutor.ts"
export { commandDefaults, CommandSpec } from "./services/agent/CommandSpec.ts"
export { ProcessGroup, ProcessRegistry, ProcessRegistryError } from "./services/agent/ProcessRegistry.ts"
export { A2AApi } from "./services/a2a/A2AApi.ts"
export { A2AError } from "./services/a2a/A2AError.ts"
export { A2AOperations } from "./services/a2a/A2AOperations.ts"
export * as A2AProtocol from "./services/a2a/A2AProtocol.ts"
export { AgentCard, AgentIdentity } from "./services/a2a/AgentCard.ts"
export {
  AgentCardInvalid,
  AgentCardNotFound,
  AgentClient,
  AgentTimeout,
  AgentUnauthorized,
  AgentUnreachable,
  InvalidAgentResponse,
  NoCommonInterface
} from "./services/a2a/AgentClient.ts"
export { PushConfigs, PushTargetRefused } from "./services/a2a/PushConfigs.ts"
export * as Content from "./services/durable/Content.ts"
export { A2AClient, ExchangeRefused, ExchangeResult, ExchangeTimeout } from "./services/a2a/A2AClient.ts"
export { CallerRefused, CallerVerifier, KeysUnavailable } from "./services/a2a/CallerVerifier.ts"
export { AgentTask, phases, TaskInput, TaskOutput } from "./services/durable/AgentTask.ts"
export {
  Checkpoint,
  CheckpointInput,
  CheckpointRejected,
  CheckpointUnavailable,
  SavedStep
} from "./services/durable/Checkpoint.ts"
export { AgentEvent, CurrentStep, ExecutorError, output, progress, Step } from "./services/durable/Step.ts"
export { InFlight } from "./services/durable/InFlight.ts"
export { Journal, JournalDamaged, JournalUnavailable } from "./services/durable/Journal.ts"
export { Restore } from "./services/durable/Restore.ts"
export { Draining, NotConfirmed, TaskNotCancelable, TaskNotFound, TaskRunner } from "./services/durable/TaskRunner.ts"
export {
  isTerminal,
  MessageConflict,
  MessageForgotten,
  TaskEvent,
  TaskRecord,
  TaskState,
  TaskStore,
  TaskStoreError,
  TooManyTasks
} from "./services/durable/TaskStore.ts"
export { PlatformApi } from "./services/platform/PlatformApi.ts"
export { PlatformClient } from "./services/platform/PlatformClient.ts"
export { Delegation, DelegationFailed, DelegationResult, DelegationTimeout } from "./services/team/Delegation.ts"
export { Container } from "./services/workspace/Container.ts"
export { Credentials, CredentialsError } from "./services/workspace/Credentials.ts"
export { defaultPlatformUrl, PlatformConfig } from "./services/workspace/PlatformConfig.ts"
export { Health, PublicHealth, WorkspaceHealth } from "./services/workspace/Health.ts"
export { Lifecycle } from "./services/workspace/Lifecycle.ts"
export { PreflightError } from "./services/workspace/PreflightError.ts"
export { Presence } from "./services/workspace/Presence.ts"
export { Registry, RegistryRefused, RegistryUnavailable } from "./services/workspace/Registry.ts"
export { StateDirectory, StateDirectoryError } from "./services/workspace/StateDirectory.ts"
export { WorkspaceId } from "./services/workspace/WorkspaceId.ts"
export { WorkspaceSettings } from "./services/workspace/WorkspaceSettings.ts"
export * as A2AClientPlatform from "./layers/a2a/A2AClientPlatform.ts"
export * as AgentClientHttp from "./layers/a2a/AgentClientHttp.ts"
export * as A2AServerHttp from "./layers/a2a/A2AServerHttp.ts"
export * as CallerVerifierJwt from "./layers/a2a/CallerVerifierJwt.ts"
export * as CallerVerifierOff from "./layers/a2a/CallerVerifierOff.ts"
export * as IdentityHttp from "./layers/a2a/IdentityHttp.ts"
export * as InboxPoll from "./layers/a2a/InboxPoll.ts"
export * as OperationsDurable from "./layers/a2a/OperationsDurable.ts"
export * as PushJournal from "./layers/a2a/PushJournal.ts"
export * as PushNone from "./layers/a2a/PushNone.ts"
export * as ExecutorCommand from "./layers/agent/ExecutorCommand.ts"
export * as ExecutorEcho from "./layers/agent/ExecutorEcho.ts"
export * as ExecutorFunction from "./layers/agent/ExecutorFunction.ts"
export * as ExecutorScripted from "./layers/agent/ExecutorScripted.ts"
export * as ProcessRegistryFile from "./layers/agent/ProcessRegistryFile.ts"
export * as CheckpointMemory from "./layers/durable/CheckpointMemory.ts"
export * as CheckpointJournal from "./layers/durable/CheckpointJournal.ts"
export * as CheckpointPlatform from "./layers/durable/CheckpointPlatform.ts"
export * as CheckpointSql from "./layers/durable/CheckpointSql.ts"
export * as Pruning from "./layers/durable/pruning.ts"
export * as RestorePlatform from "./layers/durable/RestorePlatform.ts"
export * as StepDirect from "./layers/durable/StepDirect.ts"
export * as TaskRunnerConfirmed from "./layers/durable/TaskRunnerConfirmed.ts"
export * as TaskRunnerMemory from "./layers/durable/TaskRunnerMemory.ts"
export * as TaskRunnerWorkflow from "./layers/durable/TaskRunnerWorkflow.ts"
export * as TaskStoreJournal from "./layers/durable/TaskStoreJournal.ts"
export * as TaskStoreMemory from "./layers/durable/TaskStoreMemory.ts"
export * as JournalSqlite from "./layers/journal/JournalSqlite.ts"
export * as Projections from "./layers/journal/projections.ts"
export * as WorkflowEngineJournal from "./layers/journal/WorkflowEngineJournal.ts"
export * as SqliteClient from "./layers/sql/SqliteClient.ts"
export * as DelegationPlatform from "./layers/team/DelegationPlatform.ts"
export * as ExecutorFanOut from "./layers/team/ExecutorFanOut.ts"
export * as ContainerFixed from "./layers/workspace/ContainerFixed.ts"
export * as ContainerNode from "./layers/workspace/ContainerNode.ts"
export * as CredentialsFile from "./layers/workspace/CredentialsFile.ts"
export * as CredentialsMemory from "./layers/workspace/CredentialsMemory.ts"
export * as HealthOfWork from "./layers/workspace/HealthOfWork.ts"
export * as KnownSecretsEnv from "./layers/workspace/KnownSecretsEnv.ts"
export * as PlatformClientHttp from "./layers/workspace/PlatformClientHttp.ts"
export * as PlatformConfigEnv from "./layers/workspace/PlatformConfigEnv.ts"
export * as PlatformConfigFixed from "./layers/workspace/PlatformConfigFixed.ts"
export * as Preflight from "./layers/workspace/preflight.ts"
export * as PresenceRegistry from "./layers/workspace/PresenceRegistry.ts"
export * as RegistryPlatform from "./layers/workspace/RegistryPlatform.ts"
export * as StateDirectoryNode from "./layers/workspace/StateDirectoryNode.ts"
export * as WorkspaceSettingsEnv from "./layers/workspace/WorkspaceSettingsEnv.ts"
