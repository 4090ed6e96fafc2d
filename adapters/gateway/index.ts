/**
 * The default gateways of this host, where a PCP client finds its server: parsers of what systems tell, free of any runtime.
 *
 * @module
 */
export { type Child, outputOf, type Printing } from "./child.ts"
export {
  type Discovery,
  discoverGatewaysOf,
  type FailureReason,
  type GatewayProgram,
  type GatewaySource,
  type GatewaySystem,
  NO_GATEWAYS,
  type NoGateways,
  type Output,
  type Trial,
} from "./discover.ts"
export { failed, lastLine, TIMED_OUT } from "./failed.ts"
export type { Gateway } from "./gateway.ts"
export { parseNetstat } from "./netstat.ts"
export { type Destination, ownAddress } from "./own-address.ts"
export { parsePowershell } from "./powershell.ts"
export { parseProcNetIpv6Route } from "./proc-net-ipv6-route.ts"
export { parseProcNetRoute } from "./proc-net-route.ts"
export {
  type DiscoverGatewaysOptions,
  ENDIAN,
  LONGEST_LISTING,
  PROGRAM_TIMEOUT,
  type Programs,
  programsOf,
} from "./programs.ts"
export { parseRouteGet } from "./route-get.ts"
export { parseRoutePrint } from "./route-print.ts"
