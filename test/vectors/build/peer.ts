/** RFC 6887 section 12: PEER requests. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { IPV4, NATS } from "./kinds.ts"
import {
  announce,
  announced,
  ip4,
  map,
  mapped,
  option,
  PREFER_FAILURE,
  peer,
  peered,
  RESULT,
  refused,
  TCP,
  u16,
  u32,
} from "./packet.ts"

const { MALFORMED_REQUEST, NOT_AUTHORIZED, CANNOT_PROVIDE_EXTERNAL, UNSUPP_PROTOCOL } = RESULT
const BAD = refused("82", MALFORMED_REQUEST)

const off = group({ requirements: ["S-60"], clause: "RFC 6887 12", lacks: ["peer"], configuration: { peer: false } }, [
  {
    id: "peer-off",
    title: "where PEER is switched off: UNSUPP_OPCODE",
    needs: ["pcp"],
    steps: [{ send: peer(), expect: refused("82", RESULT.UNSUPP_OPCODE), effects: [], mappings: [] }],
  },
  {
    id: "peer-off-map",
    title: "where PEER is switched off, MAP is not",
    needs: ["map"],
    steps: [{ send: map(), expect: mapped() }],
  },
  {
    id: "announce-off",
    title: "where ANNOUNCE is switched off: UNSUPP_OPCODE",
    requirements: ["S-11"],
    clause: "RFC 6887 8.2",
    lacks: ["announce"],
    needs: ["pcp"],
    configuration: { announce: false },
    steps: [{ send: announce(), expect: refused("80", RESULT.UNSUPP_OPCODE) }],
  },
])

const zeros = group({ requirements: ["S-61"], clause: "RFC 6887 12.1", needs: ["peer"] }, [
  {
    id: "peer-protocol-0",
    title: "PEER with protocol 0: MALFORMED_REQUEST",
    steps: [{ send: peer({ protocol: 0 }), expect: BAD, effects: [] }],
  },
  {
    id: "peer-port-0",
    title: "PEER with internal port 0: MALFORMED_REQUEST",
    steps: [{ send: peer({ port: "0000" }), expect: BAD, effects: [] }],
  },
  {
    id: "peer-remote-port-0",
    title: "PEER with remote peer port 0: MALFORMED_REQUEST",
    steps: [{ send: peer({ remotePort: "0000" }), expect: BAD, effects: [] }],
  },
  {
    id: "peer-both-ports-0",
    title: "PEER with both ports 0: MALFORMED_REQUEST",
    steps: [{ send: peer({ port: "0000", remotePort: "0000" }), expect: BAD, effects: [] }],
  },
  {
    id: "peer-zeros-lifetime-0",
    title: "PEER with a port 0 and lifetime 0 is no wildcard deletion: MALFORMED_REQUEST",
    steps: [{ send: peer({ port: "0000", lifetime: 0 }), expect: BAD, effects: [] }],
  },
  ...[1, 33, 47, 58].map((protocol) => ({
    id: `peer-protocol-${protocol}`,
    title: `PEER with protocol ${protocol} where it is not supported: UNSUPP_PROTOCOL`,
    requirements: ["S-61", "S-43"],
    clause: "RFC 6887 7.4",
    level: "in effect" as const,
    lacks: ["other-protocols"] as const,
    steps: [{ send: peer({ protocol }), expect: refused("82", UNSUPP_PROTOCOL), effects: [] }],
  })),
])

const copied = group({ requirements: ["S-62"], clause: "RFC 6887 12.3", needs: ["peer"] }, [
  ...[
    { name: "udp", protocol: 17 },
    { name: "tcp", protocol: TCP },
  ].map(({ name, protocol }) => ({
    id: `peer-copies-${name}`,
    title: `protocol (${name}), internal port, remote peer and nonce come back`,
    steps: [
      {
        send: peer({ protocol, remotePort: u16(51000), remote: "{remote2}" }),
        expect: peered({ protocol, nonce: "{nonce}", port: "{port}", remotePort: u16(51000), remote: "{remote2}" }),
        mappings: [
          { kind: "peer" as const, protocol, internalPort: "{port}", remote: "{remote2}", remotePort: u16(51000) },
        ],
      },
    ],
  })),
  ...["0001", "ffff"].map((remotePort) => ({
    id: `peer-remote-port-${remotePort}`,
    title: `remote peer port ${Number.parseInt(remotePort, 16)} comes back`,
    steps: [{ send: peer({ remotePort }), expect: peered({ remotePort }) }],
  })),
])

const validated = group({ requirements: ["S-63"], clause: "RFC 6887 12.3", needs: ["peer"], kinds: IPV4 }, [
  ...["0.0.0.0", "127.0.0.1", "224.0.0.1", "239.255.255.255", "255.255.255.255", "0.1.2.3"].map((text) => ({
    id: `peer-remote-${text}`,
    title: `a remote peer that no host is, ${text}: MALFORMED_REQUEST`,
    inProcess: "only of devices that validate destinations of implicit mappings",
    steps: [{ send: peer({ remote: ip4(text) }), expect: BAD, effects: [] }],
  })),
  {
    id: "peer-remote-ipv6",
    title: "an IPv6 remote peer of a device whose inside is IPv4: refused",
    steps: [
      {
        send: peer({ remote: "20010db8000000000000000000000001" }),
        expect: [BAD, refused("82", CANNOT_PROVIDE_EXTERNAL), refused("82", RESULT.NETWORK_FAILURE)],
        effects: [],
      },
    ],
  },
])

const creation = group({ requirements: ["S-64"], clause: "RFC 6887 12.3", needs: ["peer"], kinds: NATS }, [
  {
    id: "peer-no-suggestion",
    title: "no suggestion: an external end is assigned",
    steps: [
      {
        send: peer(),
        expect: peered(),
        where: [{ name: "externalPort", atLeast: 1 }],
        effects: [{ type: "created", kind: "peer", internalPort: "{port}" }],
      },
    ],
  },
  {
    id: "peer-suggestion",
    title: "a suggestion that can be had is assigned",
    steps: [{ send: peer({ suggestedPort: "{suggested}" }), expect: peered({ externalPort: "{suggested}" }) }],
  },
  {
    id: "peer-suggestion-taken",
    title: "a suggestion that another mapping has: CANNOT_PROVIDE_EXTERNAL",
    needs: ["peer", "map"],
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped() },
      {
        send: peer({ port: "{port2}", suggestedPort: "{externalPort}", suggested: "{external}" }),
        expect: refused("82", CANNOT_PROVIDE_EXTERNAL),
        effects: [],
      },
    ],
  },
  {
    id: "peer-suggestion-taken-no-state",
    title: "a PEER refused with CANNOT_PROVIDE_EXTERNAL leaves no state: any nonce is free to ask",
    requirements: ["S-64", "S-10"],
    needs: ["peer", "map"],
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped() },
      {
        send: peer({ port: "{port2}", suggestedPort: "{externalPort}", suggested: "{external}" }),
        expect: refused("82", CANNOT_PROVIDE_EXTERNAL),
        effects: [],
      },
      {
        send: peer({ port: "{port2}", nonce: "{nonce2}" }),
        expect: peered({ port: "{port2}", nonce: "{nonce2}", externalPort: "{second:2}" }),
      },
    ],
  },
  ...["192.0.2.99", "127.0.0.1", "224.0.0.1"].map((text) => ({
    id: `peer-suggestion-${text}`,
    title: `a suggested address that can't be had, ${text}: CANNOT_PROVIDE_EXTERNAL`,
    kinds: ["nat444"] as const,
    steps: [{ send: peer({ suggested: ip4(text) }), expect: refused("82", CANNOT_PROVIDE_EXTERNAL), effects: [] }],
  })),
  {
    id: "peer-two-remotes",
    title: "a second remote peer of the same internal end is a mapping of its own",
    steps: [
      { send: peer(), expect: peered() },
      {
        send: peer({ remotePort: u16(8080) }),
        expect: peered({ remotePort: u16(8080), externalPort: "?2" }),
        mappings: [
          { kind: "peer", remotePort: u16(443) },
          { kind: "peer", remotePort: u16(8080) },
        ],
      },
    ],
  },
])

const existing = group({ requirements: ["S-65"], clause: "RFC 6887 12.3", needs: ["peer"] }, [
  {
    id: "peer-implicit",
    title: "an implicit mapping without a PEER before: its end is the answer, whatever was suggested",
    inProcess: "needs a packet through the device",
    steps: [
      { outbound: { protocol: 17, port: "{port}" } },
      { at: 1000, send: peer(), expect: peered() },
      { at: 2000, send: peer({ suggestedPort: "{suggested}", suggested: ip4("192.0.2.99") }), expect: peered() },
    ],
  },
  {
    id: "peer-implicit-suggestion",
    title: "an implicit mapping: the first PEER's suggestion is not looked at",
    inProcess: "needs a packet through the device",
    steps: [
      { outbound: { protocol: 17, port: "{port}" } },
      { at: 1000, send: peer({ suggested: ip4("192.0.2.99") }), expect: peered() },
    ],
  },
  {
    id: "peer-nonce-remembered",
    title: "the nonce of the first PEER is remembered",
    requirements: ["S-65", "S-66"],
    inProcess: "needs a packet through the device",
    steps: [
      { outbound: { protocol: 17, port: "{port}" } },
      { at: 1000, send: peer(), expect: peered() },
      { at: 2000, send: peer({ nonce: "{nonce2}" }), expect: refused("82", NOT_AUTHORIZED), effects: [] },
    ],
  },
  {
    id: "peer-again",
    title: "the same PEER again has the same external end",
    steps: [
      { send: peer(), expect: peered() },
      { send: peer(), expect: peered() },
    ],
  },
  {
    id: "peer-of-map",
    title: "PEER for the internal end of a MAP mapping has its external end",
    needs: ["peer", "map"],
    kinds: NATS,
    steps: [
      { send: map(), expect: mapped() },
      { send: peer(), expect: peered() },
    ],
  },
])

const nonces = group({ requirements: ["S-66"], clause: "RFC 6887 12.3", needs: ["peer"], kinds: NATS }, [
  {
    id: "peer-nonce-other",
    title: "another nonce for a PEER mapping that is there: NOT_AUTHORIZED",
    steps: [
      { send: peer(), expect: peered() },
      { send: peer({ nonce: "{nonce2}" }), expect: refused("82", NOT_AUTHORIZED), effects: [] },
    ],
  },
  {
    id: "peer-nonce-lifetime",
    title: "the lifetime of that error is what the mapping has left",
    steps: [
      { send: peer({ lifetime: 600 }), expect: peered({ lifetime: "{granted:4}" }) },
      {
        send: peer({ nonce: "{nonce2}" }),
        expect: refused("82", NOT_AUTHORIZED, { lifetime: "{left:4}" }),
        where: [{ name: "left", minus: "granted", atLeast: -5, atMost: 0 }],
      },
    ],
  },
  {
    id: "peer-nonce-lifetime-later",
    title: "100 of 600 seconds later the error lasts 500 seconds",
    inProcess: "takes minutes",
    steps: [
      { send: peer({ lifetime: 600 }), expect: peered({ lifetime: 600 }) },
      { at: 100_000, send: peer({ nonce: "{nonce2}" }), expect: refused("82", NOT_AUTHORIZED, { lifetime: 500 }) },
    ],
  },
  {
    id: "peer-nonce-keeps",
    title: "a PEER with another nonce leaves the mapping to its owner",
    requirements: ["S-66", "S-10"],
    steps: [
      { send: peer(), expect: peered() },
      { send: peer({ nonce: "{nonce2}" }), expect: refused("82", NOT_AUTHORIZED) },
      { send: peer(), expect: peered() },
    ],
  },
])

const preferFailure = group({ requirements: ["S-67"], clause: "RFC 6887 13.2", needs: ["peer"] }, [
  {
    id: "peer-prefer-failure",
    title: "PREFER_FAILURE with PEER: MALFORMED_REQUEST",
    steps: [{ send: peer({ suggestedPort: "{suggested}", options: PREFER_FAILURE }), expect: BAD, effects: [] }],
  },
  {
    id: "peer-prefer-failure-port-0",
    title: "PREFER_FAILURE with PEER and no suggestion: MALFORMED_REQUEST all the same",
    steps: [{ send: peer({ options: PREFER_FAILURE }), expect: BAD, effects: [] }],
  },
  {
    id: "peer-prefer-failure-second",
    title: "PREFER_FAILURE behind another option of PEER: MALFORMED_REQUEST",
    steps: [{ send: peer({ options: `${option(224, "00000000")} ${PREFER_FAILURE}` }), expect: BAD, effects: [] }],
  },
])

const lifetimes = [
  ...group({ requirements: ["S-68"], clause: "RFC 6887 12.3", needs: ["peer"], level: "SHOULD" }, [
    {
      id: "peer-lifetime-granted",
      title: "PEER is granted longer than an implicit mapping would last: hours are had for the asking",
      configuration: { idleTimeout: { udp: 120, tcp: 120 } },
      steps: [
        {
          send: peer({ lifetime: 600 }),
          expect: peered({ lifetime: "{granted:4}" }),
          where: [{ name: "granted", atLeast: 300 }],
        },
      ],
    },
    {
      id: "peer-lifetime-exact",
      title: "what is asked within the limits is granted",
      inProcess: "the server's limits are not known",
      steps: [{ send: peer({ lifetime: 7200 }), expect: peered({ lifetime: 7200 }), mappings: [{ lifetime: 7200 }] }],
    },
  ]),
  ...group({ requirements: ["S-69"], clause: "RFC 6887 12.1", needs: ["peer"], kinds: NATS }, [
    {
      id: "peer-not-shorter",
      title: "PEER with a shorter lifetime does not shorten",
      steps: [
        { send: peer({ lifetime: 600 }), expect: peered({ lifetime: "{first:4}" }) },
        {
          send: peer({ lifetime: 120 }),
          expect: peered({ lifetime: "{second:4}" }),
          where: [{ name: "second", minus: "first", atLeast: -5 }],
        },
      ],
    },
    {
      id: "peer-not-deleted",
      title: "PEER with lifetime 0 deletes nothing",
      steps: [
        { send: peer({ lifetime: 600 }), expect: peered({ lifetime: "{first:4}" }) },
        { send: peer({ lifetime: 0 }), expect: "02 82 ?1 ?1 ...", mappings: [{ kind: "peer" }] },
        {
          send: peer({ lifetime: 120 }),
          expect: peered({ lifetime: "{second:4}" }),
          where: [{ name: "second", minus: "first", atLeast: -5 }],
        },
      ],
    },
    {
      id: "peer-not-deleted-by-map",
      title: "a deletion by MAP can't delete a PEER mapping: NOT_AUTHORIZED",
      requirements: ["S-69", "S-134"],
      clause: "RFC 6887 15.1",
      needs: ["peer", "map"],
      steps: [
        { send: peer(), expect: peered() },
        {
          send: map({ lifetime: 0 }),
          expect: refused("81", NOT_AUTHORIZED),
          effects: [],
          mappings: [{ kind: "peer" }],
        },
      ],
    },
    {
      id: "peer-remaining",
      title: "a query with a short lifetime is told what is left, by the second",
      inProcess: "takes minutes",
      steps: [
        { send: peer({ lifetime: 3600 }), expect: peered({ lifetime: 3600 }) },
        { at: 1_000_000, send: peer({ lifetime: 120 }), expect: peered({ lifetime: 2600 }) },
        { at: 1_500_000, send: peer({ lifetime: 0 }), expect: peered({ lifetime: 2100 }) },
      ],
    },
  ]),
  ...group({ requirements: ["S-70"], clause: "RFC 6887 12.3", inProcess: "needs packets through the device" }, [
    {
      id: "peer-reverts",
      title: "a PEER mapping that was not renewed lives on while there is traffic, as an implicit one",
      configuration: { idleTimeout: { udp: 300, tcp: 300 } },
      steps: [
        { send: peer({ lifetime: 120 }), expect: peered() },
        { at: 100_000, outbound: { protocol: 17, port: "{port}" } },
        { at: 200_000, mappings: [{ kind: "implicit", internalPort: "{port}" }] },
        { at: 210_000, send: peer({ nonce: "{nonce2}" }), expect: peered({ nonce: "{nonce2}" }) },
      ],
    },
    {
      id: "peer-ends",
      title: "a PEER mapping that was not renewed and has no traffic is gone",
      steps: [
        { send: peer({ lifetime: 120 }), expect: peered() },
        { at: 120_000, mappings: [], effects: [{ type: "expired", kind: "peer" }] },
      ],
    },
    {
      id: "peer-epoch",
      title: "PEER responses have the Epoch Time",
      requirements: ["S-07"],
      clause: "RFC 6887 7.2",
      steps: [
        { at: 61_000, send: peer(), expect: peered({ epoch: u32(61) }) },
        { at: 62_000, send: announce(), expect: announced({ epoch: u32(62) }) },
      ],
    },
  ]),
]

export const peers: readonly Case[] = [
  ...off,
  ...zeros,
  ...copied,
  ...validated,
  ...creation,
  ...existing,
  ...nonces,
  ...preferFailure,
  ...lifetimes,
]
