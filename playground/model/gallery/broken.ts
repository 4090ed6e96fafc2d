import { QUIRKS, type QuirkName } from "../../../core/client/index.ts"
import type { Packet } from "../../../core/wire/index.ts"
import type { Example } from "./example.ts"
import { ASSIGNED, address, example, hex, MAP, octets, request, response } from "./packet.ts"

/** An example of something that real routers do; the client machine knows each by name. */
const quirk = (name: QuirkName, title: string, ...packets: readonly (Packet | Uint8Array)[]): Example => {
  const { what, reference } = QUIRKS[name]
  return example("broken routers", name, title, `${what} Seen: ${reference}.`, ...packets)
}

const NATPMP = { protocol: "udp", internalPort: 4242, lifetime: 3600 } as const

/** What real routers answer that the RFCs do not say. */
export const ROUTER_EXAMPLES: readonly Example[] = [
  quirk(
    "refuses-port-0",
    "No port without a suggestion",
    { kind: "natpmp-map-request", ...NATPMP, externalPort: 0 },
    { kind: "natpmp-map-response", ...NATPMP, externalPort: 0, lifetime: 0, result: 4, epoch: 100 },
  ),
  quirk("short-grant", "A minute, whatever was asked for", request(MAP), response(ASSIGNED, [], { lifetime: 60 })),
  quirk("other-port", "Another port than was suggested", request({ ...MAP, externalPort: 8080 }), response(ASSIGNED)),
  quirk("double-nat", "An external address that is none", response({ ...ASSIGNED, external: address("100.64.7.7") })),
  quirk("no-address", "External address 0.0.0.0", {
    kind: "natpmp-address-response",
    result: 0,
    epoch: 9,
    external: address("0.0.0.0"),
  }),
  quirk(
    "delete-no-resources",
    "A deletion without resources",
    request(MAP, [], { lifetime: 0 }),
    response(MAP, [], { result: 8, lifetime: 30 }),
  ),
  quirk("short-reply", "An answer of two octets", hex("00 80")),
  quirk(
    "options-in-reply",
    "Options nobody asked for",
    request(MAP),
    response(ASSIGNED, [{ kind: "DESCRIPTION", text: "added by the router" }]),
  ),
  quirk(
    "port-modulo-256",
    "A port that lost an octet",
    { kind: "natpmp-map-request", ...NATPMP, externalPort: 4242 },
    { kind: "natpmp-map-response", ...NATPMP, internalPort: 4242 & 255, externalPort: 4242 & 255, result: 0, epoch: 5 },
  ),
  quirk("error-lifetime-0", "An error that lasts no time", response(MAP, [], { result: 2, lifetime: 0 })),
  quirk(
    "version-error-without-r-bit",
    "A version error that looks like a request",
    request(MAP),
    hex("00 00 0001 0000002a"),
  ),
  quirk("reply-from-other-address", "An answer from the router's other address", request(MAP), response(ASSIGNED)),
]

const MAP_OCTETS = octets(request(MAP))
const withOption = (digits: string): Uint8Array => Uint8Array.of(...MAP_OCTETS, ...hex(digits))
const changed = (at: number, digits: string): Uint8Array => {
  const bytes = MAP_OCTETS.slice()
  bytes.set(hex(digits), at)
  return bytes
}

/** Packets that break a rule, each its own. */
export const PACKET_EXAMPLES: readonly Example[] = [
  example(
    "broken packets",
    "reserved-set",
    "Reserved bits that are set",
    "Senders leave them zero, receivers pass over them (RFC 6887 section 7.1).",
    changed(2, "cafe"),
  ),
  example(
    "broken packets",
    "nonce-zero",
    "A nonce of zeros",
    "Legal, and guessable: anybody can delete this mapping (RFC 6887 section 11.2).",
    changed(24, "000000000000000000000000"),
  ),
  example(
    "broken packets",
    "ipv4-compatible",
    "An IPv4 address without its ffff",
    "10.0.0.1 written as ::10.0.0.1: the commonest fault of new clients (RFC 6887 section 5).",
    changed(8, "000000000000000000000000 0a000001"),
  ),
  example(
    "broken packets",
    "filter-33",
    "A FILTER of /33",
    "IPv4 prefixes have 96 to 128 bits on the wire: 24 is no /24 (RFC 6887 section 13.3).",
    withOption("03000014 0018 0000 00000000000000000000ffffc6336400"),
  ),
  example(
    "broken packets",
    "option-overrun",
    "An option that runs out of the packet",
    "It says it has 20 octets, and there are four (RFC 6887 section 7.3).",
    withOption("03000014 00780000"),
  ),
  example(
    "broken packets",
    "padding",
    "Padding that is not zero",
    "A writer that leaks what its buffer had before (RFC 6887 section 7.3).",
    withOption("80000001 61deadbe"),
  ),
  example(
    "broken packets",
    "option-twice",
    "PREFER_FAILURE twice",
    "An option that may be there once: MALFORMED_OPTION (RFC 6887 section 7.3).",
    withOption("02000000 02000000"),
  ),
  example(
    "broken packets",
    "length-61",
    "A length of 61 octets",
    "No multiple of four: MALFORMED_REQUEST (RFC 6887 section 8.2).",
    withOption("00"),
  ),
  example(
    "broken packets",
    "cut",
    "A packet that is cut",
    "Thirty octets of a MAP: what is missing is drawn dashed.",
    MAP_OCTETS.slice(0, 30),
  ),
  example(
    "broken packets",
    "version-1",
    "PCP version 1",
    "Drafts before RFC 6887 had no nonce; RFC 6886 section 1.1 rules it out.",
    changed(0, "01"),
  ),
  example(
    "broken packets",
    "protocol-0-port",
    "All protocols, one port",
    "Protocol 0 goes with port 0 alone (RFC 6887 section 11.1).",
    changed(36, "00"),
  ),
]
