import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { completeChecksum } from "../../../../core/overlay/index.ts"
import { hex, toHex } from "../../wire/hex.ts"

/** Laid out by hand; the sums are added up by a calculator. */
const ETHERNET = "020000000001 020000000002"
const V4 = "45 00 0029 0000 4000 40 06 0000 0a000001 0a000002"
const TCP = (checksum: string) => `0400 0050 00000001 00000002 5010 0100 ${checksum} 0000 61`
// 0a00+0001+0a00+0002 + 6 + 21 octets.
const PSEUDO4 = "141e"

describe("a checksum that was left to the network card", () => {
  test("TCP over IPv4, an odd octet at the end", () => {
    const frame = hex(`${ETHERNET} 0800 ${V4} ${TCP(PSEUDO4)}`)
    assert.equal(completeChecksum(frame), true)
    // 141e + 0400+0050+0001+0002+5010+0100+6100 = ca81, complemented.
    assert.equal(toHex(frame), toHex(hex(`${ETHERNET} 0800 ${V4} ${TCP("357e")}`)))
    assert.equal(completeChecksum(frame), false)
  })

  test("behind a VLAN tag, and with padding behind the packet", () => {
    const frame = hex(`${ETHERNET} 8100 0005 0800 ${V4} ${TCP(PSEUDO4)} 000000`)
    assert.equal(completeChecksum(frame), true)
    assert.equal(toHex(frame), toHex(hex(`${ETHERNET} 8100 0005 0800 ${V4} ${TCP("357e")} 000000`)))
  })

  test("UDP over IPv6: one that is 0 is sent as ffff (RFC 8200 section 8.1)", () => {
    const ip = `6000 0000 000a 11 40 ${"fd55".padEnd(30, "0")}01 ${"fd55".padEnd(30, "0")}02`
    // fd55+1+fd55+2 + 17 + 10 = 1fac8, folded fac9; and 0400+0050+000a makes ff23, so that 00dc is left.
    const udp = (checksum: string) => `0400 0050 000a ${checksum} 00dc`
    const frame = hex(`${ETHERNET} 86dd ${ip} ${udp("fac9")}`)
    assert.equal(completeChecksum(frame), true)
    assert.equal(toHex(frame), toHex(hex(`${ETHERNET} 86dd ${ip} ${udp("ffff")}`)))
  })

  test("all else stays: one that is whole, a fragment, another protocol, what is cut", () => {
    for (const text of [
      `${ETHERNET} 0800 ${V4} ${TCP("1234")}`,
      `${ETHERNET} 0800 45 00 0029 0000 2000 40 06 0000 0a000001 0a000002 ${TCP(PSEUDO4)}`,
      `${ETHERNET} 0800 45 00 0029 0000 4000 40 01 0000 0a000001 0a000002 ${TCP("1419")}`,
      `${ETHERNET} 0800 45 00 002a 0000 4000 40 06 0000 0a000001 0a000002 ${TCP("141f")}`,
      `${ETHERNET} 0806 ${V4} ${TCP(PSEUDO4)}`,
    ]) {
      const frame = hex(text)
      assert.equal(completeChecksum(frame), false, text)
      assert.equal(toHex(frame), toHex(hex(text)))
    }
  })

  test("any octets: none are written but two, and no error", () => {
    const start = fc.constantFrom(
      hex(`${ETHERNET} 0800 45`),
      hex(`${ETHERNET} 86dd 60`),
      hex(`${ETHERNET} 8100 0005 0800`),
    )
    fc.assert(
      fc.property(fc.option(start), fc.uint8Array({ maxLength: 80 }), (head, rest) => {
        const frame = Uint8Array.of(...(head ?? []), ...rest)
        const before = frame.slice()
        const isWritten = completeChecksum(frame)
        assert.equal(frame.length, before.length)
        const changed = frame.filter((octet, i) => octet !== before[i]).length
        assert.ok(changed <= (isWritten ? 2 : 0))
      }),
    )
  })
})
