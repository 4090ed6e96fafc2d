import { ipv4Value, isIpv4 } from "./address.ts"
import type { Encoded } from "./encoded.ts"
import { impossible, isU8, isU16, isU32 } from "./encoded.ts"
import type { NatPmpPacket } from "./natpmp.ts"
import { putU16, putU32 } from "./octets.ts"
import { NatPmpOpcode, NatPmpResult } from "./registry.ts"

/** The canonical bytes of a NAT-PMP message (RFC 6886 sections 3.2, 3.3 and 3.5). */
export const encodeNatPmp = (packet: NatPmpPacket): Encoded => {
  switch (packet.kind) {
    case "natpmp-address-request":
      return { ok: true, bytes: new Uint8Array(2) }
    case "natpmp-address-response": {
      if (!isU16(packet.result)) return range("result", packet.result)
      if (!isU32(packet.epoch)) return range("epoch", packet.epoch)
      if (!isIpv4(packet.external)) return impossible("range", "NAT-PMP carries IPv4 addresses only")
      const bytes = new Uint8Array(12)
      bytes[1] = 128
      putU16(bytes, 2, packet.result)
      putU32(bytes, 4, packet.epoch)
      putU32(bytes, 8, ipv4Value(packet.external))
      return { ok: true, bytes }
    }
    case "natpmp-map-request": {
      if (!isU16(packet.internalPort)) return range("internalPort", packet.internalPort)
      if (!isU16(packet.externalPort)) return range("externalPort", packet.externalPort)
      if (!isU32(packet.lifetime)) return range("lifetime", packet.lifetime)
      const bytes = new Uint8Array(12)
      bytes[1] = mapOpcode(packet.protocol)
      putU16(bytes, 4, packet.internalPort)
      putU16(bytes, 6, packet.externalPort)
      putU32(bytes, 8, packet.lifetime)
      return { ok: true, bytes }
    }
    case "natpmp-map-response": {
      if (!isU16(packet.result)) return range("result", packet.result)
      if (!isU32(packet.epoch)) return range("epoch", packet.epoch)
      if (!isU16(packet.internalPort)) return range("internalPort", packet.internalPort)
      if (!isU16(packet.externalPort)) return range("externalPort", packet.externalPort)
      if (!isU32(packet.lifetime)) return range("lifetime", packet.lifetime)
      const bytes = new Uint8Array(16)
      bytes[1] = 128 | mapOpcode(packet.protocol)
      putU16(bytes, 2, packet.result)
      putU32(bytes, 4, packet.epoch)
      putU16(bytes, 8, packet.internalPort)
      putU16(bytes, 10, packet.externalPort)
      putU32(bytes, 12, packet.lifetime)
      return { ok: true, bytes }
    }
    case "natpmp-version-error": {
      if (!isU8(packet.opcode) || (packet.opcode > 0 && packet.opcode < 128)) return range("opcode", packet.opcode)
      if (!isU32(packet.epoch)) return range("epoch", packet.epoch)
      const bytes = new Uint8Array(8)
      bytes[1] = packet.opcode
      putU16(bytes, 2, NatPmpResult.UNSUPPORTED_VERSION)
      putU32(bytes, 4, packet.epoch)
      return { ok: true, bytes }
    }
    case "natpmp-other-request": {
      if (!isOtherOpcode(packet.opcode)) return range("opcode", packet.opcode)
      const bytes = new Uint8Array(2 + packet.bytes.length)
      bytes[1] = packet.opcode
      bytes.set(packet.bytes, 2)
      return { ok: true, bytes }
    }
    case "natpmp-other-response": {
      if (!isOtherOpcode(packet.opcode)) return range("opcode", packet.opcode)
      if (!isU16(packet.result)) return range("result", packet.result)
      const bytes = new Uint8Array(4 + packet.bytes.length)
      bytes[1] = 128 | packet.opcode
      putU16(bytes, 2, packet.result)
      bytes.set(packet.bytes, 4)
      return { ok: true, bytes }
    }
  }
}

const mapOpcode = (protocol: "udp" | "tcp"): number =>
  protocol === "udp" ? NatPmpOpcode.MAP_UDP : NatPmpOpcode.MAP_TCP

const isOtherOpcode = (opcode: number): boolean => (opcode & 127) === opcode && opcode > NatPmpOpcode.MAP_TCP

const range = (field: string, value: number): Encoded =>
  impossible("range", `${field} ${value} does not fit its field of NAT-PMP`)
