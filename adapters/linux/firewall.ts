import type { Filter, InternalEnd, Mapping, Prefix } from "../../core/cgn/index.ts"
import { formatAddress, hasPorts, SERVER_PORT } from "../../core/wire/index.ts"
import { permittedBy, prefixText } from "./permitted.ts"
import { type Connections, type Element, interfaceList, joined, type Plane } from "./plane.ts"

/** What a firewall in the kernel is made from. */
export interface FirewallPlaneSettings {
  readonly family: 4 | 6
  /** Interfaces that lead outside. */
  readonly outside: readonly string[]
  /** Where its hosts are; empty: anywhere inside. */
  readonly inside: readonly Prefix[]
}

/** A mapping is of a port, of a protocol with all that it has, or of a whole host: a set of each. */
const SHAPES = ["port", "protocol", "host"] as const
type Shape = (typeof SHAPES)[number]

const shapeOf = ({ protocol, internalPort }: InternalEnd): Shape =>
  protocol === 0 ? "host" : internalPort === 0 ? "protocol" : "port"

/**
 * A firewall as an nftables table. From outside comes in what answers a connection that began inside, and what is let in by a
 * pinhole: an element of `open-port`, `open-protocol` or `open-host`, whose FILTERs are elements of the sets `filtered-…` and
 * `permitted-…`. What goes from the inside to the outside, or from one of its links to another, is not looked at.
 */
export const firewallPlane = ({ family, outside, inside }: FirewallPlaneSettings): Plane => {
  const [ip, type, table] = family === 4 ? (["ip", "ipv4_addr", "ip"] as const) : (["ip6", "ipv6_addr", "ip6"] as const)
  const types = { port: `inet_proto . ${type} . inet_service`, protocol: `inet_proto . ${type}`, host: type }
  const keys = {
    port: `meta l4proto . ${ip} daddr . th dport`,
    protocol: `meta l4proto . ${ip} daddr`,
    host: `${ip} daddr`,
  }
  const remote = `${ip} saddr . th sport`
  const home = inside.map(({ address, prefixLength }) => prefixText(address, prefixLength)).join(", ")
  return {
    family: table,
    sets: ["open", "filtered", "permitted"].flatMap((name) => SHAPES.map((shape) => `${name}-${shape}`)),
    timed: new Set(SHAPES.map((shape) => `open-${shape}`)),
    body: `
${SHAPES.map(
  (shape) => `  set open-${shape} { type ${types[shape]}; flags timeout; }
  set filtered-${shape} { type ${types[shape]}; }
  set permitted-${shape} { type ${types[shape]} . ${type} . inet_service; flags interval; }`,
).join("\n")}
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != { ${interfaceList(outside)} } accept
    oifname { ${interfaceList(outside)} } accept
${home === "" ? "" : `    ${ip} daddr != { ${home} } accept\n`}    ct direction reply accept
${SHAPES.map(
  // What a mapping of less says goes before what one of more does.
  (shape) => `    ${keys[shape]} @filtered-${shape} ${keys[shape]} . ${remote} != @permitted-${shape} drop
    ${keys[shape]} @open-${shape} accept`,
).join("\n")}
    ct state established,related accept
    drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname { ${interfaceList(outside)} } udp dport ${SERVER_PORT} drop
  }
`,
    elements: ({ kind, ...mapping }: Mapping): readonly Element[] =>
      kind === "implicit" ? [] : [{ set: `open-${shapeOf(mapping)}`, key: keyOf(mapping), data: undefined }],
    filters: (end: InternalEnd, filters: readonly Filter[]): readonly Element[] =>
      filters.length === 0
        ? []
        : [
            { set: `filtered-${shapeOf(end)}`, key: keyOf(end), data: undefined },
            ...permittedBy(filters).map((permitted) => ({
              set: `permitted-${shapeOf(end)}`,
              key: joined(keyOf(end), permitted.remote, permitted.ports),
              data: undefined,
            })),
          ],
    connections: ({ kind, protocol, internal, internalPort }: Mapping): readonly Connections[] => {
      if (kind === "implicit") return []
      const port = internalPort !== 0 && hasPorts(protocol) ? { destinationPort: internalPort } : {}
      return [
        { family, protocol: protocol === 0 ? undefined : protocol, destination: formatAddress(internal), ...port },
      ]
    },
  }
}

const keyOf = (end: InternalEnd): string => {
  const [protocol, address] = [end.protocol, formatAddress(end.internal)]
  switch (shapeOf(end)) {
    case "port":
      return joined(protocol, address, end.internalPort)
    case "protocol":
      return joined(protocol, address)
    case "host":
      return address
  }
}
