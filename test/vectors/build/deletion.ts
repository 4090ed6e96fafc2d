/** RFC 6887 section 15.1: deletion. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { NATS, STATEFUL } from "./kinds.ts"
import { deleted, ip4, map, mapped, peer, peered, RESULT, refused, TCP } from "./packet.ts"

const { NOT_AUTHORIZED, MALFORMED_REQUEST } = RESULT

const deletion = [
  ...group({ requirements: ["S-132"], clause: "RFC 6887 15.1", needs: ["map"] }, [
    {
      id: "delete-one",
      title: "a deletion takes the one mapping away",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0 }), expect: deleted(), effects: [{ type: "deleted", kind: "map" }], mappings: [] },
        {
          send: map({ nonce: "{nonce2}" }),
          expect: mapped({ nonce: "{nonce2}", externalPort: "?2", external: "?16" }),
        },
      ],
    },
    {
      id: "delete-tcp",
      title: "a deletion of TCP takes the TCP mapping away and leaves UDP's",
      steps: [
        { send: map({ protocol: TCP }), expect: mapped({ protocol: TCP }) },
        { send: map(), expect: mapped({ externalPort: "{second:2}" }) },
        {
          send: map({ protocol: TCP, lifetime: 0 }),
          expect: deleted({ protocol: "06" }),
          mappings: [{ protocol: 17, internalPort: "{port}" }],
        },
        { send: map(), expect: mapped({ externalPort: "{second}" }) },
      ],
    },
    {
      id: "delete-other-port",
      alsoNeeds: ["nonces"],
      title: "a deletion leaves the host's other mappings",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
        { send: map({ lifetime: 0 }), expect: deleted() },
        { send: map({ port: "{port2}", nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
      ],
    },
    {
      id: "delete-other-nonce",
      kinds: STATEFUL,
      title: "a deletion with another nonce: NOT_AUTHORIZED, and the mapping stays",
      requirements: ["S-132", "S-44"],
      level: "MUST",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0, nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED), effects: [] },
        { send: map(), expect: mapped() },
      ],
    },
    {
      id: "delete-other-host",
      alsoNeeds: ["nonces"],
      title: "a host can't delete another's mapping: to it there is none, SUCCESS",
      needs: ["map", "second-host"],
      steps: [
        { send: map(), expect: mapped() },
        {
          from: "client2",
          send: map({ client: "{client2}", lifetime: 0 }),
          expect: deleted(),
          effects: [],
        },
        { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
      ],
    },
    {
      id: "delete-protocol-0-port",
      title: "a deletion with protocol 0 and a port: MALFORMED_REQUEST",
      level: "MUST",
      steps: [{ send: map({ protocol: 0, lifetime: 0 }), expect: refused("81", MALFORMED_REQUEST), effects: [] }],
    },
    {
      id: "delete-wildcard-only",
      alsoNeeds: ["nonces"],
      title: "a deletion with port 0 is for the all-ports mapping: one port's mapping stays",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0, port: "0000" }), expect: "02 81 ?1 ?1 ...", effects: [] },
        { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
      ],
    },
    {
      id: "delete-everything-only",
      alsoNeeds: ["nonces"],
      title: "a deletion with protocol 0 and port 0 is for the one-to-one mapping: one port's mapping stays",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0, protocol: 0, port: "0000" }), expect: "02 81 ?1 ?1 ...", effects: [] },
        { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
      ],
    },
    {
      id: "delete-wildcard-nonce",
      title: "a deletion of the all-ports mapping with another nonce: NOT_AUTHORIZED",
      level: "MUST",
      configuration: { otherProtocols: true, port0: true },
      kinds: ["nat444"],
      inProcess: "needs a configuration of its own",
      steps: [
        { send: map({ protocol: TCP, port: "0000" }), expect: mapped({ protocol: TCP, port: "0000" }) },
        {
          send: map({ protocol: TCP, port: "0000", lifetime: 0, nonce: "{nonce2}" }),
          expect: refused("81", NOT_AUTHORIZED),
          effects: [],
        },
        {
          send: map({ protocol: TCP, port: "0000", lifetime: 0 }),
          expect: deleted({ protocol: "06", port: "0000" }),
          mappings: [],
        },
      ],
    },
  ]),
  ...group({ requirements: ["S-133"], clause: "RFC 6887 15.1", needs: ["map"] }, [
    {
      id: "delete-lifetime-0",
      title: "a deletion is answered with SUCCESS and lifetime 0",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0 }), expect: deleted() },
      ],
    },
    {
      id: "delete-copies-zeros",
      title: "a deletion's suggested port and address of zeros come back",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0 }), expect: deleted({ suggestedPort: "0000", suggested: "{any}" }) },
      ],
    },
    {
      id: "delete-copies-suggestion",
      title: "a deletion's suggested port and address are ignored and come back",
      steps: [
        { send: map(), expect: mapped() },
        {
          send: map({ lifetime: 0, suggestedPort: "{suggested}", suggested: ip4("192.0.2.99") }),
          expect: deleted({ suggestedPort: "{suggested}", suggested: ip4("192.0.2.99") }),
        },
      ],
    },
    {
      id: "delete-copies-own-end",
      title: "a deletion that names the mapping's end has it back",
      steps: [
        { send: map(), expect: mapped() },
        {
          send: map({ lifetime: 0, suggestedPort: "{externalPort}", suggested: "{external}" }),
          expect: deleted({ suggestedPort: "{externalPort}", suggested: "{external}" }),
        },
      ],
    },
  ]),
  ...group({ requirements: ["S-134"], clause: "RFC 6887 15.1", needs: ["map"] }, [
    {
      id: "delete-nothing",
      title: "a deletion of what is not there: SUCCESS",
      level: "in effect",
      steps: [{ send: map({ lifetime: 0 }), expect: deleted(), effects: [] }],
    },
    {
      id: "delete-twice",
      title: "the same deletion twice: SUCCESS both times",
      level: "in effect",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0 }), expect: deleted() },
        { send: map({ lifetime: 0 }), expect: deleted(), effects: [] },
      ],
    },
    {
      id: "delete-nothing-any-nonce",
      title: "a deletion of what is not there: no nonce is wrong",
      level: "in effect",
      steps: [
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0 }), expect: deleted() },
        { send: map({ lifetime: 0, nonce: "{nonce2}" }), expect: deleted({ nonce: "{nonce2}" }) },
      ],
    },
    {
      id: "delete-implicit",
      title: "an implicit mapping can't be deleted: NOT_AUTHORIZED",
      inProcess: "needs a packet through the device",
      steps: [
        { outbound: { protocol: 17, port: "{port}" } },
        { at: 1000, send: map({ lifetime: 0 }), expect: refused("81", NOT_AUTHORIZED), effects: [] },
      ],
    },
    {
      id: "delete-map-leaves-peer",
      kinds: NATS,
      title: "a deletion takes the MAP mapping and leaves the PEER mapping of the same internal end",
      needs: ["map", "peer"],
      steps: [
        { send: peer({ lifetime: 600 }), expect: peered({ lifetime: "{first:4}" }) },
        { send: map(), expect: mapped() },
        { send: map({ lifetime: 0 }), expect: "02 81 ?1 00 ...", mappings: [{ kind: "peer" }] },
        {
          send: peer({ lifetime: 120 }),
          expect: peered({ lifetime: "{second:4}" }),
          where: [{ name: "second", minus: "first", atLeast: -5 }],
        },
      ],
    },
  ]),
]
export const deletions: readonly Case[] = [...deletion]
