import {
  type Address,
  addressWord,
  MAP_LENGTH,
  NATPMP_VERSION,
  Opcode,
  OptionCode,
  PEER_LENGTH,
  Protocol,
  ResultCode,
  readAddress,
  u16,
} from "../wire/index.ts"

/** Addresses whose first bits are those of `address`: of 128, so that IPv4's /24 is 120. */
export interface Prefix {
  /** Bits after the prefix do not count. */
  readonly address: Address
  /** Bits, 0 to 128. */
  readonly prefixLength: number
}

/** Ports, both ends included. */
export interface PortRange {
  /** 0 to 65535. */
  readonly first: number
  /** Not below `first`. */
  readonly last: number
}

/**
 * One permission rule (RFC 6887 section 11.3, "policy"). It matches a request that fits all fields that it has; the
 * first rule that matches decides, and a request that none matches is allowed.
 */
export interface Rule {
  /** What it decides. */
  readonly allow: boolean
  /** The source address of the request. */
  readonly clients?: Prefix | undefined
  /** Source addresses that the rule is not for, whatever else fits. */
  readonly except?: readonly Prefix[] | undefined
  /** The internal address: the source, or what THIRD_PARTY names. */
  readonly internal?: Prefix | undefined
  /** The internal port of the request. */
  readonly internalPorts?: PortRange | undefined
  /**
   * The suggested external port. 0, no preference, fits the range of a rule that allows and not of one that denies: the
   * CGN then chooses a port out of its own range.
   */
  readonly externalPorts?: PortRange | undefined
  /** IANA protocol number. */
  readonly protocol?: number | undefined
  /** PCP opcode; a NAT-PMP mapping request counts as MAP, and one for the external address as ANNOUNCE. */
  readonly opcode?: number | undefined
  /** A PCP option that the request has. */
  readonly option?: number | undefined
}

/** Do the first bits of an address equal the prefix's? */
export const isInPrefix = (address: Address, prefix: Prefix): boolean => {
  let left = prefix.prefixLength
  for (const i of [0, 1, 2, 3] as const) {
    if (left <= 0) return true
    const mask = left >= 32 ? -1 : ~(-1 >>> left)
    if (((addressWord(address, i) ^ addressWord(prefix.address, i)) & mask) !== 0) return false
    left -= 32
  }
  return true
}

const isInRange = (port: number, range: PortRange): boolean => port >= range.first && port <= range.last

/** The fields of a request, PCP or NAT-PMP, that rules look at; -1 for what it has not. */
interface Asked {
  readonly opcode: number
  readonly protocol: number
  readonly internalPort: number
  readonly externalPort: number
  /** Where its options begin. */
  readonly options: number
}

const askedBy = (request: Uint8Array): Asked => {
  if (request[0] === NATPMP_VERSION) {
    const options = request.length
    if (request[1] === 0 || request.length < 12)
      return { opcode: Opcode.ANNOUNCE, protocol: -1, internalPort: -1, externalPort: -1, options }
    const protocol = request[1] === 1 ? Protocol.UDP : Protocol.TCP
    return { opcode: Opcode.MAP, protocol, internalPort: u16(request, 4), externalPort: u16(request, 6), options }
  }
  const opcode = request[1]
  const options = opcode === Opcode.MAP ? MAP_LENGTH : opcode === Opcode.PEER ? PEER_LENGTH : 24
  if (opcode === Opcode.ANNOUNCE || request.length < options)
    return { opcode, protocol: -1, internalPort: -1, externalPort: -1, options }
  return {
    opcode,
    protocol: request[36],
    internalPort: u16(request, 40),
    externalPort: u16(request, 42),
    options,
  }
}

const hasOption = (request: Uint8Array, start: number, code: number): boolean => {
  for (let at = start; at + 4 <= request.length; at += (4 + u16(request, at + 2) + 3) & ~3)
    if (request[at] === code) return true
  return false
}

const matches = (rule: Rule, asked: Asked, request: Uint8Array, source: Address, internal: Address): boolean => {
  if (rule.opcode !== undefined && rule.opcode !== asked.opcode) return false
  if (rule.protocol !== undefined && rule.protocol !== asked.protocol) return false
  if (rule.clients !== undefined && !isInPrefix(source, rule.clients)) return false
  if (rule.except?.some((prefix) => isInPrefix(source, prefix))) return false
  if (rule.internal !== undefined && !isInPrefix(internal, rule.internal)) return false
  if (rule.internalPorts !== undefined && !isInRange(asked.internalPort, rule.internalPorts)) return false
  if (rule.externalPorts !== undefined) {
    const fits = asked.externalPort === 0 ? rule.allow : isInRange(asked.externalPort, rule.externalPorts)
    if (!fits) return false
  }
  return rule.option === undefined || (request[0] !== NATPMP_VERSION && hasOption(request, asked.options, rule.option))
}

/**
 * What the rules say of a syntactically correct request: SUCCESS or NOT_AUTHORIZED; UNSUPP_OPTION where the rule that
 * denies it names a mandatory option, for that is what its client may not use (RFC 6887 sections 7.3 and 13.1).
 * `thirdParty` is the offset of its THIRD_PARTY option, 0 for none.
 */
export const permit = (rules: readonly Rule[], request: Uint8Array, source: Address, thirdParty: number): number => {
  if (rules.length === 0) return ResultCode.SUCCESS
  const asked = askedBy(request)
  const named = thirdParty !== 0 && thirdParty + 20 <= request.length
  const internal = named ? readAddress(request, thirdParty + 4) : source
  for (const rule of rules) {
    if (!matches(rule, asked, request, source, internal)) continue
    if (rule.allow) return ResultCode.SUCCESS
    const mandatory = rule.option !== undefined && rule.option > 0 && rule.option < OptionCode.DESCRIPTION
    return mandatory ? ResultCode.UNSUPP_OPTION : ResultCode.NOT_AUTHORIZED
  }
  return ResultCode.SUCCESS
}
