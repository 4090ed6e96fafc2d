/** The plugin `portmap` and a directory that is a real DNS server, knot, with updates by RFC 2136. */
import assert from "node:assert/strict"
import { Resolver } from "node:dns/promises"
import { after, before, describe, type TestContext, test } from "node:test"
import { directoryEntry, findIn, openDirectory } from "../../../adapters/cli/overlay/directory.ts"
import { mapPort } from "../../../adapters/cli/overlay/map-port.ts"
import type { Directory } from "../../../adapters/flow/index.ts"
import { portmapName, type TargetPoint } from "../../../core/overlay/index.ts"
import { toHex } from "../../core/wire/hex.ts"
import { mappingsOf, startServer } from "../client/server-scene.ts"
import { fakeClock } from "../fake.ts"
import { type Knot, lackingKnot, startKnot } from "../flow/knot.ts"
import { address } from "../udp-suite.ts"
import { A, B, box, C, endpoint, first, frame, LOOPBACK, mac, peer } from "./scene.ts"

const ZONE = "ends.test"
const VNETID = 23
/** The lifetime of an answer, milliseconds: as `portmap` has it where nothing is set. */
const LIFETIME = 30_000

describe("portmap by a directory, with knot", { skip: lackingKnot() ?? false }, () => {
  let knot: Knot | undefined
  let directory: Directory = { lookup: () => assert.fail("no directory") }
  before(async () => {
    knot = await startKnot(ZONE)
    directory = openDirectory({ dns: knot.server, zone: ZONE })
  })
  after(() => knot?.stop())

  const entry = (host: string) => directoryEntry(portmapName("overlay", VNETID, mac(host)))
  const publish = async (host: string, ends: readonly TargetPoint[]): Promise<void> => {
    await directory.publish?.(entry(host), ends)
  }

  /** An overlay that finds hosts there, and whose time the test has. */
  const finding = async (t: TestContext) => {
    const time = fakeClock()
    const here = await endpoint(
      t,
      [
        {
          name: "blue",
          vnetid: VNETID,
          listen: LOOPBACK,
          plugin: "portmap",
          properties: { "portmap/source": "directory" },
        },
      ],
      { clock: time.clock, find: findIn(directory) },
    )
    return { blue: first(here), time }
  }

  test("frames go where a host has said, follow it after the lifetime of an answer, and go nowhere when it has gone", async (t) => {
    const [before, since] = [await peer(t), await peer(t)]
    const { blue, time } = await finding(t)
    const sent = frame(B, A)
    assert.equal(await blue.lookup(mac(B)), "drop")

    await publish(B, [before.local])
    blue.transmit(sent)
    const { bytes } = await before.came.next()
    assert.equal(toHex(bytes), `0800000000001700${toHex(sent)}`)
    assert.deepEqual(blue.get(mac(B)), { ok: true, value: { address: before.local.address, port: before.local.port } })

    await publish(B, [since.local])
    time.moveTo(LIFETIME - 1)
    blue.transmit(sent)
    await before.came.next()
    time.moveTo(LIFETIME)
    assert.equal(blue.get(mac(B)).ok, false)
    blue.transmit(sent)
    assert.equal(toHex((await since.came.next()).bytes), toHex(bytes))

    await publish(B, [])
    time.moveTo(2 * LIFETIME)
    assert.equal(await blue.lookup(mac(B)), "drop")
    blue.transmit(sent)
    assert.equal(await blue.lookup(mac(B)), "drop")
    assert.deepEqual([before.came.all(), since.came.all(), blue.counters().sent], [[], [], 3])
  })

  test("an overlay's map publishes what its NAT has given, of each MAC, and takes it back", async (t) => {
    const there = first(
      await endpoint(t, [
        {
          name: "there",
          vnetid: VNETID,
          listen: LOOPBACK,
          plugin: "direct",
          properties: { "direct/dest_ip": "127.0.0.1", "direct/dest_port": "9" },
        },
      ]),
    )
    const { blue, time } = await finding(t)
    for (const external of ["203.0.113.7", "203.0.113.99"]) {
      const server = await startServer({ external: [address(external)] })
      const told = box<string>()
      const mapped = mapPort(there, { servers: [server.text], macs: [mac(B), mac(C)], name: "overlay" }, directory, {
        mapped: told.put,
        failed: told.put,
      })
      t.after(() => mapped.close())
      const end = await told.next()
      const [mapping] = mappingsOf(server)
      assert.equal(mapping?.internalPort, there.local.port)
      assert.equal(end, `${external}:${mapping?.externalPort}`)
      for (const host of [B, C])
        assert.deepEqual(await blue.lookup(mac(host)), { address: address(external), port: mapping?.externalPort })
      assert.equal(await blue.lookup(mac(A)), "drop")

      // A resolver on the way remembers it no longer than the plugin does.
      const resolver = new Resolver()
      resolver.setServers([knot?.server ?? ""])
      assert.deepEqual(await resolver.resolve4(`${entry(B).label}.${ZONE}`, { ttl: true }), [
        { address: external, ttl: LIFETIME / 1000 },
      ])

      await mapped.close()
      assert.deepEqual(mappingsOf(server), [])
      time.moveTo(time.clock.now() + LIFETIME)
      for (const host of [B, C]) assert.equal(await blue.lookup(mac(host)), "drop")
      await server.stop()
    }
  })
})
