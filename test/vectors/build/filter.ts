/** RFC 6887 sections 13.2 and 13.3: PREFER_FAILURE and FILTER. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { FIREWALLS, IPV4, NATS } from "./kinds.ts"
import { filter, ip4, map, mapped, PREFER_FAILURE, RESULT, refused, TCP } from "./packet.ts"

const { NOT_AUTHORIZED, MALFORMED_OPTION, EXCESSIVE_REMOTE_PEERS } = RESULT

const BAD_OPTION = refused("81", MALFORMED_OPTION)

const preferred = group({ requirements: ["S-110"], clause: "RFC 6887 13.2", needs: ["map", "prefer-failure"] }, [
  {
    id: "prefer-failure-no-port",
    title: "PREFER_FAILURE without a suggested port: MALFORMED_OPTION",
    steps: [{ send: map({ options: PREFER_FAILURE }), expect: BAD_OPTION, effects: [] }],
  },
  {
    id: "prefer-failure-no-port-tcp",
    title: "PREFER_FAILURE without a suggested port, TCP: MALFORMED_OPTION",
    steps: [{ send: map({ protocol: TCP, options: PREFER_FAILURE }), expect: BAD_OPTION, effects: [] }],
  },
  {
    id: "prefer-failure-address-only",
    title: "PREFER_FAILURE with an address and no port: MALFORMED_OPTION",
    kinds: IPV4,
    steps: [{ send: map({ suggested: ip4("203.0.113.1"), options: PREFER_FAILURE }), expect: BAD_OPTION, effects: [] }],
  },
  {
    id: "prefer-failure-free",
    title: "PREFER_FAILURE with a free port: just that port",
    kinds: NATS,
    steps: [
      {
        send: map({ suggestedPort: "{suggested}", options: PREFER_FAILURE }),
        expect: mapped({ externalPort: "{suggested}", options: PREFER_FAILURE }),
      },
    ],
  },
  {
    id: "prefer-failure-address",
    title: "PREFER_FAILURE with a free port of the external address: just that end",
    kinds: NATS,
    steps: [
      { send: map(), expect: mapped() },
      {
        send: map({
          port: "{port2}",
          suggestedPort: "{suggested}",
          suggested: "{external}",
          options: PREFER_FAILURE,
        }),
        expect: mapped({ port: "{port2}", externalPort: "{suggested}", options: PREFER_FAILURE }),
      },
    ],
  },
  {
    id: "prefer-failure-repeats",
    title: "the same request with PREFER_FAILURE again renews",
    kinds: NATS,
    steps: [1, 2].map(() => ({
      send: map({ suggestedPort: "{suggested}", options: PREFER_FAILURE }),
      expect: mapped({ externalPort: "{suggested}", options: PREFER_FAILURE }),
    })),
  },
  {
    id: "prefer-failure-firewall",
    title: "a firewall with PREFER_FAILURE for another port than the internal one: CANNOT_PROVIDE_EXTERNAL",
    kinds: FIREWALLS,
    steps: [
      {
        send: map({ suggestedPort: "{suggested}", options: PREFER_FAILURE }),
        expect: refused("81", RESULT.CANNOT_PROVIDE_EXTERNAL),
        effects: [],
      },
    ],
  },
])

const filters = group({ requirements: ["S-120"], clause: "RFC 6887 13.3", needs: ["map", "filter"] }, [
  {
    id: "filter-one",
    title: "one filter a mapping is the least that is supported; it comes back",
    steps: [
      {
        send: map({ options: filter(128, 443) }),
        expect: mapped({ options: filter(128, 443) }),
        effects: [{ type: "created" }, { type: "filtered", filters: 1 }],
      },
    ],
  },
  {
    id: "filter-port-0",
    title: "remote peer port 0 is every port",
    steps: [{ send: map({ options: filter(128, 0) }), expect: mapped({ options: filter(128, 0) }) }],
  },
  {
    id: "filter-add-later",
    title: "filters of a renewal add to those that are there",
    configuration: { filterLimit: 4 },
    inProcess: "the server's limit is not known",
    steps: [
      { send: map({ options: filter(128, 80) }), expect: mapped({ options: filter(128, 80) }) },
      {
        send: map({ options: filter(128, 443) }),
        expect: mapped({ options: filter(128, 443) }),
        effects: [{ type: "renewed" }, { type: "filtered", filters: 2 }],
      },
    ],
  },
  {
    id: "filter-several",
    title: "several filters of one request are all there, in their order",
    configuration: { filterLimit: 4 },
    inProcess: "the server's limit is not known",
    steps: [
      {
        send: map({ options: `${filter(128, 80)} ${filter(127, 443)} ${filter(120, 0, "{remote2}")}` }),
        expect: mapped({ options: `${filter(128, 80)} ${filter(127, 443)} ${filter(120, 0, "{remote2}")}` }),
        effects: [{ type: "created" }, { type: "filtered", filters: 3 }],
      },
    ],
  },
  {
    id: "filter-renewal-without",
    title: "a renewal without FILTER leaves the filters",
    steps: [
      { send: map({ options: filter(128, 80) }), expect: mapped({ options: filter(128, 80) }) },
      { send: map(), expect: mapped(), effects: [{ type: "renewed" }] },
    ],
  },
])

const flush = group({ requirements: ["S-121"], clause: "RFC 6887 13.3", needs: ["map", "filter"] }, [
  {
    id: "filter-flush",
    title: "prefix length 0 removes all filters",
    steps: [
      { send: map({ options: filter(128, 80) }), expect: mapped({ options: filter(128, 80) }) },
      {
        send: map({ options: filter(0, 0) }),
        expect: mapped({ options: filter(0, 0) }),
        effects: [{ type: "renewed" }, { type: "filtered", filters: 0 }],
      },
    ],
  },
  {
    id: "filter-flush-new",
    title: "prefix length 0 with a new mapping: a mapping without filters",
    steps: [{ send: map({ options: filter(0, 0) }), expect: mapped({ options: filter(0, 0) }) }],
  },
  {
    id: "filter-flush-address",
    inProcess: "the RFC does not say what the address of prefix length 0 may be",
    title: "the address of a FILTER with prefix length 0 has no meaning",
    steps: [
      {
        send: map({ options: filter(0, 443, "20010db8000000000000000000000001") }),
        expect: mapped({ options: filter(0, 443, "20010db8000000000000000000000001") }),
      },
    ],
  },
  {
    id: "filter-change",
    title: "changing a filter is prefix length 0 and the new one, in one request",
    steps: [
      { send: map({ options: filter(128, 80) }), expect: mapped({ options: filter(128, 80) }) },
      {
        send: map({ options: `${filter(0, 0)} ${filter(128, 8080)}` }),
        expect: mapped({ options: `${filter(0, 0)} ${filter(128, 8080)}` }),
      },
    ],
  },
])

const prefixes = group({ requirements: ["S-122"], clause: "RFC 6887 13.3", needs: ["map", "filter"] }, [
  ...[96, 97, 104, 127, 128].map((length) => ({
    id: `filter-prefix-${length}`,
    title: `prefix length ${length} of an IPv4 address is valid`,
    kinds: IPV4,
    steps: [{ send: map({ options: filter(length, 443) }), expect: mapped({ options: filter(length, 443) }) }],
  })),
  ...[1, 24, 32, 33, 64, 95].map((length) => ({
    id: `filter-prefix-${length}`,
    title: `prefix length ${length} of an IPv4-mapped address is under 96: MALFORMED_OPTION`,
    kinds: IPV4,
    steps: [{ send: map({ options: filter(length, 443) }), expect: BAD_OPTION, effects: [] }],
  })),
  ...[129, 160, 255].map((length) => ({
    id: `filter-prefix-${length}`,
    title: `prefix length ${length} is over 128: MALFORMED_OPTION`,
    steps: [{ send: map({ options: filter(length, 443) }), expect: BAD_OPTION, effects: [] }],
  })),
  ...[1, 33, 64, 128].map((length) => ({
    id: `filter-prefix6-${length}`,
    title: `prefix length ${length} of an IPv6 address is valid where remote peers are IPv6`,
    kinds: ["firewall6", "nptv6", "nat64"] as const,
    steps: [{ send: map({ options: filter(length, 443) }), expect: mapped({ options: filter(length, 443) }) }],
  })),
  {
    id: "filter-ipv6",
    title: "an IPv6 address where remote peers are IPv4: MALFORMED_OPTION",
    kinds: IPV4,
    level: "in effect",
    inProcess: "a device with both families may take it",
    steps: [
      { send: map({ options: filter(64, 443, "20010db8000000000000000000000001") }), expect: BAD_OPTION, effects: [] },
    ],
  },
])

const inDeletion = group({ requirements: ["S-123"], clause: "RFC 6887 13.3", needs: ["map", "filter"] }, [
  {
    id: "delete-filter",
    title: "FILTER in a deletion: MALFORMED_OPTION",
    steps: [{ send: map({ lifetime: 0, options: filter(128, 443) }), expect: BAD_OPTION, effects: [] }],
  },
  {
    id: "delete-filter-flush",
    title: "FILTER with prefix length 0 in a deletion: MALFORMED_OPTION",
    steps: [{ send: map({ lifetime: 0, options: filter(0, 0) }), expect: BAD_OPTION, effects: [] }],
  },
  {
    id: "delete-filter-kept",
    alsoNeeds: ["nonces"],
    title: "a deletion refused for FILTER deletes nothing",
    requirements: ["S-123", "S-10"],
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ lifetime: 0, options: filter(128, 443) }), expect: BAD_OPTION, effects: [] },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
    ],
  },
])

const many = (count: number): string => Array.from({ length: count }, (_, i) => filter(128, 1000 + i)).join(" ")

const excess = group({ requirements: ["S-124"], clause: "RFC 6887 13.3", needs: ["map", "filter"] }, [
  {
    id: "filter-excess",
    title: "more filters than the limit: EXCESSIVE_REMOTE_PEERS and no mapping",
    configuration: { filterLimit: 2 },
    inProcess: "the server's limit is not known",
    steps: [
      { send: map({ options: many(3) }), expect: refused("81", EXCESSIVE_REMOTE_PEERS), effects: [], mappings: [] },
    ],
  },
  {
    id: "filter-excess-added",
    title: "filters that would add up to more than the limit: EXCESSIVE_REMOTE_PEERS, those there stay",
    configuration: { filterLimit: 2 },
    inProcess: "the server's limit is not known",
    steps: [
      { send: map({ options: many(2) }), expect: mapped({ options: many(2) }) },
      { send: map({ options: filter(128, 80) }), expect: refused("81", EXCESSIVE_REMOTE_PEERS), effects: [] },
      {
        send: map({ options: `${filter(0, 0)} ${many(2)}` }),
        expect: mapped({ options: `${filter(0, 0)} ${many(2)}` }),
      },
    ],
  },
  {
    id: "filter-most",
    title: "43 filters, as many as a message has room for: all there, or EXCESSIVE_REMOTE_PEERS",
    level: "in effect",
    steps: [
      {
        send: map({ options: many(43) }),
        expect: [mapped({ options: many(43) }), refused("81", EXCESSIVE_REMOTE_PEERS)],
      },
    ],
  },
  {
    id: "filter-excess-no-state",
    title: "43 filters that are too many map nothing: any nonce is free to",
    requirements: ["S-124", "S-10"],
    configuration: { filterLimit: 5 },
    inProcess: "the server's limit is not known",
    steps: [
      { send: map({ options: many(43) }), expect: refused("81", EXCESSIVE_REMOTE_PEERS), effects: [] },
      { send: map({ nonce: "{nonce2}" }), expect: mapped({ nonce: "{nonce2}" }) },
    ],
  },
])
export const remoteFilters: readonly Case[] = [
  ...preferred,
  ...filters,
  ...flush,
  ...prefixes,
  ...inDeletion,
  ...excess,
]
