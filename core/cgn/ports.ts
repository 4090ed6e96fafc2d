import { find, give, isTaken, keyOf, nextFree, siphash24, type Table, take, word } from "../table/index.ts"
import { type Address, addressWord, CLIENT_PORT, Protocol, SERVER_PORT } from "../wire/index.ts"
import { Flag, FULL, MAPPING, MappingWord, PORTS, type Step } from "./layout.ts"
import type { CgnConfig } from "./settings.ts"

/**
 * External ports: who has which, and choosing one. Every address of the pool has three sets of taken ports: UDP's, TCP's,
 * and those taken in either, from which NAT-PMP is served, as it must hold the companion port free (RFC 6886 section 3.3).
 */
const UDP = 0
const TCP = 1
const EITHER = 2

/** The number of a protocol's set; -1 when a NAT44 of TCP and UDP does not translate it. */
export const slotOf = (protocol: number): number =>
  protocol === Protocol.UDP ? UDP : protocol === Protocol.TCP ? TCP : -1

/** An external end in one word, 31 bits: the address's number, the protocol's slot (UDP or TCP), the port. */
export const endWord = (address: number, slot: number, port: number): number => (address << 17) | (slot << 16) | port
/** The number of an external end's address. */
export const addressOf = (end: number): number => end >>> 17
/** The port of an external end. */
export const portOf = (end: number): number => end & 0xffff

const portSet = (address: number, slot: number): number => address * 3 + slot

/** The mapping row that has this external end, or 0. */
export const holderOf = (table: Table, address: number, slot: number, port: number): number => {
  keyOf(table, MAPPING, 1)[0] = endWord(address, slot, port)
  return find(table, MAPPING, 1)
}

/** RFC 6887 section 11.3: never map external UDP ports 5350 and 5351 (S-49). */
const isReserved = (slot: number, port: number): boolean =>
  slot !== TCP && (port === CLIENT_PORT || port === SERVER_PORT)

/** How many ports of one address a slot can have taken. */
const capacity = (config: CgnConfig, slot: number): number => {
  const { first, last } = config.ports
  let size = last - first + 1
  if (slot !== TCP) {
    if (first <= CLIENT_PORT && CLIENT_PORT <= last) size--
    if (first <= SERVER_PORT && SERVER_PORT <= last) size--
  }
  return size
}

/** Notes in the sets of taken ports that a new mapping has an external end; one of NAT-PMP's needs {@link refreshEnd} then. */
export const takeEnd = (step: Step, address: number, slot: number, port: number): void => {
  mark(step, address, slot, port, true)
  mark(step, address, EITHER, port, true)
}

/** Brings the sets up to date with who holds a port, after a mapping came, went or changed its origin. */
export const refreshEnd = (step: Step, end: number): void => {
  const { table } = step
  const address = addressOf(end)
  const port = portOf(end)
  const udp = holderOf(table, address, UDP, port)
  const tcp = holderOf(table, address, TCP, port)
  // A port is taken for strangers also while NAT-PMP reserves it as the companion of the other protocol's.
  mark(step, address, UDP, port, udp !== 0 || (tcp !== 0 && isNatPmp(table, tcp)))
  mark(step, address, TCP, port, tcp !== 0 || (udp !== 0 && isNatPmp(table, udp)))
  mark(step, address, EITHER, port, udp !== 0 || tcp !== 0)
}

const mark = (step: Step, address: number, slot: number, port: number, taken: boolean): void => {
  const { table, config } = step
  // Reserved ports are not in the capacity, so a TCP mapping of one must not count towards it.
  if (isReserved(slot, port)) return
  const set = portSet(address, slot)
  if (taken) {
    if (take(table, PORTS, set, port) >= capacity(config, slot)) take(table, FULL, slot, address)
  } else if (give(table, PORTS, set, port) === capacity(config, slot) - 1) give(table, FULL, slot, address)
}

const isNatPmp = (table: Table, row: number): boolean =>
  (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.NATPMP) !== 0

const isOf = (table: Table, row: number, subscriber: number): boolean =>
  word(table, MAPPING, row, MappingWord.SUBSCRIBER) === subscriber

/** May `subscriber` (0: one with no row yet) have just this external end? */
export const isAvailable = (
  step: Step,
  address: number,
  slot: number,
  port: number,
  subscriber: number,
  natPmp: boolean,
): boolean => {
  const { table, config } = step
  if (port < config.ports.first || port > config.ports.last || isReserved(slot, port)) return false
  if (holderOf(table, address, slot, port) !== 0) return false
  const companion = holderOf(table, address, slot === UDP ? TCP : UDP, port)
  if (companion === 0 || isOf(table, companion, subscriber)) return true
  return !natPmp && !isNatPmp(table, companion)
}

const words = new Int32Array(7)

/** SipHash-2-4 of the internal end under the port key: even from outside, the same again from the same state (RFC 6056 section 3.3.3). */
const hashEnd = (config: CgnConfig, internal: Address, protocol: number, port: number, purpose: number): number => {
  words[0] = addressWord(internal, 0)
  words[1] = addressWord(internal, 1)
  words[2] = addressWord(internal, 2)
  words[3] = addressWord(internal, 3)
  words[4] = (protocol << 16) | port
  words[5] = purpose
  return siphash24(config.portKey, words, 6) >>> 0
}

const FOR_ADDRESS = 1
const FOR_PORT = 2

/** The number of the pool address that a subscriber without mappings is paired with: the same for all its internal ends. */
export const pairedAddress = (config: CgnConfig, internal: Address): number =>
  config.pool[hashEnd(config, internal, 0, 0, FOR_ADDRESS) % config.pool.length]

/** A free port of this address by the keyed hash, or -1 when it has none left; never a scan of a full set. */
export const choosePort = (
  step: Step,
  address: number,
  internal: Address,
  protocol: number,
  internalPort: number,
  natPmp: boolean,
): number => {
  const { table, config } = step
  const slot = natPmp ? EITHER : slotOf(protocol)
  // A range of reserved ports alone has room for nobody, and is not marked full as nothing was ever taken in it.
  if (isTaken(table, FULL, slot, address) || capacity(config, slot) === 0) return -1
  const { first, last } = config.ports
  const start = first + (hashEnd(config, internal, protocol, internalPort, FOR_PORT) % (last - first + 1))
  const set = portSet(address, slot)
  let port = nextFree(table, PORTS, set, start, first, last)
  // At most two steps: only 5350 and 5351 are reserved, and the address is not full without them.
  while (port >= 0 && isReserved(slot, port))
    port = nextFree(table, PORTS, set, port + 1 > last ? first : port + 1, first, last)
  return port
}

/** The first address of the pool from `start` on, cyclically, that has a port free for this protocol, or -1. */
export const chooseAddress = (step: Step, start: number, protocol: number, natPmp: boolean): number =>
  nextFree(step.table, FULL, natPmp ? EITHER : slotOf(protocol), start, 0, step.config.addresses.length - 1)
