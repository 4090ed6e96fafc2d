/** RFC 6887 section 11.3: MAP requests, protocol and ports, nonces. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group, SET_UP } from "./group.ts"
import { NATS, STATEFUL } from "./kinds.ts"
import { announce, announced, map, mapped, RESULT, refused, SCTP, TCP, thirdParty } from "./packet.ts"

const { NOT_AUTHORIZED, MALFORMED_REQUEST, UNSUPP_PROTOCOL } = RESULT

const off = group(
  { requirements: ["S-40"], clause: "RFC 6887 11", needs: ["pcp"], lacks: ["map"], configuration: { map: false } },
  [
    {
      id: "map-off",
      title: "where MAP is switched off: UNSUPP_OPCODE",
      steps: [{ send: map(), expect: refused("81", RESULT.UNSUPP_OPCODE), effects: [], mappings: [] }],
    },
    {
      id: "map-off-delete",
      title: "where MAP is switched off, so are deletions: UNSUPP_OPCODE",
      steps: [{ send: map({ lifetime: 0 }), expect: refused("81", RESULT.UNSUPP_OPCODE) }],
    },
    {
      id: "map-off-announce",
      title: "where MAP is switched off, ANNOUNCE is not",
      needs: ["announce"],
      steps: [{ send: announce(), expect: announced() }],
    },
  ],
)

const copied = group({ requirements: ["S-42"], clause: "RFC 6887 11.3", needs: ["map"] }, [
  ...[
    ["udp", 17],
    ["tcp", 6],
  ].map(([name, protocol]) => ({
    id: `map-copies-${name}`,
    title: `protocol (${name}), internal port and nonce come back`,
    steps: [
      {
        send: map({ protocol: Number(protocol) }),
        expect: mapped({ protocol: Number(protocol), nonce: "{nonce}", port: "{port}" }),
        mappings: [{ kind: "map", protocol: Number(protocol), internal: "{client}", internalPort: "{port}" }],
      },
    ],
  })),
  ...["0001", "0050", "03ff", "0400", "ffff"].map((port) => ({
    id: `map-port-${Number.parseInt(port, 16)}`,
    title: `internal port ${Number.parseInt(port, 16)} is mapped like any other`,
    steps: [{ send: map({ port }), expect: mapped({ port }) }],
  })),
  {
    id: "map-nonce-zero",
    title: "a nonce of zeros is a nonce",
    steps: [{ send: map({ nonce: "00".repeat(12) }), expect: mapped({ nonce: "00".repeat(12) }) }],
  },
  {
    id: "map-nonce-ones",
    title: "a nonce of ones is a nonce",
    steps: [{ send: map({ nonce: "ff".repeat(12) }), expect: mapped({ nonce: "ff".repeat(12) }) }],
  },
  {
    id: "map-third-party-copied",
    title: "a THIRD_PARTY option that was processed comes back",
    needs: ["map", "third-party"],
    configuration: { thirdParty: true },
    steps: [
      {
        send: map({ options: thirdParty("{client2}") }),
        expect: mapped({ options: thirdParty("{client2}") }),
        mappings: [{ kind: "map", internal: "{client2}", internalPort: "{port}" }],
      },
    ],
  },
])

const zeros = group({ requirements: ["S-43"], clause: "RFC 6887 11.3", needs: ["map"] }, [
  ...["0001", "{port}", "ffff"].map((port, i) => ({
    id: `map-protocol-0-port-${i}`,
    title: "protocol 0 with an internal port: MALFORMED_REQUEST",
    steps: [{ send: map({ protocol: 0, port }), expect: refused("81", MALFORMED_REQUEST), effects: [] }],
  })),
  ...[17, 6].map((protocol) => ({
    id: `map-all-ports-${protocol}`,
    title: `all ports of protocol ${protocol} where that can't be had in its entirety: UNSUPP_PROTOCOL`,
    lacks: ["all-ports"] as const,
    kinds: NATS,
    steps: [{ send: map({ protocol, port: "0000" }), expect: refused("81", UNSUPP_PROTOCOL), effects: [] }],
  })),
  {
    id: "map-everything",
    title: "protocol 0 and port 0, everything for one host, where that can't be had: UNSUPP_PROTOCOL",
    lacks: ["one-to-one"],
    kinds: NATS,
    steps: [{ send: map({ protocol: 0, port: "0000" }), expect: refused("81", UNSUPP_PROTOCOL), effects: [] }],
  },
  ...[1, 2, 33, 41, 47, 50, 58, SCTP, 136, 253, 255].map((protocol) => ({
    id: `map-protocol-${protocol}`,
    title: `protocol ${protocol} where it is not supported: UNSUPP_PROTOCOL`,
    lacks: ["other-protocols"] as const,
    kinds: NATS,
    steps: [{ send: map({ protocol }), expect: refused("81", UNSUPP_PROTOCOL), effects: [] }],
  })),
  {
    id: "map-protocol-before-nonce",
    title: "protocol and port zero are looked at before the mapping: another nonce makes no difference",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ nonce: "{nonce2}", protocol: 0 }), expect: refused("81", MALFORMED_REQUEST) },
    ],
  },
  {
    id: "map-all-ports-on",
    title: "all ports of a protocol, where it can be had: internal and external port 0 stand for all",
    needs: ["map", "other-protocols", "all-ports"],
    configuration: { otherProtocols: true, port0: true },
    kinds: ["nat444"],
    inProcess: SET_UP,
    steps: [
      {
        send: map({ protocol: TCP, port: "0000" }),
        expect: mapped({ protocol: TCP, port: "0000", externalPort: "0000" }),
      },
    ],
  },
  {
    id: "map-all-ports-taken",
    title: "all ports of a protocol where another host has one of them: not in its entirety, UNSUPP_PROTOCOL",
    configuration: { otherProtocols: true, port0: true },
    kinds: ["nat444"],
    inProcess: SET_UP,
    steps: [
      { from: "client2", send: map({ client: "{client2}", protocol: TCP }), expect: mapped({ protocol: TCP }) },
      { send: map({ protocol: TCP, port: "0000" }), expect: refused("81", UNSUPP_PROTOCOL), effects: [] },
    ],
  },
  {
    id: "map-everything-on",
    title: "everything for one host, where it can be had",
    configuration: { otherProtocols: true, port0: true, oneToOne: true },
    kinds: ["nat444"],
    inProcess: SET_UP,
    steps: [
      {
        send: map({ protocol: 0, port: "0000" }),
        expect: mapped({ protocol: 0, port: "0000", externalPort: "0000" }),
      },
    ],
  },
  {
    id: "map-everything-without-one-to-one",
    title: "all ports are allowed, one-to-one is not: protocol 0 and port 0 is UNSUPP_PROTOCOL",
    configuration: { otherProtocols: true, port0: true },
    kinds: ["nat444"],
    inProcess: SET_UP,
    steps: [{ send: map({ protocol: 0, port: "0000" }), expect: refused("81", UNSUPP_PROTOCOL), effects: [] }],
  },
])

const nonces = group({ requirements: ["S-44"], clause: "RFC 6887 11.3", needs: ["map"], kinds: STATEFUL }, [
  {
    id: "nonce-renewal-same",
    title: "the mapping's own nonce renews it",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ lifetime: 3600 }), expect: mapped(), effects: [{ type: "renewed", kind: "map" }] },
    ],
  },
  {
    id: "nonce-renewal-other",
    title: "another nonce for a mapping that is there: NOT_AUTHORIZED",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED), effects: [] },
    ],
  },
  ...[0, 5, 11].map((octet) => ({
    id: `nonce-differs-${octet}`,
    title: `a nonce that differs in octet ${octet} alone is another nonce`,
    steps: [
      { send: map({ nonce: "a1".repeat(12) }), expect: mapped({ nonce: "a1".repeat(12) }) },
      {
        send: map({ nonce: `${"a1".repeat(octet)}a0${"a1".repeat(11 - octet)}` }),
        expect: refused("81", NOT_AUTHORIZED),
      },
    ],
  })),
  {
    id: "nonce-error-lifetime",
    title: "the lifetime of that error is what the mapping has left",
    steps: [
      { send: map({ lifetime: 3600 }), expect: mapped({ lifetime: "{granted:4}" }) },
      {
        send: map({ nonce: "{nonce2}" }),
        expect: refused("81", NOT_AUTHORIZED, { lifetime: "{left:4}" }),
        where: [{ name: "left", minus: "granted", atLeast: -5, atMost: 0 }],
      },
    ],
  },
  {
    id: "nonce-error-lifetime-later",
    title: "600 of 3600 seconds later the error lasts 3000 seconds",
    inProcess: "takes ten minutes",
    steps: [
      { send: map({ lifetime: 3600 }), expect: mapped({ lifetime: 3600 }) },
      {
        at: 600_000,
        send: map({ nonce: "{nonce2}" }),
        expect: refused("81", NOT_AUTHORIZED, { lifetime: 3000 }),
      },
    ],
  },
  {
    id: "nonce-other-port",
    title: "another nonce for another internal port is a new mapping",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      {
        send: map({ nonce: "{nonce2}", port: "{port2}" }),
        expect: mapped({ nonce: "{nonce2}", port: "{port2}", externalPort: "{externalPort2:2}" }),
      },
    ],
  },
  {
    id: "nonce-other-protocol",
    title: "another nonce for another protocol is a new mapping",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      {
        send: map({ nonce: "{nonce2}", protocol: TCP }),
        expect: mapped({ nonce: "{nonce2}", protocol: TCP, externalPort: "{externalPort2:2}" }),
      },
    ],
  },
  {
    id: "nonce-same-for-many",
    title: "one nonce may serve many mappings",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{externalPort2:2}" }) },
      { send: map({ port: "{port3}" }), expect: mapped({ port: "{port3}", externalPort: "{externalPort3:2}" }) },
    ],
  },
  {
    id: "nonce-other-host",
    title: "another host's mapping of the same port does not bind the nonce",
    level: "in effect",
    needs: ["map", "second-host"],
    steps: [
      { send: map(), expect: mapped() },
      {
        from: "client2",
        send: map({ client: "{client2}", nonce: "{nonce2}" }),
        expect: mapped({ nonce: "{nonce2}", externalPort: "{externalPort2:2}", external: "{external2:16}" }),
      },
    ],
  },
  {
    id: "nonce-error-keeps-mapping",
    title: "a request with another nonce leaves the mapping to its owner",
    requirements: ["S-44", "S-10"],
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
      { send: map(), expect: mapped() },
    ],
  },
])
export const mapping: readonly Case[] = [...off, ...copied, ...zeros, ...nonces]
