/** Random traffic of a few hosts and peers, through the kernel and through a NAPT44 and a firewall: seeds make it again. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createFirewall, translateFirewall } from "../../core/cgn/index.ts"
import { icmp4, ip4, type PortEnds, tcp, udp } from "../core/cgn/packet/build.ts"
import { type Random, randomFrom, seedOf } from "../fuzz/random.ts"
import type { Router } from "./kernel.ts"
import { type Carry, carrying, compare, inside, outside, type Step, skip, turned } from "./kernel-compare.ts"
import { EXTERNAL, nat, router } from "./kernel-nat.ts"

const [SYN, ACK, FIN] = [2, 16, 1]
const PEERS = ["192.0.2.9", "192.0.2.10"]

/** Hosts have ports of their own: where two want one, which gets it is each translator's choice. */
const hostOf = (port: number): string => `10.0.0.${7 + (port % 3)}`

/** How far each TCP connection is: what comes out of turn each may take as it likes (RFC 5382 section 5). */
type Progress = Map<string, "asked" | "open" | "half" | "over">

/** The flags of the next segment, where it may be one of this direction. */
const nextOf = (connections: Progress, name: string, isOut: boolean, random: Random): number => {
  switch (connections.get(name)) {
    case undefined:
      // From outside, what nobody has asked for.
      if (!isOut) return random.pick([SYN, SYN | ACK, ACK])
      connections.set(name, "asked")
      return SYN
    case "asked":
      if (isOut) return SYN
      connections.set(name, "open")
      return SYN | ACK
    case "open":
      if (!isOut || !random.once(4)) return ACK
      connections.set(name, "half")
      return FIN | ACK
    case "half":
      if (isOut || !random.once(2)) return ACK
      connections.set(name, "over")
      return FIN | ACK
    case "over":
      return ACK
  }
}

/** A step of one of many conversations. */
const stepOf = (
  random: Random,
  connections: Progress,
  externalOf: (host: string) => string,
  identifierOf: (port: number) => number,
): Step => {
  const port = 5000 + random.below(9)
  const peer = random.pick(PEERS)
  const data = new Uint8Array(random.below(40)).map(() => random.below(256))
  const isOut = random.once(2)
  const there: PortEnds = { source: hostOf(port), sourcePort: port, destination: peer, destinationPort: 53 }
  const seen = { ...there, source: externalOf(there.source) }
  const ends = isOut ? there : turned(seen)
  const header = { ...ends, tos: random.below(256), id: random.below(65536), ttl: 2 + random.below(200) }
  const arrive = isOut ? inside : outside
  switch (random.below(4)) {
    case 0: {
      const identifier = identifierOf(port)
      const id = [identifier >> 8, identifier & 255, 0, random.below(256)]
      return arrive("ping", ip4({ ...header, protocol: 1 }, icmp4(isOut ? 8 : 0, 0, id, data)))
    }
    case 1: {
      // About what has gone out, or never has. An error from within is translated by its mapping here (RFC 5508 REQ-5), of which
      // conntrack asks for the very flow: what answers nothing that has come in, hosts do not send.
      const [type, code] = random.pick([
        [3, 1],
        [3, 3],
        [11, 0],
      ])
      const inner = ip4({ ...seen, protocol: 17 }, udp(seen, data))
      const from = { ...header, source: random.pick([peer, "203.0.113.9"]), destination: seen.source }
      return outside("error", ip4({ ...from, protocol: 1 }, icmp4(type, code, [0, 0, 0, 0], inner)))
    }
    case 2:
      return arrive("UDP", ip4({ ...header, protocol: 17 }, udp(ends, data)))
    default: {
      const flags = nextOf(connections, `${port} ${peer}`, isOut, random)
      return arrive(`TCP ${flags}`, ip4({ ...header, protocol: 6 }, tcp(ends, data, flags)))
    }
  }
}

const WALL: Router = {
  ip: ["addr add 10.0.0.1/24 dev in", "addr add 203.0.113.1/24 dev out"],
  nft: `table ip wall {
    chain forward {
      type filter hook forward priority filter; policy drop;
      ip saddr 198.18.0.1 accept
      ct state invalid drop
      ct state established,related accept
      iifname "in" accept
    }
  }`,
}

const wall = (): Carry => {
  const made = createFirewall({ family: "ipv4", secret: new Uint8Array(32), now: 0 })
  assert.ok(made.ok)
  return carrying(made.state, translateFirewall)
}

describe("random traffic", { skip }, () => {
  for (const own of [1, 2, 3, 4]) {
    const seed = seedOf(own, process.env.SALLYPORT_SEED)
    const steps = (externalOf: (host: string) => string, identifierOf: (port: number) => number): readonly Step[] => {
      const random = randomFrom(seed)
      const connections: Progress = new Map()
      return Array.from({ length: 400 }, () => stepOf(random, connections, externalOf, identifierOf))
    }
    test(`through a NAPT44 as through nftables, seed ${seed}`, () =>
      compare(
        router,
        nat(),
        // Outside it is the same, which 0 would not be.
        steps(
          () => EXTERNAL,
          (port) => port,
        ),
      ))
    test(`through a firewall as through nftables, seed ${seed}`, () =>
      compare(
        WALL,
        wall(),
        steps(
          (host) => host,
          (port) => port - 5000,
        ),
      ))
  }
})
