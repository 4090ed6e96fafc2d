import { CLIENT_PORT, Protocol, SERVER_PORT } from "./registry.ts"

/** Has the protocol 16-bit port numbers? In packets the ports of others are zero (RFC 6887 sections 11.1 and 11.2, C-04). */
export const hasPorts = (protocol: number): boolean =>
  protocol === Protocol.TCP ||
  protocol === Protocol.UDP ||
  protocol === Protocol.SCTP ||
  protocol === Protocol.DCCP ||
  protocol === Protocol.UDP_LITE

/** The UDP ports of PCP itself, which no server maps (RFC 6887 section 11.3). */
export const isReservedPort = (port: number): boolean => port === CLIENT_PORT || port === SERVER_PORT
