import { ipv4Value, isIpv4 } from "./address.ts"
import type { Encoded, EncodeError } from "./encoded.ts"
import { misfit } from "./encoded.ts"
import type { NatPmpMapRequest, NatPmpMapResponse, NatPmpPacket } from "./natpmp.ts"
import { putU16, putU32 } from "./octets.ts"
import { NatPmpOpcode, NatPmpResult } from "./registry.ts"

/** The canonical bytes of a NAT-PMP message (RFC 6886 sections 3.2, 3.3 and 3.5). */
export const encodeNatPmp = (packet: NatPmpPacket): Encoded => {
  const error = natPmpError(packet)
  return error === undefined ? { ok: true, bytes: write(packet) } : { ok: false, error }
}

const natPmpError = (packet: NatPmpPacket): EncodeError | undefined =>
  ("opcode" in packet ? opcodeError(packet.kind, packet.opcode) : undefined) ??
  ("result" in packet ? misfit("result", packet.result, 16) : undefined) ??
  ("epoch" in packet ? misfit("epoch", packet.epoch, 32) : undefined) ??
  ("internalPort" in packet
    ? (misfit("internalPort", packet.internalPort, 16) ??
      misfit("externalPort", packet.externalPort, 16) ??
      misfit("lifetime", packet.lifetime, 32))
    : undefined) ??
  ("external" in packet && !isIpv4(packet.external)
    ? { code: "range", text: "NAT-PMP carries IPv4 addresses only" }
    : undefined)

/** A version error has opcode 0, or the request's with the response bit; what has no name here has 7 bits, and no name. */
const opcodeError = (kind: NatPmpPacket["kind"], opcode: number): EncodeError | undefined => {
  const wrong = kind === "natpmp-version-error" ? opcode > 0 && opcode < 128 : opcode <= NatPmpOpcode.MAP_TCP
  return wrong
    ? { code: "range", text: `opcode ${opcode} is not one of a ${kind}` }
    : misfit("opcode", opcode, kind === "natpmp-version-error" ? 8 : 7)
}

const write = (packet: NatPmpPacket): Uint8Array => {
  switch (packet.kind) {
    case "natpmp-address-request":
      return new Uint8Array(2)
    case "natpmp-address-response": {
      const bytes = writeStart(12, 128, packet.result, packet.epoch)
      putU32(bytes, 8, ipv4Value(packet.external))
      return bytes
    }
    case "natpmp-map-request":
      return writeMapping(writeStart(12, mapOpcode(packet), 0, 0), 4, packet)
    case "natpmp-map-response":
      return writeMapping(writeStart(16, 128 | mapOpcode(packet), packet.result, packet.epoch), 8, packet)
    case "natpmp-version-error":
      return writeStart(8, packet.opcode, NatPmpResult.UNSUPPORTED_VERSION, packet.epoch)
    case "natpmp-other-request": {
      const bytes = new Uint8Array(2 + packet.bytes.length)
      bytes[1] = packet.opcode
      bytes.set(packet.bytes, 2)
      return bytes
    }
    case "natpmp-other-response": {
      const bytes = new Uint8Array(4 + packet.bytes.length)
      bytes[1] = 128 | packet.opcode
      putU16(bytes, 2, packet.result)
      bytes.set(packet.bytes, 4)
      return bytes
    }
  }
}

const mapOpcode = ({ protocol }: NatPmpMapRequest | NatPmpMapResponse): number =>
  protocol === "udp" ? NatPmpOpcode.MAP_UDP : NatPmpOpcode.MAP_TCP

/** Version 0 | opcode | result 2 | epoch 4, of `length` octets. */
const writeStart = (length: number, opcode: number, result: number, epoch: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  bytes[1] = opcode
  putU16(bytes, 2, result)
  putU32(bytes, 4, epoch)
  return bytes
}

/** Internal port 2 | external port 2 | lifetime 4. */
const writeMapping = (bytes: Uint8Array, at: number, packet: NatPmpMapRequest | NatPmpMapResponse): Uint8Array => {
  putU16(bytes, at, packet.internalPort)
  putU16(bytes, at + 2, packet.externalPort)
  putU32(bytes, at + 4, packet.lifetime)
  return bytes
}
