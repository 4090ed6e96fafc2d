/**
 * A client and a server behind a CGN each, in memory: the server's port is mapped by PCP, a million messages cross both, and the CGN of the server
 * begins anew in the middle.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type CgnState, translate } from "../../core/cgn/index.ts"
import { createFlowLayer, type FlowEnd, type FlowEvent, QOS_CUBES, stepFlow } from "../../core/flow/index.ts"
import { createServer, process, type ServerState } from "../../core/server/index.ts"
import {
  addressFromIpv4,
  encode,
  ipv4Value,
  parse,
  putU16,
  putU32,
  readNonce,
  u16,
  u32,
} from "../../core/wire/index.ts"
import type { Timeless } from "../core/flow/scene.ts"
import { address } from "../core/wire/vectors.ts"

const NAME = "oecho"
const HEADERS = 28

/** An IPv4 packet with one UDP datagram, without a UDP checksum (RFC 768 lets that be). */
const packetOf = (from: FlowEnd, to: FlowEnd, data: Uint8Array): Uint8Array => {
  const packet = new Uint8Array(HEADERS + data.length)
  packet[0] = 0x45
  putU16(packet, 2, packet.length)
  packet[8] = 64
  packet[9] = 17
  putU32(packet, 12, ipv4Value(from.address))
  putU32(packet, 16, ipv4Value(to.address))
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += u16(packet, i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  putU16(packet, 10, ~sum & 0xffff)
  putU16(packet, 20, from.port)
  putU16(packet, 22, to.port)
  putU16(packet, 24, 8 + data.length)
  packet.set(data, HEADERS)
  return packet
}

/** A CGN and the PCP server over it, at one external address. */
const carrier = (external: string, seed: number) => {
  const begin = (external: string, now: number): ServerState<CgnState> => {
    const made = createServer({
      external: [address(external)],
      secret: new Uint8Array(32).fill(seed),
      now,
      threatModel: "simple",
    })
    assert.ok(made.ok, made.ok ? "" : made.error.text)
    return made.state
  }
  let state = begin(external, 0)
  return {
    /** The packet on the other side; `undefined`: dropped. */
    cross: (bytes: Uint8Array, side: "inside" | "outside", now: number): Uint8Array | undefined => {
      const passed = translate(state.cgnState, { bytes, now, side })
      state = { ...state, cgnState: passed.state }
      return passed.out.kind === "forwarded" ? passed.out.packets[0] : undefined
    },
    /** Maps an internal end by PCP; where it is reached. */
    map: (internal: FlowEnd, now: number): FlowEnd => {
      const request = encode({
        kind: "pcp-request",
        lifetime: 7200,
        client: internal.address,
        body: {
          kind: "map",
          nonce: readNonce(new Uint8Array(12).fill(7), 0),
          protocol: 17,
          internalPort: internal.port,
          externalPort: 0,
          external: address("0.0.0.0"),
        },
        options: [],
      })
      assert.ok(request.ok)
      const [next, response] = process(state, { bytes: request.bytes, now, source: internal.address, sourcePort: 5350 })
      state = next
      const parsed = parse(response.reply ?? new Uint8Array())
      assert.ok(parsed.ok && parsed.packet.kind === "pcp-response" && parsed.packet.body.kind === "map")
      return { address: parsed.packet.body.external, port: parsed.packet.body.externalPort }
    },
    restart: (other: string, now: number): void => {
      state = begin(other, now)
    },
  }
}

/** A layer behind a carrier. */
const behind = (own: FlowEnd, seed: number) => {
  const made = createFlowLayer({
    seed: new Uint8Array(32).fill(seed),
    now: 0,
    settings: { eids: "random", lastEid: 2 ** 31 - 1 },
  })
  assert.ok(made.ok)
  let layer = made.layer
  let events: FlowEvent[] = []
  return {
    own,
    wake: () => layer.wake,
    /** What leaves. */
    give: (input: Timeless, now: number): readonly { readonly to: FlowEnd; readonly bytes: Uint8Array }[] => {
      const [next, effects] = stepFlow(layer, { ...input, now })
      layer = next
      return effects.flatMap((effect) => {
        if (effect.type === "event") events.push(effect.event)
        if (effect.type === "result") assert.ok(effect.ok, effect.ok ? "" : effect.text)
        return effect.type === "send" ? [{ to: effect.destination, bytes: effect.bytes }] : []
      })
    },
    events: () => {
      const said = events
      events = []
      return said
    },
  }
}

describe("flows across two CGNs", () => {
  test("a million messages; a CGN that begins anew loses the flow cleanly, and the next one is had where the port is mapped then", () => {
    const [home, office] = [carrier("203.0.113.1", 1), carrier("198.51.100.1", 2)]
    const client = behind({ address: address("10.0.0.2"), port: 3435 }, 3)
    const server = behind({ address: address("10.1.0.2"), port: 3435 }, 4)
    let now = 1000
    type Side = typeof client
    /** From one host through its own CGN and the other's, and what comes of it, back and forth. */
    const send = (from: Side, packets: ReturnType<Side["give"]>): void => {
      for (const { to, bytes } of packets) {
        const [near, far, other] = from === client ? [home, office, server] : [office, home, client]
        const outside = near.cross(packetOf(from.own, to, bytes), "inside", now)
        const inside = outside === undefined ? undefined : far.cross(outside, "outside", now)
        if (inside === undefined || u32(inside, 16) !== ipv4Value(other.own.address)) continue
        const source = addressFromIpv4(u32(inside, 12))
        const data = inside.subarray(HEADERS)
        send(other, other.give({ type: "datagram", bytes: data, source, sourcePort: u16(inside, 20) }, now))
      }
    }
    const give = (side: Side, input: Timeless): void => send(side, side.give(input, now))
    const pass = (milliseconds: number): void => {
      const goal = now + milliseconds
      for (;;) {
        const next = Math.min(client.wake() ?? Infinity, server.wake() ?? Infinity)
        if (next > goal) break
        now = Math.max(now, next)
        for (const side of [client, server]) if ((side.wake() ?? Infinity) <= now) give(side, { type: "tick" })
      }
      now = goal
    }
    const flowOf = (side: Side): number => {
      for (const event of side.events()) if (event.type === "allocated") return event.flow
      return assert.fail("no flow")
    }
    const allocate = (): readonly [number, number] => {
      give(server, { type: "accept", name: NAME, auto: true })
      give(client, {
        type: "alloc",
        name: NAME,
        peer: office.map(server.own, now),
        qos: { ...QOS_CUBES.raw, timeout: 20_000 },
      })
      return [flowOf(client), flowOf(server)]
    }

    give(server, { type: "create-name", name: NAME })
    give(server, { type: "register-name", name: NAME })
    const [here, there] = allocate()
    const message = new Uint8Array(32)
    let received = 0
    const count = (): void => {
      for (const side of [client, server]) for (const event of side.events()) if (event.type === "data") received++
    }
    for (let i = 0; i < 500_000; i++) {
      putU32(message, 0, i)
      give(client, { type: "write", flow: here, data: message })
      give(server, { type: "write", flow: there, data: message })
      if (i % 1000 === 0) {
        pass(10)
        count()
      }
    }
    count()
    assert.equal(received, 1_000_000)

    // All that the office's CGN knew is gone, and it has another address.
    office.restart("198.51.100.2", now)
    give(client, { type: "write", flow: here, data: message })
    pass(1000)
    count()
    assert.equal(received, 1_000_000)
    pass(25_000)
    const ends = [client, server].map((side) => side.events().filter(({ type }) => type === "down"))
    assert.deepEqual(ends[0], [{ type: "down", flow: here, error: "EFLOWPEER" }])
    const [again] = allocate()
    assert.notEqual(again, here)
    give(client, { type: "write", flow: again, data: message })
    assert.deepEqual(
      server.events().map(({ type }) => type),
      ["data"],
    )
  })
})
