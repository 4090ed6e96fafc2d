import {
  type Address,
  addressWord,
  CLIENT_PORT,
  formatAddress,
  isAny,
  isIpv4,
  Protocol,
  SERVER_PORT,
} from "../wire/index.ts"
import { checkAssignment } from "./assignment.ts"
import { isLegalIpv4Source } from "./packet/index.ts"
import type { PortRange, Prefix, Rule } from "./rule.ts"
import { CGN_DEFAULTS, type CgnSettings, MAX_POOL, type StaticMapping } from "./settings.ts"
import { checkTranslation } from "./translate/settings.ts"

/** Why no CGN can be made of these settings. */
export interface SettingsError {
  /** Short and stable, for programs. */
  readonly code:
    | "empty-pool"
    | "pool-too-large"
    | "bad-address"
    | "bad-ports"
    | "bad-assignment"
    | "bad-quota"
    | "bad-prefix"
    | "bad-filters"
    | "bad-delay"
    | "bad-static"
    | "bad-rule"
    | "bad-protocols"
    | "bad-translation"
    | "bad-secret"
  /** One sentence for people. */
  readonly text: string
}

const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65535
const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0x7fffffff
const isOctet = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255
const isRange = (range: PortRange, least: number): boolean =>
  [range.first, range.last].every((port) => Number.isInteger(port) && port >= least && port <= 65535) &&
  range.first <= range.last
const isPrefix = ({ prefixLength }: Prefix): boolean => isCount(prefixLength) && prefixLength <= 128

/** The first rule that the settings break, or `undefined`. */
export const checkCgnSettings = (settings: CgnSettings): SettingsError | undefined => {
  const { external, ports } = settings
  if (external.length === 0) return { code: "empty-pool", text: "the pool of external addresses is empty" }
  if (external.length > MAX_POOL)
    return { code: "pool-too-large", text: `the pool has ${external.length} addresses; ${MAX_POOL} is the most` }
  const seen = new Set<Address>()
  for (const address of external) {
    if (!isIpv4(address) || !isLegalIpv4Source(addressWord(address, 3)))
      return { code: "bad-address", text: `${formatAddress(address)} can't be an external address of a NAT44` }
    if (seen.has(address)) return { code: "bad-address", text: `${formatAddress(address)} is in the pool twice` }
    seen.add(address)
  }
  if (!isRange(ports, 1))
    return { code: "bad-ports", text: `${ports.first}-${ports.last} is no range of ports 1 to 65535` }
  if (!isCount(settings.quota) || !isCount(settings.subscriberQuota ?? 0))
    return { code: "bad-quota", text: "the quota must be 0 (no limit) or a whole number up to 2^31-1" }
  const prefix = settings.subscriberPrefix ?? CGN_DEFAULTS.subscriberPrefix
  if (!isCount(prefix.ipv4) || prefix.ipv4 > 32 || !isCount(prefix.ipv6) || prefix.ipv6 > 128)
    return { code: "bad-prefix", text: "a subscriber's prefix has 0 to 32 bits of IPv4 and 0 to 128 of IPv6" }
  if (!isCount(settings.filterLimit) || settings.filterLimit < 1)
    return { code: "bad-filters", text: "at least one filter a mapping must be supported (RFC 6887 section 13.3)" }
  const delay = settings.recycleDelay ?? { udp: 0, tcp: 0 }
  if (!isCount(delay.udp) || !isCount(delay.tcp))
    return { code: "bad-delay", text: "the recycle delay must be a whole number of seconds up to 2^31-1" }
  const idle = settings.idleTimeout
  if (!isCount(idle.udp) || !isCount(idle.tcp) || idle.udp === 0 || idle.tcp === 0)
    return { code: "bad-delay", text: "the idle timeout must be a whole number of seconds from 1 to 2^31-1" }
  if (settings.port0 === true && settings.otherProtocols !== true)
    return { code: "bad-protocols", text: "port0 needs otherProtocols" }
  if (settings.oneToOne === true && settings.port0 !== true)
    return { code: "bad-protocols", text: "oneToOne needs port0 and otherProtocols" }
  if (settings.secret.length !== 32) return { code: "bad-secret", text: "the secret must be 32 octets" }
  return (
    checkAssigned(settings, seen) ??
    checkStatic(settings.staticMappings ?? [], seen) ??
    checkRules(settings.rules ?? []) ??
    checkTranslation(settings.translation)
  )
}

/** Whoever has a protocol of an address as a whole would have what others' ports there are for. */
const checkAssigned = (settings: CgnSettings, pool: ReadonlySet<Address>): SettingsError | undefined => {
  const { assignment = CGN_DEFAULTS.assignment, external, ports } = settings
  const { subscriberPrefix = CGN_DEFAULTS.subscriberPrefix, staticMappings = [] } = settings
  const bad = (text: string): SettingsError => ({ code: "bad-assignment", text })
  if (assignment.kind === "random") return undefined
  const whole = staticMappings.some((mapping) => mapping.internalPort === 0 && pool.has(mapping.external))
  if (settings.port0 === true || whole)
    return bad("where ports are assigned to subscribers, nobody has all ports of an address of the pool")
  const text = checkAssignment({ assignment, external, ports, subscriberPrefix })
  return text === undefined ? undefined : bad(text)
}

const checkStatic = (mappings: readonly StaticMapping[], pool: Set<Address>): SettingsError | undefined => {
  const internals = new Set<string>()
  const externals = new Set<string>()
  const addresses = new Set(pool)
  for (const mapping of mappings) {
    const { protocol, internal, internalPort, external, externalPort, realm } = mapping
    const name = `${protocol} ${formatAddress(internal)}:${internalPort}`
    const bad = (text: string): SettingsError => ({ code: "bad-static", text: `static mapping ${name}: ${text}` })
    if (!isOctet(protocol)) return bad("there is no such protocol")
    if (isAny(internal)) return bad("no internal address")
    if (!isIpv4(external) || !isLegalIpv4Source(addressWord(external, 3)))
      return bad(`${formatAddress(external)} can't be an external address of a NAT44`)
    const ported = protocol === Protocol.UDP || protocol === Protocol.TCP || protocol === Protocol.SCTP
    if (internalPort === 0 ? externalPort !== 0 : !ported || !isPort(internalPort) || !isPort(externalPort))
      return bad("ports are 1 to 65535 and TCP's, UDP's or SCTP's, or both 0 for a whole protocol")
    if (protocol === Protocol.SCTP && internalPort !== externalPort)
      return bad("SCTP's ports are not rewritten: both must be the same (RFC 6887 section 16.3.3)")
    if (protocol === Protocol.UDP && (externalPort === CLIENT_PORT || externalPort === SERVER_PORT))
      return bad(`external UDP port ${externalPort} is PCP's own (RFC 6887 section 11.3)`)
    if (internals.has(`${realm ?? ""} ${name}`)) return bad("it is there twice")
    internals.add(`${realm ?? ""} ${name}`)
    const end = `${protocol} ${formatAddress(external)}:${externalPort}`
    if (externals.has(end)) return bad(`another has the external end ${end}`)
    externals.add(end)
    addresses.add(external)
  }
  if (addresses.size > MAX_POOL)
    return { code: "pool-too-large", text: `pool and static mappings have over ${MAX_POOL} external addresses` }
  return undefined
}

const checkRules = (rules: readonly Rule[]): SettingsError | undefined => {
  for (const [i, rule] of rules.entries()) {
    const bad = (text: string): SettingsError => ({ code: "bad-rule", text: `rule ${i + 1}: ${text}` })
    for (const prefix of [rule.clients, rule.internal, ...(rule.except ?? [])])
      if (prefix !== undefined && !isPrefix(prefix)) return bad("a prefix has 0 to 128 bits, IPv4's 96 to 128")
    for (const range of [rule.internalPorts, rule.externalPorts])
      if (range !== undefined && !isRange(range, 0)) return bad("no range of ports 0 to 65535")
    for (const number of [rule.protocol, rule.opcode, rule.option])
      if (number !== undefined && !isOctet(number)) return bad("protocol, opcode and option are 0 to 255")
  }
  return undefined
}
