import assert from "node:assert/strict"
import { networkInterfaces } from "node:os"
import { describe, test } from "node:test"
import { udp } from "#runtime"
import { ownAddress } from "../../../adapters/gateway/index.ts"
import type { Udp } from "../../../adapters/udp.ts"
import { ANY4, ANY6, formatAddress } from "../../../core/wire/index.ts"
import { fakeUdp } from "../fake.ts"
import { address } from "../udp-suite.ts"

const ipv6 = Object.values(networkInterfaces()).some((entries) => entries?.some((entry) => entry.address === "::1"))

/** UDP whose sockets find themselves at `local`. */
const at = (local: { readonly address: ReturnType<typeof address>; readonly zone?: string }) => {
  const fake = fakeUdp()
  const udp: Udp = {
    limits: fake.udp.limits,
    bind: async (options, receiver) => {
      const bound = await fake.udp.bind(options, receiver)
      return bound.ok ? { ok: true, value: { ...bound.value, local: { port: 40000, ...local } } } : bound
    },
  }
  return { udp, sockets: fake.sockets }
}

describe("this host's own address towards a gateway (RFC 6887 section 16.4, C-07)", () => {
  test("is that of a connected socket, which is closed, and nothing is sent", async () => {
    const { udp, sockets } = at({ address: address("192.0.2.7") })
    const own = await ownAddress(udp, { address: address("192.0.2.1") })
    assert.deepEqual(own, { ok: true, value: { address: address("192.0.2.7"), port: 0 } })
    assert.deepEqual(sockets[0].options, {
      local: { address: ANY4, port: 0 },
      remote: { address: address("192.0.2.1"), port: 5351 },
    })
    assert.deepEqual([sockets.length, sockets[0].open, sockets[0].sent], [1, false, []])
  })

  test("is asked of the family and interface of the gateway, at another port if one is given", async () => {
    const { udp, sockets } = at({ address: address("fe80::7") })
    const gateway = { address: address("fe80::1"), zone: "en0", interfaceName: "en0", metric: 0 }
    const own = await ownAddress(udp, gateway)
    assert.deepEqual(own, { ok: true, value: { address: address("fe80::7"), port: 0, zone: "en0" } })
    await ownAddress(udp, { address: address("2001:db8::1"), port: 53 })
    assert.deepEqual(
      sockets.map(({ options }) => [options.local.address, options.remote]),
      [
        [ANY6, { address: address("fe80::1"), port: 5351, zone: "en0" }],
        [ANY6, { address: address("2001:db8::1"), port: 53 }],
      ],
    )
  })

  test("has no zone where it isn't link-local", async () => {
    const { udp } = at({ address: address("2001:db8::7") })
    const own = await ownAddress(udp, { address: address("fe80::1"), zone: "en0" })
    assert.deepEqual(own, { ok: true, value: { address: address("2001:db8::7"), port: 0 } })
  })

  test("is an error where the system refuses, or doesn't choose an address", async () => {
    const refused = await ownAddress(fakeUdp(0).udp, { address: address("192.0.2.1") })
    assert.deepEqual(refused, { ok: false, error: { code: "EADDRINUSE", text: "taken" } })
    const { udp, sockets } = at({ address: ANY4 })
    const none = await ownAddress(udp, { address: address("192.0.2.1") })
    assert.equal(none.ok || none.error.code, "OTHER")
    assert.equal(sockets[0].open, false)
  })

  test("over loopback is loopback's, by the system's own socket", async () => {
    const own = await ownAddress(udp, { address: address("127.0.0.1") })
    assert.deepEqual(own, { ok: true, value: { address: address("127.0.0.1"), port: 0 } })
    // What it says can be bound as it is.
    const bound = await udp.bind(
      { local: own.ok ? own.value : { address: ANY4, port: 0 } },
      { receive: () => {}, error: () => {} },
    )
    assert.equal(bound.ok && formatAddress(bound.value.local.address), "127.0.0.1")
    if (bound.ok) await bound.value.close()
  })

  test("over IPv6's loopback too", { skip: ipv6 ? false : "this machine has no ::1" }, async () => {
    const own = await ownAddress(udp, { address: address("::1") })
    assert.deepEqual(own, { ok: true, value: { address: address("::1"), port: 0 } })
  })
})
