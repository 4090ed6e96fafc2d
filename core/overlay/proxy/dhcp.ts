import { u16 } from "../../wire/index.ts"
import { DhcpPort } from "../frame/dhcp.ts"
import { redirected } from "../frame/ethernet.ts"
import { IpProtocol } from "../frame/neighbor.ts"
import { IPV4_HEADER, UDP_HEADER } from "../frame/udp4.ts"
import { BROADCAST_MAC, type Mac } from "../mac.ts"
import { type FrameQuery, fitsBuffer, isOfType } from "./query.ts"

/** Octets of the reference's `struct dhcp`, with 60 of options: what is shorter is no DHCP to it. */
const DHCP_LEAST = 300

/**
 * Is a frame a DHCPv4 broadcast of a client, to be sent to one server instead? Its destination is the broadcast MAC, it is as long as
 * announced, and carries UDP from port 68 to 67 with room for a message of 300 octets (`libvarpd_plugin_proxy_dhcp`).
 *
 * The reference refuses a packet only when neither its IP version nor its protocol is right: here both have to be.
 */
export const isDhcpBroadcast = (query: FrameQuery, frame: Uint8Array): boolean => {
  const { headerSize, packetSize, destination } = query
  if (!isOfType(query, "IPV4") || destination !== BROADCAST_MAC) return false
  if (!fitsBuffer(query, IPV4_HEADER + UDP_HEADER + DHCP_LEAST)) return false
  if (frame.length !== headerSize + packetSize) return false
  if (frame[headerSize] >>> 4 !== 4 || frame[headerSize + 9] !== IpProtocol.UDP) return false
  const header = (frame[headerSize] & 15) * 4
  if (header < IPV4_HEADER || packetSize < header + UDP_HEADER + DHCP_LEAST) return false
  const udp = headerSize + header
  return u16(frame, udp) === DhcpPort.CLIENT && u16(frame, udp + 2) === DhcpPort.SERVER
}

/** The broadcast for one server's MAC: it goes through the lookup again, as a unicast. `undefined`: it is no such broadcast. */
export const redirectDhcp = (query: FrameQuery, frame: Uint8Array, server: Mac): Uint8Array | undefined =>
  isDhcpBroadcast(query, frame) ? redirected(frame, server) : undefined
