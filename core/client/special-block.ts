/** What an address is for; `public` is every one that has no special purpose. */
export type AddressClass =
  | "public"
  | "unspecified"
  | "this-network"
  | "private"
  | "shared"
  | "loopback"
  | "link-local"
  | "unique-local"
  | "site-local"
  | "service-continuity"
  | "protocol"
  | "anycast"
  | "nat64"
  | "6to4"
  | "teredo"
  | "documentation"
  | "benchmarking"
  | "discard"
  | "identifier"
  | "segment-routing"
  | "multicast"
  | "broadcast"
  | "reserved"

/** Each class, in one line for people. */
export const ADDRESS_CLASSES: Readonly<Record<AddressClass, string>> = {
  public: "a public address: the Internet reaches it",
  unspecified: "no address at all: the gateway has none, or does not know it",
  "this-network": "an address of a network that does not know its own number yet: nobody has it",
  private: "a private address: there is another NAT in front of this one",
  shared: "an address that a provider shares among its subscribers: a carrier-grade NAT is in front of this one",
  loopback: "an address of the host itself: nobody else reaches it",
  "link-local": "an address of one link alone: the gateway got none from its provider, or another NAT is in front",
  "unique-local": "a local IPv6 address: the Internet reaches it through a translator at most",
  "site-local": "a local IPv6 address of a kind that is no longer used",
  "service-continuity": "an address of the inner side of DS-Lite or 464XLAT: the NAT is at the provider",
  protocol: "an address kept for protocols: no host has it",
  anycast: "an address of a service that many places offer at once: no single host has it",
  nat64: "an IPv4 address as NAT64 shows it to IPv6 hosts",
  "6to4": "an IPv6 address made of an IPv4 one, of a transition mechanism that is going away",
  teredo: "an IPv6 address of a tunnel through NATs",
  documentation: "an address for examples: nobody has it",
  benchmarking: "an address for measurements: the Internet has no routes to it",
  discard: "an address whose packets are thrown away",
  identifier: "an identifier in the form of an address: no packets go there",
  "segment-routing": "an address of one provider's segment routing",
  multicast: "an address of a group of hosts",
  broadcast: "the address of every host of a link",
  reserved: "an address that is not in use yet",
}

/** A block of addresses of one purpose. */
export interface SpecialBlock {
  /** For example `10.0.0.0/8`. */
  readonly prefix: string
  readonly class: AddressClass
  /** The name that IANA's registry gives it. */
  readonly name: string
  /** Where it is defined. */
  readonly source: string
}

const block = (prefix: string, kind: AddressClass, name: string, source: string): SpecialBlock => {
  return { prefix, class: kind, name, source }
}

/**
 * IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190), as of 2025, with multicast and what is set aside
 * beside them. Blocks may lie inside others. IPv4-mapped addresses are IPv4.
 */
export const SPECIAL_BLOCKS: readonly SpecialBlock[] = [
  block("0.0.0.0/8", "this-network", "This network", "RFC 791 section 3.2"),
  block("0.0.0.0/32", "unspecified", "This host on this network", "RFC 1122 section 3.2.1.3"),
  block("10.0.0.0/8", "private", "Private-Use", "RFC 1918"),
  block("100.64.0.0/10", "shared", "Shared Address Space", "RFC 6598"),
  block("127.0.0.0/8", "loopback", "Loopback", "RFC 1122 section 3.2.1.3"),
  block("169.254.0.0/16", "link-local", "Link Local", "RFC 3927"),
  block("172.16.0.0/12", "private", "Private-Use", "RFC 1918"),
  block("192.0.0.0/24", "protocol", "IETF Protocol Assignments", "RFC 6890 section 2.1"),
  block("192.0.0.0/29", "service-continuity", "IPv4 Service Continuity Prefix", "RFC 7335"),
  block("192.0.0.8/32", "protocol", "IPv4 dummy address", "RFC 7600"),
  block("192.0.0.9/32", "anycast", "Port Control Protocol Anycast", "RFC 7723"),
  block("192.0.0.10/32", "anycast", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
  block("192.0.0.170/32", "protocol", "NAT64/DNS64 Discovery", "RFC 7050 section 2.2"),
  block("192.0.0.171/32", "protocol", "NAT64/DNS64 Discovery", "RFC 7050 section 2.2"),
  block("192.0.2.0/24", "documentation", "Documentation (TEST-NET-1)", "RFC 5737"),
  block("192.31.196.0/24", "anycast", "AS112-v4", "RFC 7535"),
  block("192.52.193.0/24", "anycast", "AMT", "RFC 7450"),
  block("192.88.99.0/24", "anycast", "Deprecated (6to4 Relay Anycast)", "RFC 7526"),
  block("192.168.0.0/16", "private", "Private-Use", "RFC 1918"),
  block("192.175.48.0/24", "anycast", "Direct Delegation AS112 Service", "RFC 7534"),
  block("198.18.0.0/15", "benchmarking", "Benchmarking", "RFC 2544"),
  block("198.51.100.0/24", "documentation", "Documentation (TEST-NET-2)", "RFC 5737"),
  block("203.0.113.0/24", "documentation", "Documentation (TEST-NET-3)", "RFC 5737"),
  block("224.0.0.0/4", "multicast", "Multicast", "RFC 5771"),
  block("240.0.0.0/4", "reserved", "Reserved", "RFC 1112 section 4"),
  block("255.255.255.255/32", "broadcast", "Limited Broadcast", "RFC 919 section 7"),

  // All IPv6 unicast that IANA gives out is in 2000::/3.
  block("::/3", "reserved", "Reserved by IETF", "RFC 4291 section 4"),
  block("4000::/2", "reserved", "Reserved by IETF", "RFC 4291 section 4"),
  block("8000::/1", "reserved", "Reserved by IETF", "RFC 4291 section 4"),
  block("::/128", "unspecified", "Unspecified Address", "RFC 4291 section 2.5.2"),
  block("::1/128", "loopback", "Loopback Address", "RFC 4291 section 2.5.3"),
  block("64:ff9b::/96", "nat64", "IPv4-IPv6 Translat.", "RFC 6052"),
  block("64:ff9b:1::/48", "nat64", "IPv4-IPv6 Translat.", "RFC 8215"),
  block("100::/64", "discard", "Discard-Only Address Block", "RFC 6666"),
  block("100:0:0:1::/64", "discard", "Dummy IPv6 Prefix", "RFC 9780"),
  block("2001::/23", "protocol", "IETF Protocol Assignments", "RFC 2928"),
  block("2001::/32", "teredo", "TEREDO", "RFC 4380"),
  block("2001:1::1/128", "anycast", "Port Control Protocol Anycast", "RFC 7723"),
  block("2001:1::2/128", "anycast", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
  block("2001:1::3/128", "anycast", "DNS-SD Service Registration Protocol Anycast", "RFC 9665"),
  block("2001:2::/48", "benchmarking", "Benchmarking", "RFC 5180"),
  block("2001:3::/32", "anycast", "AMT", "RFC 7450"),
  block("2001:4:112::/48", "anycast", "AS112-v6", "RFC 7535"),
  block("2001:10::/28", "identifier", "Deprecated (previously ORCHID)", "RFC 4843"),
  block("2001:20::/28", "identifier", "ORCHIDv2", "RFC 7343"),
  block("2001:30::/28", "identifier", "Drone Remote ID Protocol Entity Tags (DETs) Prefix", "RFC 9374"),
  block("2001:db8::/32", "documentation", "Documentation", "RFC 3849"),
  block("2002::/16", "6to4", "6to4", "RFC 3056"),
  block("2620:4f:8000::/48", "anycast", "Direct Delegation AS112 Service", "RFC 7534"),
  block("3fff::/20", "documentation", "Documentation", "RFC 9637"),
  block("5f00::/16", "segment-routing", "Segment Routing (SRv6) SIDs", "RFC 9602"),
  block("fc00::/7", "unique-local", "Unique-Local", "RFC 4193"),
  block("fe80::/10", "link-local", "Link-Local Unicast", "RFC 4291 section 2.5.6"),
  block("fec0::/10", "site-local", "Site-Local Unicast, deprecated", "RFC 3879"),
  block("ff00::/8", "multicast", "Multicast", "RFC 4291 section 2.7"),
]
