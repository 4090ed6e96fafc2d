/** A PCP and NAT-PMP client over sockets: which servers there are to ask, and what drives the machine of `core/client`. */
export { type DriveListener, type Driven, type DriveOptions, drive } from "./drive.ts"
export type { OwnAddress } from "./own-address.ts"
export {
  ANYCAST,
  type DhcpLearned,
  type FindServersOptions,
  type FoundServers,
  findServers,
  type ServerProblem,
  serverName,
} from "./servers.ts"
