/** RFC 6886 sections 3.3 and 3.4: mappings of NAT-PMP. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { map, mapped, peer, peered, pmpMap, pmpMapped, TCP, u16 } from "./packet.ts"

const NATPMP = { kinds: ["nat444"], needs: ["nat-pmp"] } as const

const ask = (lifetime = 3600, suggested = "0000", port = "{port}"): string => pmpMap(1, port, suggested, lifetime)

const creation = group({ requirements: ["N-03"], clause: "RFC 6886 3.3", ...NATPMP }, [
  {
    id: "natpmp-source",
    title: "the internal address is the packet's source",
    steps: [
      {
        send: ask(),
        expect: pmpMapped(1),
        mappings: [{ origin: "nat-pmp", protocol: 17, internal: "{client}", internalPort: "{port}" }],
      },
    ],
  },
  {
    id: "natpmp-no-companion",
    title: "a UDP mapping makes no TCP mapping",
    steps: [
      { send: ask(), expect: pmpMapped(1), mappings: [{ protocol: 17 }] },
      {
        send: pmpMap(2, "{port}", "{externalPort}", 3600),
        expect: pmpMapped(2, { lifetime: "?4" }),
        mappings: [{ protocol: 17 }, { protocol: 6 }],
      },
    ],
  },
  {
    id: "natpmp-companion-reserved",
    title: "the companion port of a UDP mapping goes to no other host by NAT-PMP",
    inProcess: "the two hosts may have different external addresses",
    steps: [
      { send: ask(3600, "{suggested}"), expect: pmpMapped(1) },
      {
        from: "client2",
        send: pmpMap(2, "{port2}", "{externalPort}", 3600),
        expect: pmpMapped(2, { port: "{port2}", externalPort: "{second:2}", lifetime: "?4" }),
        where: [{ name: "second", differsFrom: "externalPort" }],
      },
    ],
  },
  {
    id: "natpmp-companion-reserved-tcp",
    title: "the companion port of a TCP mapping goes to no other host by NAT-PMP",
    inProcess: "the two hosts may have different external addresses",
    steps: [
      { send: pmpMap(2, "{port}", "{suggested}", 3600), expect: pmpMapped(2) },
      {
        from: "client2",
        send: pmpMap(1, "{port2}", "{externalPort}", 3600),
        expect: pmpMapped(1, { port: "{port2}", externalPort: "{second:2}", lifetime: "?4" }),
        where: [{ name: "second", differsFrom: "externalPort" }],
      },
    ],
  },
  {
    id: "natpmp-companion-reserved-pcp",
    title: "the companion port of a NAT-PMP mapping goes to no other host by PCP",
    inProcess: "the two hosts may have different external addresses",
    steps: [
      { send: ask(3600, "{suggested}"), expect: pmpMapped(1) },
      {
        from: "client2",
        send: map({ client: "{client2}", protocol: TCP, suggestedPort: "{externalPort}" }),
        expect: mapped({ protocol: TCP, externalPort: "{second:2}" }),
        where: [{ name: "second", differsFrom: "externalPort" }],
      },
    ],
  },
  {
    id: "natpmp-companion-own",
    title: "the host itself has the companion port for the asking",
    steps: [
      { send: ask(3600, "{suggested}"), expect: pmpMapped(1) },
      {
        send: pmpMap(2, "{port2}", "{externalPort}", 3600),
        expect: pmpMapped(2, { port: "{port2}", externalPort: "{externalPort}", lifetime: "?4" }),
      },
    ],
  },
  {
    id: "natpmp-reserved-ignored",
    title: "the reserved 16 bits of a mapping request are ignored",
    steps: [{ send: pmpMap(1, "{port}", "0000", 3600, "ffff"), expect: pmpMapped(1) }],
  },
  {
    id: "natpmp-internal-port",
    title: "the internal port comes back",
    steps: [{ send: ask(3600, "0000", "ffff"), expect: pmpMapped(1, { port: "ffff" }) }],
  },
])

const renewal = group({ requirements: ["N-04"], clause: "RFC 6886 3.3", ...NATPMP }, [
  {
    id: "natpmp-again",
    title: "the same request again: the same external port",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      { send: ask(), expect: pmpMapped(1, { lifetime: "?4" }) },
    ],
  },
  {
    id: "natpmp-again-other-suggestion",
    title: "another suggested port for a mapping that is there: the port that it has",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      { send: ask(3600, "{suggested}"), expect: pmpMapped(1, { lifetime: "?4" }) },
    ],
  },
  {
    id: "natpmp-suggested",
    title: "a suggested port that is free is assigned",
    level: "in effect",
    steps: [{ send: ask(3600, "{suggested}"), expect: pmpMapped(1, { externalPort: "{suggested}" }) }],
  },
  {
    id: "natpmp-suggested-taken",
    title: "a suggested port that is taken: another is assigned",
    level: "MUST",
    steps: [
      { send: ask(3600, "{suggested}"), expect: pmpMapped(1) },
      {
        send: ask(3600, "{externalPort}", "{port2}"),
        expect: pmpMapped(1, { port: "{port2}", externalPort: "{second:2}", lifetime: "?4" }),
        where: [
          { name: "second", differsFrom: "externalPort" },
          { name: "second", atLeast: 1 },
        ],
      },
    ],
  },
  {
    id: "natpmp-no-suggestion",
    title: "no suggested port: one is assigned",
    level: "in effect",
    steps: [{ send: ask(), expect: pmpMapped(1), where: [{ name: "externalPort", atLeast: 1 }] }],
  },
  {
    id: "natpmp-tcp",
    title: "a TCP mapping by opcode 2",
    level: "in effect",
    steps: [{ send: pmpMap(2, "{port}", "0000", 3600), expect: pmpMapped(2), mappings: [{ protocol: 6 }] }],
  },
  ...[1, 60, 3600, 7200, 86400].map((lifetime) => ({
    id: `natpmp-lifetime-${lifetime}`,
    title: `asked for ${lifetime} seconds: not more is offered`,
    level: "SHOULD" as const,
    steps: [{ send: ask(lifetime), expect: pmpMapped(1), where: [{ name: "lifetime", atLeast: 1, atMost: lifetime }] }],
  })),
  {
    id: "natpmp-lifetime-cut",
    title: "a lifetime over the most is cut",
    level: "MAY",
    inProcess: "the server's limits are not known",
    steps: [{ send: ask(0xffffffff), expect: pmpMapped(1, { lifetime: 86400 }) }],
  },
  {
    id: "natpmp-lifetime-renewed",
    title: "a renewal is offered no more than it asks, though there was more",
    level: "SHOULD",
    steps: [
      { send: ask(7200), expect: pmpMapped(1, { lifetime: "?4" }) },
      { send: ask(600), expect: pmpMapped(1), where: [{ name: "lifetime", atLeast: 1, atMost: 600 }] },
    ],
  },
  {
    id: "natpmp-implicit",
    title: "an implicit mapping's external port is the answer",
    inProcess: "needs a packet through the device",
    steps: [
      { outbound: { protocol: 17, port: "{port}" } },
      { at: 1000, send: peer(), expect: peered() },
      { at: 2000, send: ask(), expect: pmpMapped(1) },
    ],
  },
  {
    id: "natpmp-static",
    title: "a static mapping's external port is the answer",
    inProcess: "needs a configuration of its own",
    configuration: {
      staticMappings: [
        { protocol: 17, internal: "10.0.0.1", internalPort: 4000, external: "203.0.113.1", externalPort: 8443 },
      ],
    },
    steps: [
      { send: ask(3600, "{suggested}", u16(4000)), expect: pmpMapped(1, { port: u16(4000), externalPort: u16(8443) }) },
    ],
  },
])

const deletion = group({ requirements: ["N-05"], clause: "RFC 6886 3.4", ...NATPMP }, [
  {
    id: "natpmp-delete",
    title: "a deletion: success, external port 0, lifetime 0",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      { send: ask(0), expect: pmpMapped(1, { externalPort: "0000", lifetime: 0 }), mappings: [] },
    ],
  },
  {
    id: "natpmp-delete-suggested",
    title: "a deletion's suggested port is ignored",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      { send: ask(0, "{suggested}"), expect: pmpMapped(1, { externalPort: "0000", lifetime: 0 }), mappings: [] },
    ],
  },
  {
    id: "natpmp-delete-twice",
    title: "the second deletion has the same answer",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      { send: ask(0), expect: pmpMapped(1, { externalPort: "0000", lifetime: 0 }) },
      { send: ask(0), expect: pmpMapped(1, { externalPort: "0000", lifetime: 0 }), effects: [] },
    ],
  },
  {
    id: "natpmp-delete-nothing",
    title: "a deletion of what is not there: success",
    steps: [{ send: ask(0), expect: pmpMapped(1, { externalPort: "0000", lifetime: 0 }), effects: [] }],
  },
  {
    id: "natpmp-delete-other-protocol",
    title: "a deletion of UDP leaves TCP",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      { send: pmpMap(2, "{port}", "0000", 3600), expect: pmpMapped(2, { externalPort: "?2", lifetime: "?4" }) },
      { send: ask(0), expect: pmpMapped(1, { externalPort: "0000", lifetime: 0 }), mappings: [{ protocol: 6 }] },
    ],
  },
  {
    id: "natpmp-delete-all",
    title: "port 0 and lifetime 0 deletes all of the protocol, internal port 0 in the answer",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      {
        send: ask(3600, "0000", "{port2}"),
        expect: pmpMapped(1, { port: "{port2}", externalPort: "?2", lifetime: "?4" }),
      },
      {
        send: pmpMap(2, "{port}", "0000", 3600),
        expect: pmpMapped(2, { externalPort: "?2", lifetime: "?4" }),
      },
      {
        send: ask(0, "0000", "0000"),
        expect: pmpMapped(1, { port: "0000", externalPort: "0000", lifetime: 0 }),
        mappings: [{ protocol: 6 }],
      },
    ],
  },
  {
    id: "natpmp-delete-all-nothing",
    title: "deleting all where there is nothing: success",
    steps: [
      { send: pmpMap(2, "0000", "0000", 0), expect: pmpMapped(2, { port: "0000", externalPort: "0000", lifetime: 0 }) },
    ],
  },
  {
    id: "natpmp-delete-all-own",
    title: "deleting all deletes no other host's mappings",
    needs: ["nat-pmp", "second-host"],
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      {
        from: "client2",
        send: ask(0, "0000", "0000"),
        expect: pmpMapped(1, { port: "0000", externalPort: "0000", lifetime: 0 }),
        effects: [],
      },
    ],
  },
  {
    id: "natpmp-delete-static",
    title: "a static mapping can't be deleted: result 2",
    inProcess: "needs a configuration of its own",
    configuration: {
      staticMappings: [
        { protocol: 17, internal: "10.0.0.1", internalPort: 4000, external: "203.0.113.1", externalPort: 8443 },
      ],
    },
    steps: [
      {
        send: ask(0, "0000", u16(4000)),
        expect: pmpMapped(1, { result: 2, port: u16(4000), externalPort: "?2", lifetime: 0 }),
        effects: [],
      },
      { send: ask(), expect: pmpMapped(1) },
      {
        send: ask(0, "0000", "0000"),
        expect: pmpMapped(1, { result: 2, port: "0000", externalPort: "0000", lifetime: 0 }),
        mappings: [{ kind: "static" }],
      },
    ],
  },
  {
    id: "natpmp-expires",
    title: "a mapping that is not renewed is deleted at its end",
    steps: [
      { send: ask(1), expect: pmpMapped(1, { lifetime: 1 }) },
      { at: 1000, effects: [{ type: "expired", origin: "nat-pmp" }], mappings: [] },
    ],
    inProcess: "nothing tells from outside that a mapping ended",
  },
])
export const natPmpMappings: readonly Case[] = [...creation, ...renewal, ...deletion]
