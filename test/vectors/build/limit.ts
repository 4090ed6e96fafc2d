/** RFC 6887 sections 11.3, 15, 16: limits, SCTP, what traffic and address leases do. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group, SET_UP } from "./group.ts"
import { map, mapped, peer, peered, RESULT, refused, SCTP, u32 } from "./packet.ts"

const { USER_EX_QUOTA, CANNOT_PROVIDE_EXTERNAL } = RESULT

const quota = group(
  { requirements: ["S-52"], clause: "RFC 6887 11.3", configuration: { quota: 2 }, inProcess: SET_UP },
  [
    {
      id: "quota-reached",
      title: "the mapping over the limit: USER_EX_QUOTA",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
        { send: map({ port: "{port3}" }), expect: refused("81", USER_EX_QUOTA), effects: [] },
      ],
    },
    {
      id: "quota-renewal",
      title: "a renewal is none over the limit",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
        { send: map(), expect: mapped() },
      ],
    },
    {
      id: "quota-other-host",
      title: "one host's limit is not another's",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
        {
          from: "client2",
          send: map({ client: "{client2}" }),
          expect: mapped({ externalPort: "{third:2}", external: "?16" }),
        },
      ],
    },
    {
      id: "quota-after-deletion",
      title: "a deletion makes room",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
        { send: map({ lifetime: 0 }), expect: "02 81 ?1 00 ..." },
        { send: map({ port: "{port3}" }), expect: mapped({ port: "{port3}", externalPort: "{third:2}" }) },
      ],
    },
    {
      id: "quota-after-expiry",
      title: "a mapping that ran out makes room",
      steps: [
        { send: map({ lifetime: 120 }), expect: mapped() },
        { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
        { at: 120_000, send: map({ port: "{port3}" }), expect: mapped({ port: "{port3}", externalPort: "{third:2}" }) },
      ],
    },
    {
      id: "quota-peer",
      title: "PEER mappings count too",
      steps: [
        { send: map(), expect: mapped() },
        { send: peer({ port: "{port2}" }), expect: peered({ port: "{port2}", externalPort: "{second:2}" }) },
        { send: peer({ port: "{port3}" }), expect: refused("82", USER_EX_QUOTA), effects: [] },
      ],
    },
  ],
)

const sctp = group(
  {
    requirements: ["S-54"],
    clause: "RFC 6887 16.3.3",
    kinds: ["nat444"],
    configuration: { otherProtocols: true },
    needs: ["map", "other-protocols"],
  },
  [
    {
      id: "sctp-same-port",
      title: "SCTP without rewriting ports: the external port is the internal one",
      inProcess: "not every SCTP NAT leaves ports as they are",
      steps: [{ send: map({ protocol: SCTP }), expect: mapped({ protocol: SCTP, externalPort: "{port}" }) }],
    },
    {
      id: "sctp-suggestion",
      title: "SCTP without rewriting ports: another suggestion does no harm",
      inProcess: "not every SCTP NAT leaves ports as they are",
      steps: [
        {
          send: map({ protocol: SCTP, suggestedPort: "{suggested}" }),
          expect: mapped({ protocol: SCTP, externalPort: "{port}" }),
        },
      ],
    },
    {
      id: "sctp-port-taken",
      title: "SCTP without rewriting ports: a port that another host has: CANNOT_PROVIDE_EXTERNAL",
      inProcess: "not every SCTP NAT leaves ports as they are",
      steps: [
        { from: "client2", send: map({ client: "{client2}", protocol: SCTP }), expect: mapped({ protocol: SCTP }) },
        { send: map({ protocol: SCTP }), expect: refused("81", CANNOT_PROVIDE_EXTERNAL), effects: [] },
      ],
    },
  ],
)

const outbound = [
  ...group({ requirements: ["S-55"], clause: "RFC 6887 16.2", inProcess: "needs packets through the device" }, [
    {
      id: "outbound-ends-inbound-stays",
      title: "the implicit mapping runs out, the MAP mapping of the same internal end stays",
      configuration: { idleTimeout: { udp: 60, tcp: 60 } },
      steps: [
        { send: map({ lifetime: 3600 }), expect: mapped() },
        { at: 1000, outbound: { protocol: 17, port: "{port}" } },
        { at: 300_000, mappings: [{ kind: "map", internalPort: "{port}" }] },
        { at: 301_000, send: map(), expect: mapped() },
      ],
    },
  ]),
  ...group({ requirements: ["S-56"], clause: "RFC 6887 11", inProcess: "needs packets through the device" }, [
    {
      id: "symmetric",
      title: "packets out of a mapped internal end leave by the mapping's external end",
      steps: [
        { send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
        { outbound: { protocol: 17, port: "{port}" } },
        { send: peer(), expect: peered({ externalPort: "{suggested}" }) },
      ],
    },
  ]),
  ...group({ requirements: ["S-137"], clause: "RFC 6887 15", inProcess: "needs the end of an address lease" }, [
    {
      id: "lease-ends",
      title: "when the lease of an internal address ends, its mappings are gone",
      level: "SHOULD",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
        { at: 1000, event: { type: "revoke", internal: "{client}" }, mappings: [] },
        { at: 2000, send: map({ nonce: "{nonce2}" }), expect: mapped({ nonce: "{nonce2}", externalPort: "?2" }) },
      ],
    },
    {
      id: "lease-ends-epoch",
      title: "when the lease of an internal address ends, its Epoch Time starts again, and no other host's",
      requirements: ["S-137", "S-140"],
      level: "SHOULD",
      steps: [
        { at: 50_000, event: { type: "revoke", internal: "{client}" } },
        { at: 60_000, send: map(), expect: mapped({ epoch: u32(10) }) },
        {
          at: 60_000,
          from: "client2",
          send: map({ client: "{client2}" }),
          expect: mapped({ epoch: u32(60), externalPort: "?2", external: "?16" }),
        },
      ],
    },
  ]),
]
export const limits: readonly Case[] = [...quota, ...sctp, ...outbound]
