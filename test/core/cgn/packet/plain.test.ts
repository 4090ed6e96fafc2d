/** Plain packets are packets that the whole reader takes for the same. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { plainIpv4, plainIpv6, readPacket } from "../../../../core/cgn/packet/index.ts"
import { inet, ip4, ip6, tcp, udp, w16 } from "./build.ts"

const ENDS4 = { source: "192.0.2.1", destination: "198.51.100.7", sourcePort: 4000, destinationPort: 443 }
const ENDS6 = { source: "2001:db8::1", destination: "2001:db8:64::7", sourcePort: 4000, destinationPort: 443 }

/** Is what `plain` says of these bytes what the reader finds? */
const agrees = (bytes: Uint8Array, protocol: number, header: number): void => {
  if (protocol === 0) return
  const packet = readPacket(bytes)
  assert.ok(packet.ok, packet.ok ? "" : packet.code)
  const { content, payload, fragmentOffset, moreFragments, fragmentAt } = packet
  assert.deepEqual(
    { content, protocol: packet.protocol, payload, fragmentOffset, moreFragments, fragmentAt },
    { content: "ports", protocol, payload: header, fragmentOffset: 0, moreFragments: false, fragmentAt: 0 },
  )
  assert.ok(bytes[header === 20 ? 8 : 7] > 1)
}

/** The bytes with each octet in turn changed to each value. */
const spoilings = function* (bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++)
    for (let value = 0; value < 256; value++) {
      const copy = bytes.slice()
      copy[at] = value
      yield copy
    }
}

test("a plain IPv4 packet is one that the reader takes for the same, whichever octet is another", () => {
  for (const [protocol, transport] of [
    [6, tcp(ENDS4)],
    [17, udp(ENDS4)],
  ] as const) {
    const whole = ip4({ ...ENDS4, protocol }, transport)
    assert.equal(plainIpv4(whole), protocol)
    for (const bytes of spoilings(whole)) {
      agrees(bytes, plainIpv4(bytes), 20)
      bytes.set([0, 0], 10)
      bytes.set(w16(inet(bytes.subarray(0, 20))), 10)
      agrees(bytes, plainIpv4(bytes), 20)
    }
    for (let length = 0; length < whole.length; length++) assert.equal(plainIpv4(whole.subarray(0, length)), 0)
  }
})

test("a plain IPv6 packet is one that the reader takes for the same, whichever octet is another", () => {
  for (const [protocol, transport] of [
    [6, tcp(ENDS6)],
    [17, udp(ENDS6)],
  ] as const) {
    const whole = ip6({ ...ENDS6, protocol }, transport)
    assert.equal(plainIpv6(whole), protocol)
    for (const bytes of spoilings(whole)) agrees(bytes, plainIpv6(bytes), 40)
    for (let length = 0; length < whole.length; length++) assert.equal(plainIpv6(whole.subarray(0, length)), 0)
  }
})
