/**
 * The PCP and NAT-PMP client as a pure machine: `createClient` makes one, and each command, datagram and tick goes through `step`, which
 * gives the next state and what to do: datagrams to send, when to come back, and events.
 *
 * @module
 */
export { classOfAddress, isDoubleNat } from "./address-class.ts"
export * from "./dhcp.ts"
export type { Effect } from "./effect.ts"
export { type EpochMark, isNatPmpEpochValid, isPcpEpochValid } from "./epoch.ts"
export type { Assigned, ClientEvent, Failure, IgnoredReason, MappingState } from "./event.ts"
export type { ClientInput, Command, SavedLease } from "./input.ts"
export { type ListedMapping, listLeases } from "./list.ts"
export type { NonceMode } from "./nonce.ts"
export { QUIRKS, type Quirk, type QuirkName } from "./quirk.ts"
export {
  type CommonRequest,
  checkRequest,
  type InboundRequest,
  type MappingRequest,
  type OutboundRequest,
  type RemoteFilter,
  type RequestError,
} from "./request.ts"
export { type SavedMapping, saveMappings } from "./save.ts"
export type { ClientServer, ProtocolChoice, ServerEnd } from "./server.ts"
export { type ClientSettings, DEFAULT_CLIENT_SETTINGS, type SendRate } from "./settings.ts"
export { ADDRESS_CLASSES, type AddressClass } from "./special-block.ts"
export {
  type ClientOptions,
  type ClientOptionsError,
  type ClientState,
  type CreatedClient,
  createClient,
} from "./state.ts"
export { step } from "./step.ts"
export type { Mode } from "./task.ts"
