/** A firewall on a stage of its own, and packets for it. */
import assert from "node:assert/strict"
import {
  type Change,
  createFirewall,
  type FirewallSettings,
  type FirewallState,
  firewallCgn,
  listPinholes,
  type Mapping,
  type Out,
  type Side,
  translateFirewall,
} from "../../../../core/cgn/index.ts"
import { type Nonce, readNonce } from "../../../../core/wire/index.ts"
import { DATA, type Ends, icmp6, ip6, type PortEnds, tcp, udp } from "../packet/build.ts"
import { address, prefix, same } from "../packet/scene.ts"

export const HOST = "2001:db8:1::7"
export const PEER = "2001:db8:ffff::9"
export const STRANGER = "2001:db8:ffff::a"
export const ROUTERS = { inside: address("2001:db8:1::1"), outside: address("2001:db8:f::1") }
export const SECRET = new Uint8Array(32).fill(9)
export const INSIDE = [prefix("2001:db8:1::/64")]

/** A firewall with a clock: every packet is checked for what it leaves behind. */
export class Wall {
  now = 0
  state: FirewallState
  readonly first: FirewallState
  readonly changes: Change[] = []
  readonly sees: (bytes: Uint8Array) => Uint8Array

  constructor(settings: Partial<FirewallSettings> = {}) {
    const base = { family: "ipv6", secret: SECRET, now: 0, inside: INSIDE, routers: ROUTERS } as const
    const made = createFirewall({ ...base, ...settings })
    assert.ok(made.ok, made.ok ? "" : made.error.text)
    this.state = made.state
    this.first = made.state
    // One hop less; IPv4's header checksum grows by as much.
    this.sees = (bytes) => {
      const copy = bytes.slice()
      if (copy[0] >> 4 === 6) copy[7]--
      else {
        copy[8]--
        const sum = ((copy[10] << 8) | copy[11]) + 0x100
        const folded = (sum & 0xffff) + (sum >> 16)
        copy[10] = folded >> 8
        copy[11] = folded
      }
      return copy
    }
  }

  send(bytes: Uint8Array, side: Side): Out {
    const passed = translateFirewall(this.state, { bytes, side, now: this.now })
    if (passed.changes.length === 0) assert.equal(passed.state, this.state)
    for (const change of passed.changes)
      if (change.type === "created") assert.ok(passed.next !== undefined && passed.next <= change.mapping.expires)
    this.state = passed.state
    this.changes.push(...passed.changes)
    return passed.out
  }

  /** It passes, one hop further. */
  passes(bytes: Uint8Array, side: Side): void {
    const out = this.send(bytes, side)
    assert.ok(out.kind === "forwarded", JSON.stringify(out))
    assert.equal(out.side, side === "inside" ? "outside" : "inside")
    same(out.packets[0], this.sees(bytes))
  }

  drops(bytes: Uint8Array, side: Side, reason: string): void {
    assert.deepEqual(this.send(bytes, side), { kind: "dropped", reason })
  }

  wait(seconds: number): void {
    this.now += seconds * 1000
  }

  expire(): readonly Change[] {
    const { state, changes } = firewallCgn.expire(this.state, this.now, 1000)
    this.state = state
    this.changes.push(...changes)
    return changes
  }

  list(): readonly Mapping[] {
    return listPinholes(this.state, this.now, 0, 1000).mappings
  }

  /** A MAP request's mapping, with filters. */
  map(port: number, protocol = 17, lifetime = 3600, filters: readonly string[] = []): void {
    const end = { protocol, internal: address(HOST), internalPort: port }
    const suggested = { suggested: address("::"), suggestedPort: port }
    const ask = { ...end, ...suggested, origin: "pcp", nonce: NONCE, lifetime, preferFailure: false } as const
    this.keep(firewallCgn.addMapping(this.state, ask, this.now))
    if (filters.length === 0) return
    const list = filters.map((one) => ({ remote: address(one), prefixLength: 128, remotePort: 0 }))
    this.keep(firewallCgn.filter(this.state, { ...end, deleteFilters: false, filters: list }, this.now))
  }

  unmap(port: number, protocol = 17): void {
    const end = { protocol, internal: address(HOST), internalPort: port, origin: "pcp", nonce: NONCE } as const
    this.keep(firewallCgn.delMapping(this.state, end, this.now))
  }

  private keep(result: ReturnType<typeof firewallCgn.addMapping>): void {
    assert.ok(result.outcome !== "refused", "refused")
    this.state = result.state
    this.changes.push(...result.changes)
  }
}

export const NONCE: Nonce = readNonce(new Uint8Array(12).fill(5), 0)

export const out = (remote = PEER, port = 1111, remotePort = 2222): PortEnds => ({
  source: HOST,
  sourcePort: port,
  destination: remote,
  destinationPort: remotePort,
})
export const back = (remote = PEER, port = 1111, remotePort = 2222): PortEnds => ({
  source: remote,
  sourcePort: remotePort,
  destination: HOST,
  destinationPort: port,
})
export const datagram = (ends: PortEnds, hopLimit = 64) => ip6({ ...ends, protocol: 17, hopLimit }, udp(ends))
export const segment = (ends: PortEnds, flags: number) => ip6({ ...ends, protocol: 6 }, tcp(ends, DATA, flags))
export const echo = (ends: Ends, type: 128 | 129, id = 7) =>
  ip6({ ...ends, protocol: 58 }, icmp6(ends, type, 0, [0, id, 0, 1], DATA))
export const error = (ends: Ends, inner: Uint8Array, type = 1, code = 4) =>
  ip6({ ...ends, protocol: 58 }, icmp6(ends, type, code, [0, 0, 0, 0], inner))

export const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]
