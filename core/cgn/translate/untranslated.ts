import { addressWord, isIpv4 } from "../../wire/index.ts"
import type { Step } from "../layout.ts"
import {
  type Allocate,
  destinationAddress,
  type Flow,
  flowOf,
  type IpPacket,
  isHost,
  KEEP,
  rewrite,
  subjectOf,
} from "../packet/index.ts"
import type { Side } from "../passage.ts"
import { isInPrefix, type PortRange, type Prefix } from "../rule.ts"
import { type Ended, no, stopped } from "./ends.ts"

/** Destinations outside that internal hosts reach, and are reached from, with their internal addresses (RFC 6888 REQ-6). */
export interface Untranslated {
  /** IPv4 prefixes have 96 to 128 bits. */
  readonly prefix: Prefix
  /** IANA protocol number; `undefined`: all. */
  readonly protocol?: number | undefined
  /** Their ports, of protocols that have some; `undefined`: all, and whatever has none. */
  readonly ports?: PortRange | undefined
}

/**
 * A packet to or from a destination that is not translated, as a router passes it on; `undefined`: it is of no such. What comes
 * with a realm is not, since answers could not be told apart, nor what is for an external address of the CGN's. It makes no
 * mapping and keeps none.
 */
export const passPlain = (
  { config }: Step,
  packet: IpPacket,
  side: Side,
  realm: string | undefined,
  allocate: Allocate,
): Ended | undefined => {
  const { untranslated } = config.translation
  if (untranslated.length === 0 || realm !== undefined || packet.version !== 4) return undefined
  const flow = flowOf(packet)
  const [there, port] = side === "inside" ? [flow.destination, flow.destinationPort] : [flow.source, flow.sourcePort]
  if (!untranslated.some((one) => isOf(one, flow, packet, there, port))) return undefined
  if (isOwn(flow.source, config.addressWords) || isOwn(flow.destination, config.addressWords)) return undefined
  if (!isHost(flow.source)) return no("illegal-source")
  if (!isHost(flow.destination)) return no("not-served")
  // An error goes to whom its packet came from: it is not rewritten, and else would reach any internal host.
  if (packet.embedded !== undefined && destinationAddress(packet) !== flow.destination) return no("no-flow")
  const made = rewrite(packet, KEEP, 1, allocate)
  return made.ok ? { ok: true, packets: [made.bytes], realm: undefined } : stopped(made)
}

const isOwn = (address: Flow["source"], own: ReadonlyMap<number, number>): boolean =>
  isIpv4(address) && own.has(addressWord(address, 3))

const isOf = (
  { prefix, protocol, ports }: Untranslated,
  flow: Flow,
  packet: IpPacket,
  there: Flow["source"],
  port: number,
): boolean =>
  isInPrefix(there, prefix) &&
  (protocol === undefined || protocol === flow.protocol) &&
  (ports === undefined || (subjectOf(packet).content === "ports" && ports.first <= port && port <= ports.last))
