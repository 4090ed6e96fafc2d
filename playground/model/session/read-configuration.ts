import type { AddressPair, PortRange, Prefix, PrefixPair, StaticMapping } from "../../../core/cgn/index.ts"
import { CGN_FLAGS, CGN_KINDS } from "../../../core/cgn/index.ts"
import { ANY6, isIpv4, parseAddress } from "../../../core/wire/index.ts"
import { addressText, fault, listOf, members, oneOf, type Reader, text, truth, whole } from "./checked.ts"
import { type CgnConfiguration, type PortAssignment, PRESETS, type Times } from "./configuration.ts"

const port = whole(0, 65535)
const seconds = whole(0, 0x7fffffff)
const DEPENDENCES = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const

/** `192.0.2.0/24`, `2001:db8::/32`. */
const prefix: Reader<Prefix> = (value, spot) => {
  const match = typeof value === "string" ? /^([\da-fA-F:.]{2,45})\/(\d{1,3})$/.exec(value) : null
  const address = match === null ? undefined : parseAddress(match[1])
  if (match === null || address === undefined) return fault(spot, "a prefix is expected, such as 2001:db8::/32")
  const [most, extra] = isIpv4(address) ? [32, 96] : [128, 0]
  const bits = Number(match[2])
  return bits <= most ? { address, prefixLength: bits + extra } : fault(spot, `a prefix has at most ${most} bits here`)
}

const range: Reader<PortRange> = (value, spot) => {
  const own = members(value, spot, ["first", "last"])
  return own && { first: own.required("first", port, 1024), last: own.required("last", port, 65535) }
}

const times: Reader<Times> = (value, spot) => {
  const own = members(value, spot, ["udp", "tcp"])
  return own && { udp: own.required("udp", seconds, 300), tcp: own.required("tcp", seconds, 7440) }
}

const subscriberPrefix: Reader<CgnConfiguration["subscriberPrefix"]> = (value, spot) => {
  const own = members(value, spot, ["ipv4", "ipv6"])
  return own && { ipv4: own.optional("ipv4", whole(0, 32), 32), ipv6: own.optional("ipv6", whole(0, 128), 64) }
}

const assignment: Reader<PortAssignment> = (value, spot) => {
  const own = members(value, spot, ["kind", "size", "limit"])
  if (own === undefined) return undefined
  const kind = own.required("kind", oneOf(["random", "blocks"]), "random")
  return kind === "random"
    ? { kind: "random" }
    : {
        kind: "blocks",
        size: own.required("size", whole(16, 65536), 64),
        limit: own.optional("limit", whole(1, 256), 4),
      }
}

const flags: Reader<CgnConfiguration["flags"]> = (value, spot) => {
  const own = members(value, spot, CGN_FLAGS)
  if (own === undefined) return undefined
  const set = CGN_FLAGS.filter((flag) => own.has(flag)).map((flag) => [flag, own.required(flag, truth, false)] as const)
  return Object.fromEntries(set)
}

const staticMapping: Reader<StaticMapping> = (value, spot) => {
  const own = members(value, spot, ["protocol", "internal", "internalPort", "external", "externalPort"])
  return (
    own && {
      protocol: own.required("protocol", whole(0, 255), 6),
      internal: own.required("internal", addressText, ANY6),
      internalPort: own.required("internalPort", port, 0),
      external: own.required("external", addressText, ANY6),
      externalPort: own.required("externalPort", port, 0),
    }
  )
}

const NO_PREFIX: Prefix = { address: ANY6, prefixLength: 64 }

const prefixPair: Reader<PrefixPair> = (value, spot) => {
  const own = members(value, spot, ["internal", "external"])
  return (
    own && {
      internal: own.required("internal", prefix, NO_PREFIX),
      external: own.required("external", prefix, NO_PREFIX),
    }
  )
}

const addressPair: Reader<AddressPair> = (value, spot) => {
  const own = members(value, spot, ["ipv4", "ipv6"])
  return own && { ipv4: own.required("ipv4", addressText, ANY6), ipv6: own.required("ipv6", addressText, ANY6) }
}

/** A CGN; what is left out is as its kind's preset has it. */
export const readConfiguration: Reader<CgnConfiguration> = (value, spot) => {
  const own = members(value, spot, Object.keys(PRESETS.nat444))
  if (own === undefined) return undefined
  const preset = PRESETS[own.required("kind", oneOf(CGN_KINDS), "nat444")]
  const take = <Name extends keyof CgnConfiguration>(
    name: Name,
    reader: Reader<CgnConfiguration[Name]>,
  ): CgnConfiguration[Name] => own.optional(name, reader, preset[name])
  return {
    kind: preset.kind,
    flags: take("flags", flags),
    external: take("external", listOf(addressText, 1024)),
    ports: take("ports", range),
    assignment: take("assignment", assignment),
    quota: take("quota", seconds),
    subscriberQuota: take("subscriberQuota", seconds),
    subscriberPrefix: take("subscriberPrefix", subscriberPrefix),
    filterLimit: take("filterLimit", whole(1, 10000)),
    minLifetime: take("minLifetime", seconds),
    maxLifetime: take("maxLifetime", seconds),
    shortError: take("shortError", seconds),
    longError: take("longError", seconds),
    pcp: take("pcp", truth),
    natPmp: take("natPmp", truth),
    description: take("description", truth),
    portSet: take("portSet", truth),
    threatModel: take("threatModel", oneOf(["simple", "advanced"])),
    noncePolicy: take("noncePolicy", oneOf(["rfc", "strict", "off"])),
    idleTimeout: take("idleTimeout", times),
    recycleDelay: take("recycleDelay", times),
    staticMappings: take("staticMappings", listOf(staticMapping, 1000)),
    mapping: take("mapping", oneOf(DEPENDENCES)),
    filtering: take("filtering", oneOf(DEPENDENCES)),
    hairpinning: take("hairpinning", truth),
    aftr: take("aftr", addressText),
    prefix64: take("prefix64", prefix),
    prefixPairs: take("prefixPairs", listOf(prefixPair, 64)),
    addressPairs: take("addressPairs", listOf(addressPair, 1024)),
    inside: take("inside", listOf(prefix, 64)),
    seed: take("seed", text(200)),
  }
}
