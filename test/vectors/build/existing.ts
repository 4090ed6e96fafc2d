/** RFC 6887 section 11.3: MAP for an internal end that has a mapping, static or dynamic. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group, SET_UP } from "./group.ts"
import { NATS } from "./kinds.ts"
import { ip4, map, mapped, PREFER_FAILURE, peer, peered, RESULT, refused, TCP, u16 } from "./packet.ts"

const { NOT_AUTHORIZED, CANNOT_PROVIDE_EXTERNAL } = RESULT

const STATIC = {
  protocol: 6,
  internal: "10.0.0.1",
  internalPort: 4000,
  external: "203.0.113.1",
  externalPort: 8443,
} as const

const statics = group(
  {
    requirements: ["S-45"],
    clause: "RFC 6887 11.3",
    kinds: ["nat444"],
    configuration: { staticMappings: [STATIC] },
    inProcess: SET_UP,
  },
  [
    {
      id: "static-any-nonce",
      title: "a static mapping answers any nonce, and any other after it",
      steps: [
        {
          send: map({ protocol: TCP, port: u16(4000) }),
          expect: mapped({ protocol: TCP, port: u16(4000), externalPort: u16(8443), external: ip4("203.0.113.1") }),
        },
        {
          send: map({ protocol: TCP, port: u16(4000), nonce: "{nonce2}" }),
          expect: mapped({ protocol: TCP, port: u16(4000), nonce: "{nonce2}", externalPort: u16(8443) }),
          effects: [],
        },
      ],
    },
    {
      id: "static-lifetime",
      title: "a static mapping's lifetime is 2^32-1 seconds",
      requirements: ["S-45", "S-47"],
      level: "SHOULD",
      steps: [
        {
          send: map({ protocol: TCP, port: u16(4000) }),
          expect: mapped({ protocol: TCP, port: u16(4000), lifetime: 0xffffffff, externalPort: u16(8443) }),
        },
      ],
    },
    {
      id: "static-suggestion",
      title: "a static mapping's end is the answer whatever was suggested",
      requirements: ["S-47"],
      steps: [
        {
          send: map({ protocol: TCP, port: u16(4000), suggestedPort: "{suggested}" }),
          expect: mapped({ protocol: TCP, port: u16(4000), externalPort: u16(8443) }),
        },
      ],
    },
    {
      id: "static-prefer-failure",
      title: "PREFER_FAILURE with another end than the static mapping's: CANNOT_PROVIDE_EXTERNAL",
      requirements: ["S-47"],
      steps: [
        {
          send: map({ protocol: TCP, port: u16(4000), suggestedPort: "{suggested}", options: PREFER_FAILURE }),
          expect: refused("81", CANNOT_PROVIDE_EXTERNAL),
          effects: [],
        },
      ],
    },
    {
      id: "static-prefer-failure-same",
      title: "PREFER_FAILURE with the static mapping's own end: SUCCESS",
      requirements: ["S-47"],
      steps: [
        {
          send: map({
            protocol: TCP,
            port: u16(4000),
            suggestedPort: u16(8443),
            suggested: ip4("203.0.113.1"),
            options: PREFER_FAILURE,
          }),
          expect: mapped({ protocol: TCP, port: u16(4000), externalPort: u16(8443), options: PREFER_FAILURE }),
        },
      ],
    },
    {
      id: "static-delete",
      title: "a static mapping can't be deleted: NOT_AUTHORIZED",
      requirements: ["S-134"],
      clause: "RFC 6887 15.1",
      steps: [
        {
          send: map({ protocol: TCP, port: u16(4000), lifetime: 0 }),
          expect: refused("81", NOT_AUTHORIZED),
          effects: [],
          mappings: [{ kind: "static", protocol: 6, internalPort: u16(4000) }],
        },
      ],
    },
    {
      id: "static-address",
      title: "a host with a static mapping gets other mappings on the same external address",
      requirements: ["S-53"],
      clause: "RFC 6887 10",
      configuration: {
        external: ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"],
        staticMappings: [{ ...STATIC, external: "203.0.113.3" }],
      },
      steps: [{ send: map(), expect: mapped({ external: ip4("203.0.113.3") }) }],
    },
    {
      id: "static-end-taken",
      title: "a static mapping's external port goes to nobody else",
      requirements: ["S-48"],
      steps: [
        {
          from: "client2",
          send: map({ client: "{client2}", protocol: TCP, suggestedPort: u16(8443) }),
          expect: mapped({ protocol: TCP }),
          where: [{ name: "externalPort", differsFrom: "staticPort" }],
        },
      ],
    },
  ],
)

const existing = group({ requirements: ["S-47"], clause: "RFC 6887 11.3", needs: ["map"] }, [
  {
    id: "existing-keeps-end",
    title: "a renewal gets the external end that it has",
    steps: [
      { send: map(), expect: mapped() },
      { send: map(), expect: mapped() },
    ],
  },
  {
    id: "existing-other-suggestion",
    title: "a renewal gets the external end that it has, whatever port it suggests",
    kinds: NATS,
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped() },
    ],
  },
  {
    id: "existing-other-address",
    title: "a renewal gets the external end that it has, whatever address it suggests",
    kinds: ["nat444"],
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ suggested: ip4("192.0.2.99") }), expect: mapped() },
    ],
  },
  {
    id: "existing-lifetime",
    title: "a renewal sets the lifetime anew",
    steps: [
      { send: map({ lifetime: 600 }), expect: mapped({ lifetime: "{first:4}" }) },
      {
        send: map({ lifetime: 3600 }),
        expect: mapped({ lifetime: "{second:4}" }),
        where: [{ name: "second", atLeast: 600 }],
        effects: [{ type: "renewed", lifetime: 3600 }],
      },
    ],
  },
  {
    id: "existing-prefer-failure-other-port",
    title: "PREFER_FAILURE with another port than the mapping's: CANNOT_PROVIDE_EXTERNAL",
    needs: ["map", "prefer-failure"],
    kinds: NATS,
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped() },
      {
        send: map({ suggestedPort: "{suggested2}", suggested: "{external}", options: PREFER_FAILURE }),
        expect: refused("81", CANNOT_PROVIDE_EXTERNAL),
        effects: [],
      },
    ],
  },
  {
    id: "existing-prefer-failure-other-address",
    title: "PREFER_FAILURE with another address than the mapping's: CANNOT_PROVIDE_EXTERNAL",
    needs: ["map", "prefer-failure"],
    kinds: ["nat444"],
    steps: [
      { send: map(), expect: mapped() },
      {
        send: map({ suggestedPort: "{externalPort}", suggested: ip4("192.0.2.99"), options: PREFER_FAILURE }),
        expect: refused("81", CANNOT_PROVIDE_EXTERNAL),
        effects: [],
      },
    ],
  },
  {
    id: "existing-prefer-failure-same",
    title: "PREFER_FAILURE with the mapping's own end renews it",
    needs: ["map", "prefer-failure"],
    steps: [
      { send: map(), expect: mapped() },
      {
        send: map({ suggestedPort: "{externalPort}", suggested: "{external}", options: PREFER_FAILURE }),
        expect: mapped({ options: PREFER_FAILURE }),
      },
    ],
  },
  {
    id: "existing-implicit",
    title: "an implicit mapping's external end is the inbound mapping's too",
    level: "SHOULD",
    inProcess: "needs a packet through the device",
    steps: [
      { outbound: { protocol: 17, port: "{port}" } },
      {
        at: 1000,
        send: map(),
        expect: mapped(),
        effects: [{ type: "created", kind: "map", internalPort: "{port}" }],
      },
    ],
  },
  {
    id: "existing-peer",
    title: "a PEER mapping's external end is the inbound mapping's too, and both are there",
    level: "SHOULD",
    needs: ["map", "peer"],
    steps: [
      { send: peer(), expect: peered() },
      { send: map(), expect: mapped(), mappings: [{ kind: "peer" }, { kind: "map" }] },
    ],
  },
])
export const existingMappings: readonly Case[] = [...statics, ...existing]
