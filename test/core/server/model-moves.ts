/** Random requests, traffic and clocks for a server so small that everything in it runs out all the time. */
import type { Random } from "../../fuzz/random.ts"
import { hostText, ODD_REMOTES, REALMS, REMOTES, SUBSCRIBERS } from "./model-hosts.ts"
import { put16, put32, putAddress } from "./model-message.ts"
import { randomOptions } from "./model-options.ts"
import type { ModelPrefix, ModelRule, ModelSettings } from "./model-state.ts"

/** One thing that happens; `now` is milliseconds. */
export type Move =
  | {
      readonly type: "request"
      readonly now: number
      readonly bytes: Uint8Array
      readonly source: string
      readonly outside: boolean
      /** A number of {@link REALMS}, or none. */
      readonly realm?: number | undefined
    }
  | {
      readonly type: "outbound"
      readonly now: number
      readonly protocol: number
      readonly internal: string
      readonly internalPort: number
      readonly realm?: number | undefined
    }
  | { readonly type: "advance"; readonly now: number }
  /** A snapshot is written and read again. */
  | { readonly type: "restore"; readonly now: number }

/** What an administrator does; rarer, and not in all histories. */
export type Turn =
  | { readonly type: "turn"; readonly now: number; readonly settings: TurnSettings }
  | { readonly type: "revoke"; readonly now: number; readonly internal: string; readonly realm: number | undefined }

/** What changes when the settings do. */
export type TurnSettings = Pick<
  ModelSettings,
  | "pool"
  | "ports"
  | "quota"
  | "subscriberQuota"
  | "subscriberPrefix"
  | "noncePolicy"
  | "rules"
  | "filterLimit"
  | "idleTimeout"
  | "recycleDelay"
  | "statics"
>

/** Mostly no realm. */
const randomRealm = (random: Random): number | undefined => (random.once(4) ? random.below(REALMS.length) : undefined)

const NONCES = [1, 2, 0x80000000]
const INTERNAL_PORTS = [1, 80, 4000, 4001, 4002, 65534, 65535]
const LIFETIMES = [0, 0, 0, 1, 60, 120, 121, 300, 3600, 7200, 86400, 0xfffffffe, 0xffffffff]

/** Milliseconds until the next thing happens: mostly at once, sometimes past the end of everything. */
const pause = (random: Random): number => {
  switch (random.below(16)) {
    case 0:
    case 1:
      return random.below(400_000)
    case 2:
      return random.below(8_000_000)
    case 3:
      return random.once(4) ? random.below(200_000_000) : 0
    case 4:
      return random.below(4000) / 4
    case 5:
    case 6:
      return 1000 * random.below(200)
    case 7:
    case 8:
      return random.below(3000)
    default:
      return 0
  }
}

/** How often `advance` is called: once in so many moves; 0 is never. */
export const randomMove = (random: Random, settings: ModelSettings, before: number, advances: number): Move => {
  const now = before + pause(random)
  if (advances !== 0 && random.once(advances)) return { type: "advance", now }
  const internal = random.pick(SUBSCRIBERS)
  if (random.once(10)) {
    const protocol = random.once(20) ? 1 : random.pick([6, 17])
    const internalPort = random.pick(INTERNAL_PORTS)
    return { type: "outbound", now, protocol, internal, internalPort, realm: randomRealm(random) }
  }
  const plain = random.once(4) ? natPmp(random, settings) : pcp(random, settings, internal)
  const bytes = random.once(12) ? spoiled(random, plain) : plain
  const source = random.once(80) ? random.pick([...SUBSCRIBERS, "0.0.0.0", ODD_REMOTES[4]]) : internal
  return { type: "request", now, bytes, source, outside: random.once(200), realm: randomRealm(random) }
}

/** Settings of a pool so small that it is often full, with what the administrator mapped in it. */
export const randomSettings = (random: Random): TurnSettings => {
  const all = ["203.0.113.1", "203.0.113.2", "198.18.255.255", "198.18.0.1"]
  const pool: string[] = []
  for (let n = 2 + random.below(2); pool.length < n; ) {
    const one = random.pick(all)
    if (!pool.includes(one)) pool.push(one)
  }
  const first = random.once(3) ? 5346 + random.below(6) : 1024 + random.below(random.once(2) ? 4 : 60000)
  const ports = { first, last: first + 3 + random.below(5) }
  const statics: {
    protocol: number
    internal: string
    internalPort: number
    external: string
    externalPort: number
  }[] = []
  for (let n = random.once(2) ? random.below(4) : 0; n > 0; n--) {
    const one = {
      protocol: random.pick([6, 17]),
      internal: hostText(random.pick(SUBSCRIBERS), randomRealm(random)),
      internalPort: random.pick(INTERNAL_PORTS),
      external: random.pick(all),
      externalPort: random.once(3) ? 80 : first + random.below(4),
    }
    const taken = statics.some(
      (other) =>
        other.protocol === one.protocol &&
        ((other.internal === one.internal && other.internalPort === one.internalPort) ||
          (other.external === one.external && other.externalPort === one.externalPort)),
    )
    if (!taken && !(one.protocol === 17 && (one.externalPort === 5350 || one.externalPort === 5351))) statics.push(one)
  }
  return {
    pool,
    ports,
    quota: random.once(2) ? 0 : 1 + random.below(5),
    subscriberQuota: random.once(3) ? 1 + random.below(8) : 0,
    subscriberPrefix: random.pick([32, 24, 8, 0]),
    noncePolicy: random.pick(["rfc", "rfc", "strict", "off"]),
    rules: Array.from({ length: random.once(3) ? 1 + random.below(3) : 0 }, () => randomRule(random)),
    filterLimit: 1 + random.below(4),
    idleTimeout: { udp: random.pick([2, 120, 300]), tcp: random.pick([10, 7440]) },
    recycleDelay: { udp: random.pick([0, 1, 120]), tcp: random.pick([0, 60, 400]) },
    statics,
  }
}

/** Half of the hosts, or all, or none. */
const randomPrefix = (random: Random): ModelPrefix => ({
  address: random.pick([...SUBSCRIBERS, "10.0.0.2", ODD_REMOTES[4]]),
  prefixLength: random.pick([0, 1, 97, 104, 127, 128]),
})

/** A rule that often fits, and then mostly allows: what is refused teaches little. */
const randomRule = (random: Random): ModelRule => {
  const range = (ports: readonly number[]) => {
    const [first, last] = [random.pick(ports), random.pick(ports)]
    return { first: Math.min(first, last), last: Math.max(first, last) }
  }
  return {
    allow: !random.once(3),
    ...(random.once(4) ? { clients: randomPrefix(random) } : {}),
    ...(random.once(6) ? { except: [randomPrefix(random), randomPrefix(random)] } : {}),
    ...(random.once(4) ? { internal: randomPrefix(random) } : {}),
    ...(random.once(3) ? { internalPorts: range([0, ...INTERNAL_PORTS]) } : {}),
    ...(random.once(4) ? { externalPorts: range([0, 1024, 5348, 5351, 65535]) } : {}),
    ...(random.once(3) ? { protocol: random.pick([6, 17]) } : {}),
    ...(random.once(3) ? { opcode: random.below(3) } : {}),
    ...(random.once(4) ? { option: random.pick([1, 2, 3, 128]) } : {}),
  }
}

export const randomTurn = (random: Random, before: number): Turn => {
  const now = before + pause(random)
  return random.once(2)
    ? { type: "turn", now, settings: randomSettings(random) }
    : { type: "revoke", now, internal: random.pick(SUBSCRIBERS), realm: randomRealm(random) }
}

const lifetime = (random: Random): number =>
  random.once(8) ? random.below(0x100000000) : random.once(3) ? random.below(500) : random.pick(LIFETIMES)

const externalPort = (random: Random, { ports }: ModelSettings): number => {
  if (random.once(2)) return 0
  return random.once(10)
    ? random.pick([1, 5350, 5351, 65535])
    : ports.first + random.below(ports.last - ports.first + 2)
}

const externalAddress = (random: Random, { pool }: ModelSettings): string => {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return random.pick(pool)
    case 3:
      return random.once(4) ? random.pick(["203.0.113.200", "127.0.0.1", ODD_REMOTES[4]]) : "0".repeat(32)
    default:
      return "0.0.0.0"
  }
}

const pcp = (random: Random, settings: ModelSettings, internal: string): Uint8Array => {
  const opcode = random.once(40) ? random.pick([0, 0, 3, 64, 127]) : random.pick([1, 1, 2])
  const internalPort = random.once(40) ? 0 : random.pick(INTERNAL_PORTS)
  const extra = random.once(3) ? randomOptions(random, opcode, internalPort) : []
  const length = [24, 60, 80][opcode] ?? 4 * random.below(30)
  const bytes = new Uint8Array(Math.max(24, length) + extra.length)
  bytes.set([2, opcode])
  put32(bytes, 4, opcode === 0 ? 0 : lifetime(random))
  putAddress(bytes, 8, internal)
  if (length >= 60) {
    put32(bytes, 24, random.pick(NONCES))
    bytes[36] = random.once(30) ? random.pick([0, 1, 33, 132, 255]) : random.pick([6, 17])
    put16(bytes, 40, internalPort)
    put16(bytes, 42, externalPort(random, settings))
    putAddress(bytes, 44, externalAddress(random, settings))
  }
  if (length >= 80) {
    put16(bytes, 60, random.once(40) ? 0 : random.pick([443, 444]))
    putAddress(bytes, 64, random.once(20) ? random.pick(ODD_REMOTES) : random.pick(REMOTES))
  }
  bytes.set(extra, Math.max(24, length))
  return bytes
}

const natPmp = (random: Random, settings: ModelSettings): Uint8Array => {
  const opcode = random.once(6) ? 0 : random.once(40) ? 3 + random.below(125) : random.pick([1, 2])
  if (opcode === 0) return Uint8Array.of(0, 0)
  const bytes = new Uint8Array(12)
  bytes[1] = opcode
  put16(bytes, 4, random.once(12) ? 0 : random.pick(INTERNAL_PORTS))
  put16(bytes, 6, externalPort(random, settings))
  put32(bytes, 8, lifetime(random))
  return bytes
}

/** The same with something wrong about it: cut, longer, or some octets changed. */
const spoiled = (random: Random, bytes: Uint8Array): Uint8Array => {
  switch (random.below(5)) {
    case 0:
      return bytes.slice(0, random.below(bytes.length + 1))
    case 1: {
      const longer = new Uint8Array(bytes.length + random.pick([1, 2, 3, 4, 8, 1040, 1041, 1044]))
      longer.set(bytes)
      return longer
    }
    case 2: {
      const other = bytes.slice()
      other[0] = random.pick([0, 1, 3, 255])
      return other
    }
    default: {
      const changed = bytes.slice()
      for (let n = 1 + random.below(3); n > 0; n--) changed[random.below(changed.length)] = random.below(256)
      return changed
    }
  }
}
