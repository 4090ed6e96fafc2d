/** RFC 7753: PORT_SET. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { NATS } from "./kinds.ts"
import { map, mapped, option, PREFER_FAILURE, peer, peered, portSet, RESULT, refused, u16 } from "./packet.ts"

const { NOT_AUTHORIZED, MALFORMED_OPTION } = RESULT

const sets = [
  ...group({ requirements: ["P-01"], clause: "RFC 7753 4.2", needs: ["port-set"], kinds: NATS }, [
    {
      id: "port-set-4",
      title: "four ports: one MAP, four mappings, the size in the response",
      steps: [
        {
          send: map({ options: portSet(4) }),
          expect: mapped({ options: `82 00 0005 {size:2} {port} ?1 000000` }),
          where: [{ name: "size", atLeast: 2, atMost: 4 }],
        },
      ],
    },
    {
      id: "port-set-all-four",
      title: "four free ports: all of them",
      level: "SHOULD",
      steps: [{ send: map({ options: portSet(4) }), expect: mapped({ options: "82 00 0005 0004 {port} ?1 000000" }) }],
    },
    {
      id: "port-set-consecutive",
      title: "each internal port of the set is mapped to the external port as far from the first",
      inProcess: "needs to see the mappings",
      steps: [
        {
          send: map({ port: u16(4000), suggestedPort: u16(30000), options: portSet(3, u16(4000)) }),
          expect: mapped({
            port: u16(4000),
            externalPort: u16(30000),
            options: `82 00 0005 0003 ${u16(4000)} ?1 000000`,
          }),
          mappings: [0, 1, 2].map((i) => ({
            internalPort: u16(4000 + i),
            externalPort: u16(30000 + i),
            lifetime: 7200,
          })),
        },
      ],
    },
    {
      id: "port-set-fewer",
      title: "of six ports where a run of three is free: as many as can be had, the size says so",
      configuration: { ports: { first: 2000, last: 2002 } },
      inProcess: "the server's ports are not known",
      steps: [
        {
          send: map({ options: portSet(6) }),
          expect: mapped({ externalPort: u16(2000), options: "82 00 0005 0003 {port} ?1 000000" }),
        },
      ],
    },
    {
      id: "port-set-down-to-one",
      title: "where one port is left: it is mapped, and the response has no PORT_SET",
      configuration: { ports: { first: 2000, last: 2000 } },
      inProcess: "the server's ports are not known",
      steps: [{ send: map({ options: portSet(6) }), expect: mapped({ externalPort: u16(2000), options: "" }) }],
    },
    {
      id: "port-set-one",
      title: "a set of one port: a single-port request, no PORT_SET in the response",
      level: "MUST",
      steps: [{ send: map({ options: portSet(1) }), expect: mapped({ options: "" }) }],
    },
    {
      id: "port-set-parity",
      title: "parity asked for: the first external port has the first internal port's",
      level: "MAY",
      steps: [
        {
          send: map({ options: portSet(4, "{port}", 1) }),
          expect: mapped({ options: "82 00 0005 ?2 {port} ?1 000000" }),
          where: [{ name: "externalPort", parityOf: "port" }],
        },
      ],
    },
    {
      id: "port-set-reserved",
      title: "the reserved bits of PORT_SET are ignored and zero in the response",
      level: "MUST",
      requirements: ["P-01", "S-04"],
      clause: "RFC 7753 4",
      steps: [
        {
          send: map({ options: option(130, "0004 {port} fe", 5) }),
          expect: mapped({ options: "82 00 0005 ?2 {port} 00 000000" }),
        },
      ],
    },
    {
      id: "port-set-many",
      title: "65535 ports, as many as there are: at least one is mapped",
      level: "SHOULD",
      configuration: { ports: { first: 2000, last: 2009 } },
      inProcess: "takes all of a host's quota",
      steps: [
        {
          send: map({ options: portSet(0xffff) }),
          expect: mapped({ externalPort: u16(2000), options: "82 00 0005 000a {port} ?1 000000" }),
        },
      ],
    },
    {
      id: "port-set-quota",
      title: "a set is cut to what the host's limit leaves",
      configuration: { quota: 3 },
      inProcess: "the server's quota is not known",
      level: "SHOULD",
      steps: [{ send: map({ options: portSet(5) }), expect: mapped({ options: "82 00 0005 0003 {port} ?1 000000" }) }],
    },
    {
      id: "port-set-last-port",
      title: "a set that would run past internal port 65535 ends there",
      level: "in effect",
      inProcess: "the RFC leaves open how it ends",
      steps: [
        {
          send: map({ port: "fffe", options: portSet(4, "fffe") }),
          expect: mapped({ port: "fffe", options: "82 00 0005 0002 fffe ?1 000000" }),
        },
      ],
    },
  ]),
  ...group({ requirements: ["P-02"], clause: "RFC 7753 4.2", needs: ["port-set"] }, [
    {
      id: "port-set-0",
      title: "a set of 0 ports: MALFORMED_OPTION",
      steps: [{ send: map({ options: portSet(0) }), expect: refused("81", MALFORMED_OPTION), effects: [] }],
    },
    {
      id: "port-set-prefer-failure",
      title: "PORT_SET and PREFER_FAILURE: MALFORMED_OPTION",
      needs: ["port-set", "prefer-failure"],
      steps: [
        {
          send: map({ suggestedPort: "{suggested}", options: `${portSet(4)} ${PREFER_FAILURE}` }),
          expect: refused("81", MALFORMED_OPTION),
          effects: [],
        },
      ],
    },
    {
      id: "port-set-prefer-failure-first",
      title: "PREFER_FAILURE and PORT_SET, in that order: MALFORMED_OPTION",
      needs: ["port-set", "prefer-failure"],
      steps: [
        {
          send: map({ suggestedPort: "{suggested}", options: `${PREFER_FAILURE} ${portSet(4)}` }),
          expect: refused("81", MALFORMED_OPTION),
          effects: [],
        },
      ],
    },
  ]),
  ...group({ requirements: ["P-03"], clause: "RFC 7753 4.4", needs: ["port-set"], kinds: NATS }, [
    {
      id: "port-set-delete",
      title: "a deletion with PORT_SET deletes the whole set",
      steps: [
        { send: map({ options: portSet(4) }), expect: mapped({ options: "..." }) },
        { send: map({ lifetime: 0, options: portSet(4) }), expect: "02 81 ?1 00 00000000 ...", mappings: [] },
      ],
    },
    {
      id: "port-set-renew",
      title: "a renewal with PORT_SET sets all of the set's lifetimes, and keeps its ports",
      steps: [
        { send: map({ lifetime: 600, options: portSet(3) }), expect: mapped({ options: "82 00 0005 {size:2} ..." }) },
        {
          send: map({ lifetime: 3600, options: portSet(3) }),
          expect: mapped({ options: "82 00 0005 {size} ..." }),
        },
      ],
    },
    {
      id: "port-set-nonce",
      title: "another nonce for a set that is there: NOT_AUTHORIZED",
      requirements: ["P-03", "S-44"],
      level: "MUST",
      steps: [
        { send: map({ options: portSet(3) }), expect: mapped({ options: "..." }) },
        { send: map({ nonce: "{nonce2}", options: portSet(3) }), expect: refused("81", NOT_AUTHORIZED), effects: [] },
      ],
    },
    {
      id: "port-set-overlap",
      title: "a single-port request for the first port of a set is a refresh of it",
      steps: [
        { send: map({ options: portSet(3) }), expect: mapped({ options: "..." }) },
        { send: map(), expect: mapped() },
      ],
    },
  ]),
  ...group({ requirements: ["P-04"], clause: "RFC 7753 4", needs: ["map"] }, [
    {
      id: "port-set-peer",
      title: "PORT_SET with PEER, an optional option without use there, is ignored",
      needs: ["peer"],
      steps: [{ send: peer({ options: portSet(4) }), expect: peered({ options: "" }) }],
    },
  ]),
]
export const portSets: readonly Case[] = [...sets]
