/** What the tests of packets share: addresses of documentation, and reading that must go well. */
import assert from "node:assert/strict"
import { type Drop, type DropCode, type IpPacket, readPacket } from "../../../../core/cgn/packet/index.ts"
import { type Address, parseAddress } from "../../../../core/wire/index.ts"
import { toHex } from "./build.ts"

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

export const prefix = (text: string) => {
  const [bits, length] = text.split("/")
  return { address: address(bits), prefixLength: Number(length) }
}

/** A NAT44: host and its external address, a remote peer, and a router on the way. */
export const INSIDE = "10.1.2.3"
export const OUTSIDE = "198.51.100.7"
export const REMOTE = "192.0.2.44"
export const ROUTER = "203.0.113.9"

export const read = (bytes: Uint8Array): IpPacket => {
  const packet = readPacket(bytes)
  assert.ok(packet.ok, `${packet.ok || packet.code}: ${toHex(bytes)}`)
  return packet
}

/** Asserts on octets as hex, which reads better than lists when it fails. */
export const same = (actual: Uint8Array, expected: Uint8Array): void => assert.equal(toHex(actual), toHex(expected))

/** The octets of a packet that was translated. */
export const bytesOf = (result: { readonly ok: true; readonly bytes: Uint8Array } | Drop): Uint8Array => {
  assert.ok(result.ok, result.ok ? "" : result.code)
  return result.bytes
}

export const packetsOf = (result: { readonly ok: true; readonly packets: readonly Uint8Array[] } | Drop) => {
  assert.ok(result.ok, result.ok ? "" : result.code)
  return result.packets
}

/** The only one of the packets. */
export const onlyOf = (result: { readonly ok: true; readonly packets: readonly Uint8Array[] } | Drop): Uint8Array => {
  const packets = packetsOf(result)
  assert.equal(packets.length, 1)
  return packets[0]
}

/** The reason why there is no result. */
export const dropOf = (result: { readonly ok: true } | Drop, code: DropCode): Drop => {
  assert.ok(!result.ok, `not dropped; expected ${code}`)
  assert.equal(result.code, code)
  return result
}
