import { find, keyOf, nextDue, word } from "../../table/index.ts"
import { i32, Protocol, u16 } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import { idleDeadline, isStatic } from "../deadline.ts"
import { dependentOf, internalPortOf } from "../dependent.ts"
import { addressOf, holderOf, portOf, TCP, UDP } from "../end.ts"
import {
  type CgnState,
  deadlineOf,
  instantOf,
  MAPPING,
  MappingWord,
  type Step,
  SUBSCRIBER,
  Subscriber,
} from "../layout.ts"
import type { Realm } from "../mapping.ts"
import { isHeld } from "../owner.ts"
import {
  type Allocate,
  copyPlain,
  isGlobal,
  isLegalIpv4Source,
  MIN_IPV6_MTU,
  PlainEnd,
  plainIpv4,
  plainIpv6,
  plainToIpv4,
  plainToIpv6,
  readdress,
  TcpFlag,
  WELL_KNOWN_PREFIX,
} from "../packet/index.ts"
import type { Out, Passage, Passed, Side } from "../passage.ts"
import { sealed, stepOf } from "../step.ts"
import { findRealm, realmAt } from "../subscriber.ts"
import { admitsAll, remembersPeers } from "./admit.ts"
import { identificationOf } from "./ends.ts"
import { prolongImplicit, timeoutOf } from "./keep.ts"
import { sessionConnection, sessionDeadline, sessionOf } from "./session.ts"

/**
 * The short way of nearly all packets of a NAPT44 or NAT64: a plain one, by a mapping and, where it takes one, a session that
 * are there and stay as they are, but for the mapping's deadline. Words are read where they stand in the packet and
 * in the table, and nothing is made but what comes out. `undefined`: one that goes the long way, which has the same answer for
 * every packet that can go this one. `owned`: the packet's octets may be written over.
 */
export const passEstablished = (
  state: CgnState,
  passage: Passage,
  allocate: Allocate,
  owned: boolean,
): Passed<CgnState> | undefined => {
  const { inside, untranslated } = state.config.translation
  const { kind } = inside
  if (kind === "dslite" || untranslated.length !== 0 || state.config.addressDependent) return undefined
  if (passage.side === "outside") return inwards(state, passage, allocate, owned)
  return kind === "ipv4" ? outwards4(state, passage, allocate, owned) : outwards6(state, passage, allocate)
}

/** What a step leaves behind it that lets a packet go on. */
export const passed = (state: CgnState, step: Step, out: Out, changes: readonly Change[]): Passed<CgnState> => {
  if (changes.length === 0) return { state, out, changes, next: undefined }
  return { state: sealed(step), out, changes, next: dueOf(step) }
}

/** When `expire` has something to do, milliseconds; `undefined`: never. */
export const dueOf = ({ table, config }: Step): number | undefined => {
  const due = nextDue(table)
  return due === undefined ? undefined : instantOf(config, due)
}

/** Does a TCP segment begin or end something? */
const isTurn = (bytes: Uint8Array, protocol: number, transport: number): boolean =>
  protocol === Protocol.TCP && (bytes[transport + 13] & (TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST)) !== 0

const outwards4 = (
  state: CgnState,
  { bytes, now, realm }: Passage,
  allocate: Allocate,
  owned: boolean,
): Passed<CgnState> | undefined => {
  const { config } = state
  const protocol = plainIpv4(bytes)
  if (protocol === 0 || isTurn(bytes, protocol, 20) || u16(bytes, 2) > config.translation.mtu.outside) return undefined
  const source = i32(bytes, 12)
  const destination = i32(bytes, 16)
  if (!isLegalIpv4Source(source) || config.addressWords.has(source)) return undefined
  if (!isLegalIpv4Source(destination) || config.addressWords.has(destination)) return undefined
  const step = stepOf(state, now)
  const port = u16(bytes, 20)
  const row = rowOf(step, realm, protocol, port, 0, 0, 0xffff, source)
  if (row === 0) return undefined
  const needed = protocol === Protocol.TCP || remembersPeers(step, row)
  const ports = (port << 16) | u16(bytes, 22)
  const session = needed ? sessionOf(step.table, row, protocol, ports, 0, 0, 0xffff, destination) : UNNEEDED
  const deadline = isMet(step, row) ? lasting(step, protocol, session) : -1
  if (deadline < 0) return undefined
  const end = word(step.table, MAPPING, row, MappingWord.EXTERNAL)
  const out = owned ? whole(bytes) : copyPlain(bytes, allocate)
  readdress(out, PlainEnd.SOURCE, config.addressBits[addressOf(end)], portOf(end))
  return goOn(state, step, row, deadline, "outside", out, undefined)
}

const outwards6 = (
  state: CgnState,
  { bytes, now, realm }: Passage,
  allocate: Allocate,
): Passed<CgnState> | undefined => {
  const { config } = state
  const { prefix96 } = config
  const protocol = plainIpv6(bytes)
  if (prefix96 === undefined || protocol === 0 || isTurn(bytes, protocol, 40)) return undefined
  const total = 40 + u16(bytes, 4)
  if (total - 20 > config.translation.mtu.outside) return undefined
  if (!isBehind(bytes, 24, prefix96) || isBehind(bytes, 8, prefix96)) return undefined
  const destination = i32(bytes, 36)
  if (!isEmbedded(state, destination) || !isLegalIpv4Source(destination) || config.addressWords.has(destination))
    return undefined
  const step = stepOf(state, now)
  const port = u16(bytes, 40)
  const row = rowOf(step, realm, protocol, port, i32(bytes, 8), i32(bytes, 12), i32(bytes, 16), i32(bytes, 20))
  if (row === 0) return undefined
  const needed = protocol === Protocol.TCP || remembersPeers(step, row)
  const ports = (port << 16) | u16(bytes, 42)
  const [p0, p1, p2] = prefix96
  const session = needed ? sessionOf(step.table, row, protocol, ports, p0, p1, p2, destination) : UNNEEDED
  const deadline = isMet(step, row) ? lasting(step, protocol, session) : -1
  if (deadline < 0) return undefined
  const end = word(step.table, MAPPING, row, MappingWord.EXTERNAL)
  const id = identificationOf(u16(bytes, protocol === Protocol.TCP ? 56 : 46), total)
  const out = plainToIpv4(bytes, config.addressBits[addressOf(end)], portOf(end), destination, id, allocate)
  return goOn(state, step, row, deadline, "outside", out, undefined)
}

const inwards = (
  state: CgnState,
  { bytes, now }: Passage,
  allocate: Allocate,
  owned: boolean,
): Passed<CgnState> | undefined => {
  const { config } = state
  const { inside, mtu } = config.translation
  const protocol = plainIpv4(bytes)
  if (protocol === 0 || isTurn(bytes, protocol, 20)) return undefined
  const to6 = inside.kind === "nat64"
  const prefix = to6 ? config.prefix96 : MAPPED
  const source = i32(bytes, 12)
  const address = config.addressWords.get(i32(bytes, 16))
  const port = u16(bytes, 22)
  if (prefix === undefined || address === undefined || port === 0) return undefined
  if (!isLegalIpv4Source(source) || config.addressWords.has(source)) return undefined
  const total = u16(bytes, 2)
  if (to6 ? !goesTo6(state, bytes, protocol, total, source) : total > mtu.inside) return undefined
  const step = stepOf(state, now)
  const { table } = step
  const row = holderOf(table, address, protocol === Protocol.TCP ? TCP : UDP, port)
  if (row === 0 || isHeld(table, row)) return undefined
  // One of a single remote peer, of other settings than today's, is not for here.
  if (dependentOf(table, row) !== 0) return undefined
  const internalPort = internalPortOf(table, row)
  const ports = (internalPort << 16) | u16(bytes, 20)
  const [p0, p1, p2] = prefix
  if (!admitsAll(step, row, protocol)) {
    if (idleDeadline(step, row) === 0) return undefined
    if (sessionDeadline(step, sessionOf(table, row, protocol, ports, p0, p1, p2, source)) === 0) return undefined
  }
  let deadline = 0
  if (config.translation.refresh === "both") {
    const isTcp = protocol === Protocol.TCP
    const session = isTcp ? sessionOf(table, row, protocol, ports, p0, p1, p2, source) : UNNEEDED
    deadline = lasting(step, protocol, session)
    if (deadline < 0) return undefined
  }
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const realm = realmAt(table, word(table, SUBSCRIBER, subscriber, Subscriber.REALM))
  const d3 = word(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS + 3)
  if (!to6) {
    const out = owned ? whole(bytes) : copyPlain(bytes, allocate)
    readdress(out, PlainEnd.DESTINATION, d3, internalPort)
    return goOn(state, step, row, deadline, "inside", out, realm)
  }
  const d0 = word(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS)
  const d1 = word(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS + 1)
  const d2 = word(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS + 2)
  const out = plainToIpv6(bytes, prefix, d0, d1, d2, d3, internalPort, allocate)
  return goOn(state, step, row, deadline, "inside", out, realm)
}

/** The first three words of an IPv4 address as mappings have it. */
const MAPPED: readonly number[] = [0, 0, 0xffff]

/** Has a NAT64 no more to do than translate: a source for its prefix, a checksum, an IPv6 packet that is as long as it may be? */
const goesTo6 = (state: CgnState, bytes: Uint8Array, protocol: number, total: number, source: number): boolean => {
  const marked = (bytes[6] & 0x40) !== 0
  if (total + 20 > state.config.translation.mtu.inside || (total + 20 > MIN_IPV6_MTU && !marked)) return false
  if (protocol === Protocol.UDP && u16(bytes, 26) === 0) return false
  return isEmbedded(state, source)
}

/** May this IPv4 address stand behind the NAT64's prefix (RFC 6052 section 3.1)? */
const isEmbedded = ({ config }: CgnState, address: number): boolean => {
  const { inside } = config.translation
  return inside.kind === "nat64" && (inside.prefix.address !== WELL_KNOWN_PREFIX.address || isGlobal(address))
}

const isBehind = (bytes: Uint8Array, at: number, prefix: readonly number[]): boolean =>
  i32(bytes, at) === prefix[0] && i32(bytes, at + 4) === prefix[1] && i32(bytes, at + 8) === prefix[2]

/** The packet in its own bytes, without what lies behind. */
const whole = (bytes: Uint8Array): Uint8Array => {
  const total = u16(bytes, 2)
  return total === bytes.length ? bytes : bytes.subarray(0, total)
}

/** The mapping row of an internal port, or 0. */
const rowOf = (
  { table }: Step,
  realm: Realm | undefined,
  protocol: number,
  port: number,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
): number => {
  const inRealm = findRealm(table, realm)
  if (inRealm < 0 || port === 0) return 0
  const key = keyOf(table, MAPPING)
  key[0] = a0
  key[1] = a1
  key[2] = a2
  key[3] = a3
  key[4] = inRealm
  key[5] = (protocol << 16) | port
  return find(table, MAPPING)
}

/**
 * Is the administrator's mapping or a live implicit one in this row? Asked after its session was looked for, which lies
 * elsewhere: so the processor fetches both at once.
 */
const isMet = (step: Step, row: number): boolean => idleDeadline(step, row) !== 0 || isStatic(step.table, row)

/** In place of the session of a packet that needs none. */
const UNNEEDED = -1

/**
 * The second until which a packet has its implicit mapping last. Negative: its session is not there, is of a connection that is
 * not established, or needs a later deadline.
 */
const lasting = (step: Step, protocol: number, session: number): number => {
  const deadline = deadlineOf(step.config, step.now, timeoutOf(step, protocol))
  if (session === UNNEEDED) return deadline
  if (sessionDeadline(step, session) < deadline) return -1
  return protocol !== Protocol.TCP || sessionConnection(step.table, session) === "established" ? deadline : -1
}

/** `deadline` is 0 where the packet does not have its mapping last. */
const goOn = (
  state: CgnState,
  step: Step,
  row: number,
  deadline: number,
  side: Side,
  packet: Uint8Array,
  realm: Realm | undefined,
): Passed<CgnState> => {
  const changes: Change[] = []
  if (deadline !== 0) prolongImplicit(step, row, deadline, side === "outside" ? "inside" : "outside", changes)
  return passed(state, step, { kind: "forwarded", side, packets: [packet], realm }, changes)
}
