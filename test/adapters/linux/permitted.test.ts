import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { permittedBy } from "../../../adapters/linux/index.ts"
import type { Filter } from "../../../core/cgn/index.ts"
import { type Address, addressFromIpv4, ipv4Value, parseAddress } from "../../../core/wire/index.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

/** Few addresses and ports, so that filters meet. */
const filter = fc.record({
  remote: fc.integer({ min: 0, max: 15 }).map((low) => addressFromIpv4(0xc6336400 + low)),
  prefixLength: fc.constantFrom(96, 124, 126, 127, 128),
  remotePort: fc.constantFrom(0, 1, 2, 65535),
})

/** What a filter lets in, said by RFC 6887 section 13.3 and not by intervals. */
const isIn = (value: number, port: number, { remote, prefixLength, remotePort }: Filter): boolean => {
  const bits = 128 - prefixLength
  const same = bits === 32 || Math.floor(value / 2 ** bits) === Math.floor(ipv4Value(remote) / 2 ** bits)
  return same && (remotePort === 0 || remotePort === port)
}

const areasOf = (value: number, port: number, filters: readonly Filter[]): number =>
  permittedBy(filters).filter(({ remote, ports }) => {
    const [base, length = "32"] = remote.split("/")
    const size = 2 ** (32 - Number(length))
    const start = ipv4Value(address(base))
    const [first, last = first] = ports.split("-").map(Number)
    return value >= start && value < start + size && port >= first && port <= last
  }).length

describe("the areas of remote peers that FILTERs let in", () => {
  it("every peer that a filter lets in is in one area, and nobody else in any (RFC 6887 section 13.3)", () => {
    fc.assert(
      fc.property(fc.array(filter, { minLength: 1, maxLength: 6 }), (filters) => {
        for (let value = 0xc6336400 - 1; value <= 0xc6336410; value++)
          for (const port of [0, 1, 2, 3, 65534, 65535])
            assert.equal(
              areasOf(value, port, filters),
              filters.some((one) => isIn(value, port, one)) ? 1 : 0,
              `${value} ${port}`,
            )
      }),
    )
  })

  it("an area is as nft writes it", () => {
    assert.deepEqual(
      permittedBy([
        { remote: address("198.51.100.77"), prefixLength: 120, remotePort: 0 },
        { remote: address("198.51.100.1"), prefixLength: 128, remotePort: 443 },
        { remote: address("198.51.0.0"), prefixLength: 112, remotePort: 80 },
      ]),
      [
        { remote: "198.51.100.0/24", ports: "0-79" },
        { remote: "198.51.100.0/24", ports: "81-65535" },
        { remote: "198.51.0.0/16", ports: "80" },
      ],
    )
    assert.deepEqual(permittedBy([{ remote: address("2001:db8:1:2::3"), prefixLength: 48, remotePort: 0 }]), [
      { remote: "2001:db8:1::/48", ports: "0-65535" },
    ])
  })
})
