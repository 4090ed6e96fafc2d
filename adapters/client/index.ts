/**
 * The PCP and NAT-PMP client for applications, on any runtime: finds the servers, opens ports, keeps them open and closes them.
 *
 * @module
 */

export type { OwnAddress } from "../interface.ts"
export type { Subscription } from "./broadcast.ts"
export type { Closable, ClosableAtOnce } from "./closable.ts"
export { type Announcements, type DriveListener, type Driven, type DriveOptions, drive } from "./drive.ts"
export type { ClientOptions, ServiceError } from "./engine.ts"
export { failureText, type PortControlCode, PortControlError, type ServerFailure } from "./error.ts"
export type { ExternalAddresses, ServerAddress } from "./external-address.ts"
export type { ExternalAddress, ExternalEnd, Granted, ServerResult } from "./external-end.ts"
export {
  type Listen,
  type Listening,
  type ListenPublicOptions,
  listenPublic,
  listenUdp,
  type PublicListener,
  type Reachable,
} from "./listen-public.ts"
export type { ListenServerOptions, ListenTcp, ListenUdp, TcpServer } from "./listen-server.ts"
export type { Mapping, MappingAlert, PortChange, RequestOptions } from "./mapping.ts"
export {
  type NamedRequest,
  type OpenPort,
  type OpenPortOptions,
  openPort,
  type PortRequest,
  portRequest,
} from "./open-port.ts"
export { externalAddress, type PortClient, probe, startClient } from "./port-client.ts"
export { type PortControl, type ProcessOptions, portControl } from "./port-control.ts"
export type { PersistentMapping, PersistentOptions, PortMapping, PortMappings } from "./port-mapping.ts"
export type { Hint, ProbeOptions, ProbeReport, ProtocolReport, ServerReport } from "./probe.ts"
export type { ClientRuntime } from "./runtime.ts"
export { type SavedJson, savedToJson } from "./saved-json.ts"
export { type SavedError, type SavedRead, savedFromJson } from "./saved-read.ts"
export { parseServer } from "./server-text.ts"
export {
  ANYCAST,
  type DhcpLearned,
  type Discovered,
  type FindServersOptions,
  type FoundServers,
  findServers,
  type ServerProblem,
  serverName,
} from "./servers.ts"
export type { ClientStore } from "./store.ts"
export type { Waiting } from "./waiting.ts"
