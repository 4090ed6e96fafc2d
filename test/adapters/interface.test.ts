import assert from "node:assert/strict"
import { describe, it } from "node:test"
import {
  type InterfaceEntry,
  indexOf,
  interfaceNameOf,
  interfaceText,
  onLink,
  ownAddressesOf,
  zoneName,
  zoneNamer,
} from "../../adapters/interface.ts"
import { formatAddress } from "../../core/wire/index.ts"
import { address } from "./udp-suite.ts"

const entry = (name: string, cidr: string, scopeid: number | null = null): InterfaceEntry => ({
  name,
  family: cidr.includes(":") ? "IPv6" : "IPv4",
  address: cidr.split("/")[0],
  cidr,
  scopeid,
})

const machine = [
  entry("lo", "127.0.0.1/8"),
  entry("lo", "::1/128", 0),
  entry("wide", "10.0.0.1/8"),
  entry("near", "10.1.2.129/25"),
  entry("near", "2001:db8:1:2::1/64", 0),
  entry("near", "fe80::1/64", 4),
  entry("far", "fe80::2/64", 5),
  entry("tunnel", "192.0.2.1/32"),
]

describe("the machine's interfaces", () => {
  it("gives each own address with its interface, and none where the system does not tell", () => {
    assert.deepEqual(
      ownAddressesOf(() => [...machine, { ...entry("odd", "1/8"), address: "none" }]).map(
        ({ address: own, interfaceName }) => `${formatAddress(own)} ${interfaceName}`,
      ),
      machine.map(({ name, address: own }) => `${own} ${name}`),
    )
    const refused = (): never => {
      throw new Error("uv_interface_addresses returned Unknown system error 13")
    }
    assert.deepEqual(ownAddressesOf(refused), [])
  })

  it("finds the own address on another host's link, by the longest prefix that both have", () => {
    const own = (text: string, zone?: string): string | undefined => {
      const found = onLink(machine, { address: address(text), port: 5351, zone })
      return found === undefined ? undefined : formatAddress(found)
    }
    assert.equal(own("127.9.9.9"), "127.0.0.1")
    assert.equal(own("::1"), "::1")
    assert.equal(own("10.1.2.254"), "10.1.2.129")
    assert.equal(own("10.1.2.127"), "10.0.0.1")
    assert.equal(own("11.0.0.1"), undefined)
    assert.equal(own("192.0.2.2"), undefined)
    assert.equal(own("2001:db8:1:2:ffff::9"), "2001:db8:1:2::1")
    assert.equal(own("2001:db8:1:3::9"), undefined)
    assert.equal(own("fe80::9", "far"), "fe80::2")
    assert.equal(own("fe80::9", "4"), "fe80::1")
    assert.equal(own("fe80::9", "gone"), undefined)
  })

  it("names an interface as sockets of each family want it", () => {
    assert.equal(interfaceText(machine, 4, "near"), "10.1.2.129")
    assert.equal(interfaceText(machine, 6, "near"), "::%near")
    assert.equal(interfaceText(machine, 4, "far"), undefined)
    assert.equal(interfaceText(machine, 6, "gone"), undefined)
    assert.equal(interfaceNameOf(machine, address("fe80::2")), "far")
    assert.equal(interfaceNameOf(machine, address("fe80::3")), undefined)
    assert.equal(indexOf(machine, "far"), 5)
    assert.equal(indexOf(machine, "lo"), undefined)
  })

  it("takes a zone by name or by index (RFC 4007 section 11), and remembers it for a while only", () => {
    assert.equal(zoneName(machine, "near"), "near")
    assert.equal(zoneName(machine, "5"), "far")
    for (const none of ["0", "6", "", "null", "undefined"]) assert.equal(zoneName(machine, none), undefined, none)
    let asked = 0
    const named = zoneNamer(() => {
      asked++
      return machine
    })
    const end = { address: address("fe80::9"), port: 5351 }
    assert.equal(named(end), end)
    assert.equal(asked, 0)
    for (let i = 0; i < 100; i++) assert.equal(named({ ...end, zone: "5" }).zone, "far")
    assert.ok(asked < 100)
    assert.throws(() => named({ ...end, zone: "gone" }), { code: "ENODEV" })
  })
})
