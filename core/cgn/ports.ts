import {
  give,
  isTaken,
  nextFree,
  nextFreeInBoth,
  nextTaken,
  siphash24,
  type Table,
  take,
  takenCount,
  word,
} from "../table/index.ts"
import { type Address, addressWord, isIpv4 } from "../wire/index.ts"
import { type MappedEnd, remoteWord } from "./dependent.ts"
import {
  addressOf,
  FIRST_QUERY,
  fieldOf,
  holderOf,
  isReserved,
  QUERY,
  SCTP,
  slotOf,
  slotOfEnd,
  TCP,
  UDP,
  WHOLE,
} from "./end.ts"
import { internalWordOf, slotOfInternal } from "./internal.ts"
import { Flag, FULL, MAPPING, MappingWord, PORTS, type Step } from "./layout.ts"
import type { Realm } from "./mapping.ts"
import { isOwn, mayReclaim, type Owner } from "./owner.ts"
import type { PortRange } from "./rule.ts"
import type { CgnConfig } from "./settings.ts"

/**
 * Which external ports are taken. Every external address has five sets: UDP's, TCP's and SCTP's ports, the protocols that
 * are mapped as a whole, and identifiers of ICMP queries. All but the protocols also say when an address has no port
 * left to choose. A set's number is its slot.
 */
const SETS = 6

/** Sets of ports that are chosen from. */
const CHOSEN = [UDP, TCP, SCTP, QUERY] as const

/** What NAT-PMP is served from, as it must hold the companion port free (RFC 6886 section 3.3): what is free in UDP and TCP. */
const BOTH = 4

const setFor = (owner: Owner): number => (owner.natPmp ? BOTH : slotOfInternal(owner))

const portSet = (address: number, set: number): number => address * SETS + set

/** How many ports of one address a set can have taken out of those that are chosen from. */
const capacity = (config: CgnConfig, set: number): number => (isUdp(set) ? config.udpPortCount : config.portCount)

const isUdp = (set: number): boolean => set === UDP || set === BOTH

/** The first free port from `start` on, cyclically, of those that are chosen from, or -1; never a scan of a full set. */
const freePort = (
  step: Step,
  address: number,
  set: number,
  start: number,
  ports: PortRange = step.config.ports,
): number => {
  const { last } = ports
  const first = set === QUERY ? Math.max(FIRST_QUERY, ports.first) : ports.first
  if (first > last) return -1
  let port = nextPort(step.table, address, set, Math.max(first, start), first, last)
  // Only 5350 and 5351 are reserved, so that the third step finds another or comes round.
  for (let steps = 0; port >= 0 && isReserved(isUdp(set), port); steps++) {
    if (steps === 3) return -1
    port = nextPort(step.table, address, set, port + 1 > last ? first : port + 1, first, last)
  }
  return port
}

const nextPort = (table: Table, address: number, set: number, from: number, first: number, last: number): number =>
  set === BOTH
    ? nextFreeInBoth(table, PORTS, portSet(address, UDP), portSet(address, TCP), from, first, last)
    : nextFree(table, PORTS, portSet(address, set), from, first, last)

/** The first port of a slot that nobody has on an address, from `from` on, cyclically between `first` and `last`; -1: none. */
export const nextFreePort = (
  { table }: Step,
  address: number,
  slot: number,
  from: number,
  first: number,
  last: number,
): number => nextPort(table, address, slot, from > last ? first : from, first, last)

/** Does the whole of a protocol on this address belong to somebody, so that strangers find no port of this set there? */
const isBlocked = (step: Step, address: number, set: number): boolean => {
  if (!step.config.whole) return false
  const { table } = step
  const wholes = portSet(address, WHOLE)
  if (isTaken(table, PORTS, wholes, 0)) return true
  const [udp, tcp, sctp, icmp] = [17, 6, 132, 1]
  if (isUdp(set) && isTaken(table, PORTS, wholes, udp)) return true
  if (set === TCP && isTaken(table, PORTS, wholes, tcp)) return true
  if (set === QUERY) return isTaken(table, PORTS, wholes, icmp)
  return set === SCTP && isTaken(table, PORTS, wholes, sctp)
}

/** Notes whether an address has anything left to choose from in a set. */
const refreshFull = (step: Step, address: number, set: number): void => {
  const full =
    !step.config.inPool[address] ||
    isBlocked(step, address, set) ||
    freePort(step, address, set, step.config.ports.first) < 0
  if (full) take(step.table, FULL, set, address)
  else give(step.table, FULL, set, address)
}

/** The same for all its sets: after the pool, the range of ports or a whole protocol changed. */
export const refreshAddress = (step: Step, address: number): void => {
  for (const set of CHOSEN) refreshFull(step, address, set)
}

const mark = (step: Step, address: number, set: number, port: number, taken: boolean): void => {
  const { table, config } = step
  if (isReserved(isUdp(set), port)) return
  if (taken) {
    const count = take(table, PORTS, portSet(address, set), port)
    if (count >= capacity(config, set)) refreshFull(step, address, set)
  } else if (give(table, PORTS, portSet(address, set), port) >= 0 && isTaken(table, FULL, set, address))
    refreshFull(step, address, set)
}

/** Notes in the sets that a new mapping has an external end; one of NAT-PMP's needs {@link refreshEnd} then. */
export const takeEnd = (step: Step, address: number, slot: number, field: number): void => {
  if (slot === WHOLE) {
    take(step.table, PORTS, portSet(address, WHOLE), field)
    refreshAddress(step, address)
    return
  }
  mark(step, address, slot, field, true)
}

/** Brings the sets up to date with who holds a port, after a mapping came, went or changed its origin. */
export const refreshEnd = (step: Step, end: number): void => {
  const { table } = step
  const address = addressOf(end)
  const slot = slotOfEnd(end)
  const port = end & 0xffff
  if (slot === WHOLE) {
    const holder = holderOf(table, address, WHOLE, port)
    if (holder !== 0) take(table, PORTS, portSet(address, WHOLE), port)
    else give(table, PORTS, portSet(address, WHOLE), port)
    refreshAddress(step, address)
    return
  }
  if (slot === SCTP || slot === QUERY) {
    mark(step, address, slot, port, holderOf(table, address, slot, port) !== 0)
    return
  }
  const udp = holderOf(table, address, UDP, port)
  const tcp = holderOf(table, address, TCP, port)
  // A port is taken for strangers also while NAT-PMP reserves it as the companion of the other protocol's.
  mark(step, address, UDP, port, udp !== 0 || (tcp !== 0 && isNatPmp(table, tcp)))
  mark(step, address, TCP, port, tcp !== 0 || (udp !== 0 && isNatPmp(table, udp)))
}

const isNatPmp = (table: Table, row: number): boolean =>
  word(table, MAPPING, row, MappingWord.SUBSCRIBER) !== 0 &&
  (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.NATPMP) !== 0

/** May this owner have just this external end, be it his to reclaim? The range of the ports is the caller's to look at. */
export const isAvailable = (step: Step, address: number, slot: number, field: number, owner: Owner): boolean => {
  const { table, config } = step
  const holder = holderOf(table, address, slot, field)
  if (holder !== 0 && !mayReclaim(step, holder, owner)) return false
  if (slot === WHOLE) return isWholeFree(step, address, field, owner)
  if (isReserved(slot === UDP, field) || (slot === QUERY && field < FIRST_QUERY)) return false
  if (config.whole)
    for (const protocol of [owner.protocol, 0]) {
      const whole = holderOf(table, address, WHOLE, protocol)
      if (whole !== 0 && !isOwn(step, whole, owner)) return false
    }
  if (slot === SCTP || slot === QUERY) return true
  const companion = holderOf(table, address, slot === UDP ? TCP : UDP, field)
  if (companion === 0 || isOwn(step, companion, owner)) return true
  return !owner.natPmp && !isNatPmp(table, companion)
}

/** Is a protocol (0: all of them) free on an address in its entirety, but for what is the owner's as a whole? */
const isWholeFree = (step: Step, address: number, protocol: number, owner: Owner): boolean => {
  const { table } = step
  const count = (set: number): number => takenCount(table, PORTS, portSet(address, set))
  if (protocol === 0) {
    const own = holderOf(table, address, WHOLE, 0) === 0 ? 0 : 1
    return count(UDP) + count(TCP) + count(SCTP) + count(QUERY) === 0 && count(WHOLE) === own
  }
  const all = holderOf(table, address, WHOLE, 0)
  if (all !== 0 && !isOwn(step, all, owner)) return false
  const set = slotOf(protocol, 1)
  return set < 0 || count(set) === 0
}

export const isInRange = (config: CgnConfig, port: number): boolean =>
  port >= config.ports.first && port <= config.ports.last

const words = new Int32Array(14)

/**
 * SipHash-2-4 under the port key: even from outside, the same again from the same state (RFC 6056 section 3.3.3). Of an
 * IPv4 address one word, of any other four, then those of the realm, then the rest if it is not `undefined`, then `of`, a
 * remote peer, in five: what may differ in what it is has another length.
 */
const hashHost = (
  config: CgnConfig,
  internal: Address,
  realm: Realm | undefined,
  end: number | undefined,
  of?: MappedEnd,
): number => {
  let count = 0
  if (realm === undefined && isIpv4(internal)) words[count++] = addressWord(internal, 3)
  else for (const i of [0, 1, 2, 3] as const) words[count++] = addressWord(internal, i)
  if (realm !== undefined) for (const i of [0, 1, 2, 3] as const) words[count++] = addressWord(realm, i)
  if (end !== undefined) words[count++] = end
  if (of?.remote !== undefined) {
    for (const i of [0, 1, 2, 3] as const) words[count++] = addressWord(of.remote, i)
    words[count++] = remoteWord(of)
  }
  return siphash24(config.portKey, words, count) >>> 0
}

/** The number of the pool address that a subscriber without mappings is paired with: the same for all its internal ends. */
export const pairedAddress = (config: CgnConfig, internal: Address, realm: Realm | undefined): number =>
  config.pool[hashHost(config, internal, realm, undefined) % config.pool.length]

/** The hash of an internal end, its protocol and port in one word, signed: from which its external port is chosen. */
export const hashInternalEnd = (
  config: CgnConfig,
  internal: Address,
  realm: Realm | undefined,
  internalWord: number,
): number => hashHost(config, internal, realm, internalWord) | 0

/** The same of a mapping's end; of one that is of a remote peer alone, of that too (RFC 6056 section 3.3.3). Unsigned. */
export const hashEnd = (config: CgnConfig, end: MappedEnd): number => {
  return hashHost(config, end.internal, end.realm, internalWordOf(end), end.dependence === undefined ? undefined : end)
}

/** Is any port of a slot, from `first` to `last`, in its set, and which is the first? -1: none is. */
export const firstMarked = (step: Step, address: number, slot: number, first: number, last: number): number =>
  nextTaken(step.table, PORTS, portSet(address, slot), first, last)

/** A free port of this address, of these ports of it, for the owner by the keyed hash; -1 when there is none left. */
export const choosePort = (step: Step, address: number, owner: Owner, ports: PortRange = step.config.ports): number => {
  const { table, config } = step
  const set = setFor(owner)
  const { first, last } = ports
  const start = first + (hashEnd(config, owner) % (last - first + 1))
  if (isFull(table, address, set) && !(config.inPool[address] && hasWhole(step, address, owner))) return -1
  return freePort(step, address, set, start, ports)
}

/** The next free port of an address, of these ports of it, from `from` on, cyclically, or -1. */
export const nextStart = (
  step: Step,
  address: number,
  owner: Owner,
  from: number,
  ports: PortRange = step.config.ports,
): number => {
  const set = setFor(owner)
  return isFull(step.table, address, set) ? -1 : freePort(step, address, set, from, ports)
}

/** Has an address surely nothing left to choose from in a set? Of BOTH, it may have nothing left though neither is full. */
const isFull = (table: Table, address: number, set: number): boolean =>
  set === BOTH
    ? isTaken(table, FULL, UDP, address) || isTaken(table, FULL, TCP, address)
    : isTaken(table, FULL, set, address)

/** Does the owner have the protocol of what he asks as a whole on this address, which is full for everybody else then? */
const hasWhole = (step: Step, address: number, owner: Owner): boolean => {
  if (!step.config.whole) return false
  const holders = [owner.protocol, 0].map((protocol) => holderOf(step.table, address, WHOLE, protocol))
  return holders.some((row) => row !== 0) && holders.every((row) => row === 0 || isOwn(step, row, owner))
}

/** The first address of the pool from `start` on, cyclically, that has a port free for this protocol, or -1. */
export const chooseAddress = (step: Step, start: number, owner: Owner): number => {
  const { table, config } = step
  const last = config.addresses.length - 1
  const set = setFor(owner)
  if (set !== BOTH) return nextFree(table, FULL, set, start, 0, last)
  let address = start
  for (let n = 0; n < ADDRESSES; n++) {
    address = nextFreeInBoth(table, FULL, UDP, TCP, address, 0, last)
    if (address < 0 || freePort(step, address, BOTH, config.ports.first) >= 0) return address
    address = address === last ? 0 : address + 1
  }
  return -1
}

/** Addresses looked at for a port that is free in UDP and TCP, where each of these has some, but not the same. */
const ADDRESSES = 64

/** Is an external end in its set? Whoever has one is; so is a companion that NAT-PMP reserves. */
export const isMarked = (step: Step, address: number, slot: number, field: number): boolean =>
  isTaken(step.table, PORTS, portSet(address, slot), field)

/** The field of an owner's end at a port. */
export const fieldFor = (owner: Owner, port: number): number => fieldOf(slotOfInternal(owner), owner.protocol, port)

type Use = { readonly taken: number; readonly ports: number }

/** Ports that can be chosen from, and those of them in use or held, in all of the pool. */
export const poolUse = (step: Step): { readonly udp: Use; readonly tcp: Use } => {
  const { table, config } = step
  const use = (set: number): Use => {
    let taken = 0
    for (const number of config.pool) taken += takenCount(table, PORTS, portSet(number, set))
    return { taken, ports: config.pool.length * capacity(config, set) }
  }
  return { udp: use(UDP), tcp: use(TCP) }
}
