import type { Filter, InternalEnd, Mapping, PortRange } from "../../core/cgn/index.ts"
import { type Address, formatAddress, ipv4Value, SERVER_PORT } from "../../core/wire/index.ts"
import { permittedBy } from "./permitted.ts"
import { type Connections, type Element, interfaceList, joined, type Plane } from "./plane.ts"

/** What a NAT44 in the kernel is made from. */
export interface Nat44Settings {
  /** Interfaces that lead outside. */
  readonly outside: readonly string[]
  /** The pool of external IPv4 addresses. */
  readonly external: readonly Address[]
  /** Those of static mappings that are not in it. */
  readonly staticExternal: readonly Address[]
  /** External ports of connections that nobody asked a mapping for: apart from all that mappings may have. */
  readonly implicitPorts: PortRange
}

const MAPPED = "inet_proto . ipv4_addr . inet_service"
const FLOW = `${MAPPED} . ipv4_addr . inet_service`
const TO = "ipv4_addr . inet_service"

/** Sets whose elements have a time-out: mappings. */
const TIMED = ["inbound", "outbound", "peer-inbound", "peer-outbound"] as const

/**
 * A NAT44 as an nftables table. Mappings are elements of maps that one rule each looks up: `inbound` by the external end,
 * `outbound` by the internal one, and the same of PEER's for one remote peer. FILTERs are elements of sets, by the internal end.
 * Other connections to the outside get ports apart from those of mappings, so that no external port is given twice; each host
 * has the same external address for all of them (RFC 4787 REQ-2). What comes back from an external address to the inside
 * (hairpinning, RFC 4787 REQ-9) is sent on with the external end of who sent it.
 */
export const nat44Plane = ({
  outside,
  external,
  staticExternal,
  implicitPorts: { first, last },
}: Nat44Settings): Plane => ({
  family: "ip",
  sets: [...TIMED, "filtered", "permitted"],
  timed: new Set(TIMED),
  body: `
  map inbound { type ${MAPPED} : ${TO}; flags timeout; }
  map outbound { type ${MAPPED} : ${TO}; flags timeout; }
  map peer-inbound { type ${FLOW} : ${TO}; flags timeout; }
  map peer-outbound { type ${FLOW} : ${TO}; flags timeout; }
  set filtered { type ${MAPPED}; }
  set permitted { type ${FLOW}; flags interval; }
${spansOf(external)
  .map((span, i) => implicitChain(i, span, first, last))
  .join("\n")}
  chain translate {
    snat ip to meta l4proto . ip saddr . th sport . ip daddr . th dport map @peer-outbound
    snat ip to meta l4proto . ip saddr . th sport map @outbound
    ${implicitChoice(external)}
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    dnat ip to meta l4proto . ip daddr . th dport . ip saddr . th sport map @peer-inbound
    dnat ip to meta l4proto . ip daddr . th dport map @inbound
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    fib saddr type local return
    oifname { ${interfaceList(outside)} } jump translate
    iifname != { ${interfaceList(outside)} } ct status dnat ct original ip daddr { ${[...external, ...staticExternal].map(formatAddress).join(", ")} } jump translate
  }
  chain filter {
    type filter hook forward priority filter; policy accept;
    ct direction original ct status dnat meta l4proto . ip daddr . th dport @filtered meta l4proto . ip daddr . th dport . ip saddr . th sport != @permitted drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname { ${interfaceList(outside)} } udp dport ${SERVER_PORT} drop
  }
`,
  elements: elementsOf,
  filters: filtersOf,
  connections: connectionsOf,
})

/** Addresses in a row. */
interface Span {
  readonly first: Address
  last: Address
  count: number
}

const spansOf = (external: readonly Address[]): readonly Span[] => {
  const spans: Span[] = []
  for (const address of [...external].sort((a, b) => ipv4Value(a) - ipv4Value(b))) {
    const span = spans.at(-1)
    if (span !== undefined && ipv4Value(address) === ipv4Value(span.last) + 1) {
      span.last = address
      span.count++
    } else spans.push({ first: address, last: address, count: 1 })
  }
  return spans
}

const implicitChain = (number: number, span: Span, first: number, last: number): string => {
  const to = span.count === 1 ? formatAddress(span.first) : `${formatAddress(span.first)}-${formatAddress(span.last)}`
  // The same external address for all that a host sends.
  const persistent = span.count === 1 ? "" : " persistent"
  return `  chain implicit-${number} {
    meta l4proto { tcp, udp, sctp, dccp, udplite } snat ip to ${to}:${first}-${last}${persistent}
    snat ip to ${to}${persistent}
  }`
}

const implicitChoice = (external: readonly Address[]): string => {
  const spans = spansOf(external)
  if (spans.length === 1) return "jump implicit-0"
  let at = 0
  const parts = spans.map(({ count }, i) => {
    const first = at
    at += count
    return `${count === 1 ? first : `${first}-${at - 1}`} : jump implicit-${i}`
  })
  return `jhash ip saddr mod ${external.length} vmap { ${parts.join(", ")} }`
}

const internalEnd = ({ protocol, internal, internalPort }: InternalEnd): string =>
  joined(protocol, formatAddress(internal), internalPort)

const elementsOf = (mapping: Mapping): readonly Element[] => {
  const { kind, protocol, internal, internalPort, external, externalPort, remote, remotePort } = mapping
  const outer = joined(protocol, formatAddress(external), externalPort)
  const [inside, outside] = [
    joined(formatAddress(internal), internalPort),
    joined(formatAddress(external), externalPort),
  ]
  switch (kind) {
    case "map":
    case "static":
      return [
        { set: "inbound", key: outer, data: inside },
        { set: "outbound", key: internalEnd(mapping), data: outside },
      ]
    case "peer": {
      if (remote === undefined) return []
      const peer = joined(formatAddress(remote), remotePort)
      return [
        { set: "peer-inbound", key: joined(outer, peer), data: inside },
        { set: "peer-outbound", key: joined(internalEnd(mapping), peer), data: outside },
      ]
    }
    case "implicit":
      return []
  }
}

const filtersOf = (end: InternalEnd, filters: readonly Filter[]): readonly Element[] =>
  filters.length === 0
    ? []
    : [
        { set: "filtered", key: internalEnd(end), data: undefined },
        ...permittedBy(filters).map(({ remote, ports }) => ({
          set: "permitted",
          key: joined(internalEnd(end), remote, ports),
          data: undefined,
        })),
      ]

const connectionsOf = (mapping: Mapping): readonly Connections[] => {
  const { kind, protocol, internal, internalPort, external, externalPort, remote, remotePort } = mapping
  if (kind === "implicit") return []
  const inward = { destination: formatAddress(external), destinationPort: externalPort }
  // What the host sends by another external end, from before it had this one, is none of the mapping's.
  const outward = {
    source: formatAddress(internal),
    sourcePort: internalPort,
    answers: inward.destination,
    answersPort: externalPort,
  }
  const of = remote === undefined || kind !== "peer" ? undefined : formatAddress(remote)
  const common = { family: 4, protocol } as const
  return of === undefined
    ? [
        { ...common, ...inward },
        { ...common, ...outward },
      ]
    : [
        { ...common, ...inward, source: of, sourcePort: remotePort },
        { ...common, ...outward, destination: of, destinationPort: remotePort },
      ]
}
