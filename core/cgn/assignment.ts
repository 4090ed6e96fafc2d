import { isIpv4 } from "../wire/index.ts"
import { planDeterministic } from "./deterministic.ts"
import { isInPrefix, type PortRange, type Prefix } from "./rule.ts"

/**
 * How external ports are assigned to UDP, TCP and ICMP queries, and so what a log needs to have in it for `who` to find
 * out whose an external port was. SCTP's ports are not rewritten and whole protocols have none: these, and what the
 * administrator maps, are mappings of their own in every log.
 *
 * - `random`: any port of the range, by a keyed hash of the internal end (RFC 6056 section 3.3.3); a record a mapping.
 * - `blocks`: {@link BlockAssignment}; a record a block (RFC 6888 REQ-14).
 * - `deterministic`: {@link DeterministicAssignment}; no record but of the settings (RFC 7422).
 */
export type Assignment = { readonly kind: "random" } | BlockAssignment | DeterministicAssignment

/**
 * A subscriber has blocks of so many consecutive ports of one external address, the same for UDP, TCP and identifiers of ICMP
 * queries: one from its first mapping on, another when a mapping finds no port in those that it has, up to `limit`. A
 * block goes back with the last mapping in it, held ends among them (S-136).
 *
 * Whose a block is: the subscriber of the subscriber quota, all internal addresses of one `subscriberPrefix` or of one realm
 * (RFC 7422 section 2: "an internal IPv4 address or an IPv6 prefix"). For an IPv4 host that is its address. A host of a
 * NAT64 changes its address each day and has several (RFC 8981), and hosts behind one B4 are one line of the operator's:
 * a block for each address would take many times the ports, and tell the log nothing more.
 */
export interface BlockAssignment {
  readonly kind: "blocks"
  /** Ports a block: 16 or more. */
  readonly size: number
  /** Blocks that one subscriber may have, 1 to {@link MOST_BLOCKS}. */
  readonly limit: number
}

/** RFC 7422 section 2, its variables by name: O is the pool, and R all that is not in the range of ports. */
export interface DeterministicAssignment {
  readonly kind: "deterministic"
  /**
   * I: where internal hosts are; others get no mapping. Subscribers, so many bits as `subscriberPrefix` says, count from the
   * first prefix on; of an IPv4 prefix the first and last address are nobody's, as in section 2.3.
   */
  readonly internal: readonly Prefix[]
  /** The prefixes are of realms, such as the B4s of DS-Lite, not of internal addresses. Default off. */
  readonly realms?: boolean | undefined
  /** C: subscribers an external address. Default as few as have room in the pool. */
  readonly ratio?: number | undefined
  /** The dynamic pool, for those whose range is full. Default none. */
  readonly dynamic?: DynamicPool | undefined
}

/** The part of each external address that no range has, in blocks as of {@link BlockAssignment}. */
export interface DynamicPool {
  /** D: so many ranges of each address are left out for it. */
  readonly factor: number
  /** Ports a block. */
  readonly size: number
  /** M: ports that one subscriber may have, its range among them. */
  readonly maximum: number
}

/** Blocks that one subscriber may have: each is looked at when the others are full. */
export const MOST_BLOCKS = 256

/** Fewest ports of a block: even with the two that are nobody's in UDP there is room in it. */
export const LEAST_BLOCK = 16

/** Bits of a subscriber's number in one internal prefix: more than any pool has ports. */
export const MOST_BITS = 30

/** Where on each external address blocks are. */
export interface BlockLayout {
  /** First port of the first block. */
  readonly first: number
  /** Ports of one block. */
  readonly size: number
  /** Blocks of one address. */
  readonly count: number
  /** Blocks that one subscriber may have. */
  readonly limit: number
}

/** What an assignment is worked out from. */
export interface AssignmentSettings {
  /** How ports are assigned. */
  readonly assignment: Assignment
  /** The pool; only how many there are counts here. */
  readonly external: readonly unknown[]
  /** The ports of each address that can be assigned. */
  readonly ports: PortRange
  /** Bits of an internal address that tell subscribers apart, of each family. */
  readonly subscriberPrefix: { readonly ipv4: number; readonly ipv6: number }
}

/** Where blocks are with these settings, which have been checked; `undefined`: there are none. */
export const layoutBlocks = (settings: AssignmentSettings): BlockLayout | undefined => {
  const { assignment, ports } = settings
  if (assignment.kind === "random") return undefined
  if (assignment.kind === "blocks") {
    const { size, limit } = assignment
    return { first: ports.first, size, count: Math.floor((ports.last - ports.first + 1) / size), limit }
  }
  const plan = planDeterministic(settings)
  const { dynamic } = assignment
  if (plan === undefined || dynamic === undefined) return undefined
  const first = ports.first + plan.ratio * plan.size
  const count = Math.floor((ports.last - first + 1) / dynamic.size)
  const limit = Math.min(MOST_BLOCKS, Math.floor((dynamic.maximum - plan.size) / dynamic.size))
  return { first, size: dynamic.size, count, limit }
}

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

/** The rule that an assignment breaks, in a sentence, or `undefined`. The other settings have been checked. */
export const checkAssignment = (settings: AssignmentSettings): string | undefined => {
  const { assignment, ports } = settings
  const room = ports.last - ports.first + 1
  switch (assignment.kind) {
    case "random":
      return undefined
    case "blocks":
      if (!isWhole(assignment.size, LEAST_BLOCK, room))
        return `a block has ${LEAST_BLOCK} ports or more, and ${room} at most in this range`
      return isWhole(assignment.limit, 1, MOST_BLOCKS) ? undefined : `a subscriber has 1 to ${MOST_BLOCKS} blocks`
    case "deterministic":
      return checkDeterministic(assignment, settings)
  }
}

const checkDeterministic = (
  { internal, ratio, dynamic }: DeterministicAssignment,
  settings: AssignmentSettings,
): string | undefined => {
  const { ports, external, subscriberPrefix } = settings
  if (!isWhole(internal.length, 1, 256)) return "1 to 256 prefixes say where internal hosts are"
  for (const [i, prefix] of internal.entries()) {
    const { address, prefixLength } = prefix
    const bits = (isIpv4(address) ? 96 + subscriberPrefix.ipv4 : subscriberPrefix.ipv6) - prefixLength
    if (!isWhole(prefixLength, isIpv4(address) ? 96 : 0, 128) || bits < 0)
      return "an internal prefix is no longer than that of one subscriber"
    if (bits > MOST_BITS) return `an internal prefix has 2^${MOST_BITS} subscribers at most`
    if (internal.slice(0, i).some((other) => isInPrefix(address, other) || isInPrefix(other.address, prefix)))
      return "an internal prefix lies in another"
  }
  if (dynamic !== undefined && !isWhole(dynamic.factor, 1, 65535)) return "the dynamic pool factor is 1 to 65535"
  const plan = planDeterministic(settings)
  if (plan === undefined || (ratio !== undefined && !isWhole(ratio, plan.least, 65535)))
    return `${external.length} external addresses with ports ${ports.first}-${ports.last} have too little room for all internal hosts`
  if (dynamic === undefined) return undefined
  const first = ports.first + plan.ratio * plan.size
  if (!isWhole(dynamic.size, LEAST_BLOCK, ports.last - first + 1))
    return `a block has ${LEAST_BLOCK} ports or more, and ${ports.last - first + 1} at most in this dynamic pool`
  return isWhole(dynamic.maximum, plan.size + dynamic.size, 0x7fffffff)
    ? undefined
    : `a subscriber has ${plan.size} ports of its own; with a block that is ${plan.size + dynamic.size} at least`
}
