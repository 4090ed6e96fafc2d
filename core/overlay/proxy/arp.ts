import { type Address, sliceOctets } from "../../wire/index.ts"
import { ARP_LENGTH, ArpOperation, type ArpPacket, encodeArp, parseArp } from "../frame/arp.ts"
import { EtherType, encodeEthernet } from "../frame/ethernet.ts"
import { BROADCAST_MAC, type Mac, writeMac } from "../mac.ts"
import { type FrameQuery, fitsBuffer, isOfType } from "./query.ts"

/**
 * The IPv4 address whose MAC an ARP request asks for; `undefined`: it is dropped without a word. It is taken when it is a request for IPv4
 * on Ethernet, at least 28 octets, no more than was announced, and asks for another address than its own: a gratuitous one tells,
 * and asks nothing (RFC 826; `libvarpd_plugin_proxy_arp`).
 */
export const askedByArp = (query: FrameQuery, frame: Uint8Array): Address | undefined => request(query, frame)?.target

const request = (query: FrameQuery, frame: Uint8Array): ArpPacket | undefined => {
  if (!isOfType(query, "ARP") || !fitsBuffer(query, ARP_LENGTH)) return undefined
  if (frame.length > query.headerSize + query.packetSize) return undefined
  const parsed = parseArp(frame.subarray(query.headerSize))
  if (!parsed.ok || parsed.value.kind !== "arp") return undefined
  const { operation, sender, target } = parsed.value
  return operation === ArpOperation.REQUEST && sender !== target ? parsed.value : undefined
}

/**
 * The answer to a request that {@link askedByArp} takes, for the asking host alone, as if the one that was found had sent it: the frame
 * as it came, with its tag and its padding, in which the two ends change places. `undefined`: it is no such request.
 */
export const replyToArp = (query: FrameQuery, frame: Uint8Array, found: Mac): Uint8Array | undefined => {
  const packet = request(query, frame)
  if (packet === undefined) return undefined
  const { senderMac, sender, target } = packet
  const encoded = encodeArp({
    ...packet,
    operation: ArpOperation.REPLY,
    senderMac: found,
    sender: target,
    targetMac: senderMac,
    target: sender,
  })
  if (!encoded.ok) return undefined
  const reply = sliceOctets(frame)
  writeMac(reply, 0, query.source)
  writeMac(reply, 6, found)
  reply.set(encoded.bytes, query.headerSize)
  return reply
}

/**
 * A gratuitous ARP request: `address` is at `mac` now. 42 octets, or 46 with the tag of a VLAN that is not 0 (priority 0). `undefined`: the
 * address is no IPv4 one, or the VLAN none.
 */
export const gratuitousArp = (
  vlan: number,
  mac: Mac,
  address: Address,
  destination: Mac = BROADCAST_MAC,
): Uint8Array | undefined => {
  const arp = encodeArp({
    kind: "arp",
    operation: ArpOperation.REQUEST,
    senderMac: mac,
    sender: address,
    targetMac: BROADCAST_MAC,
    target: address,
    trailing: new Uint8Array(0),
  })
  if (!arp.ok) return undefined
  const tags = vlan === 0 ? [] : [{ type: EtherType.VLAN, priority: 0, dropEligible: false, id: vlan }]
  const frame = encodeEthernet({ destination, source: mac, tags, type: EtherType.ARP, payload: arp.bytes })
  return frame.ok ? frame.bytes : undefined
}
