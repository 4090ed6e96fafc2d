/** RFC 6887 section 13.1: THIRD_PARTY. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group, SET_UP } from "./group.ts"
import { ip4, map, mapped, peer, peered, RESULT, refused, thirdParty } from "./packet.ts"

const { NOT_AUTHORIZED, MALFORMED_REQUEST, UNSUPP_OPTION } = RESULT

const THIRD = { thirdParty: true } as const

const other = thirdParty("{client2}")

const prohibited = group({ requirements: ["S-101"], clause: "RFC 6887 13.1", lacks: ["third-party"] }, [
  {
    id: "third-party-off-map",
    title: "THIRD_PARTY with MAP where it is not allowed: UNSUPP_OPTION",
    needs: ["map"],
    steps: [{ send: map({ options: other }), expect: refused("81", UNSUPP_OPTION), effects: [], mappings: [] }],
  },
  {
    id: "third-party-off-peer",
    title: "THIRD_PARTY with PEER where it is not allowed: UNSUPP_OPTION",
    needs: ["peer"],
    steps: [{ send: peer({ options: other }), expect: refused("82", UNSUPP_OPTION), effects: [] }],
  },
  {
    id: "third-party-off-delete",
    title: "THIRD_PARTY in a deletion where it is not allowed: UNSUPP_OPTION",
    needs: ["map"],
    steps: [{ send: map({ lifetime: 0, options: other }), expect: refused("81", UNSUPP_OPTION) }],
  },
  {
    id: "third-party-default",
    title: "THIRD_PARTY is not allowed unless the administrator says so",
    requirements: ["S-102", "B-10"],
    needs: ["map"],
    inProcess: "whether the administrator said so is not known",
    steps: [{ send: map({ options: other }), expect: refused("81", UNSUPP_OPTION), effects: [] }],
  },
])

const own = group({ requirements: ["S-100"], clause: "RFC 6887 13.1", needs: ["third-party"], configuration: THIRD }, [
  {
    id: "third-party-self-map",
    title: "THIRD_PARTY with the sender's own address: MALFORMED_REQUEST",
    steps: [{ send: map({ options: thirdParty("{client}") }), expect: refused("81", MALFORMED_REQUEST), effects: [] }],
  },
  {
    id: "third-party-self-peer",
    title: "THIRD_PARTY with the sender's own address in PEER: MALFORMED_REQUEST",
    needs: ["third-party", "peer"],
    steps: [{ send: peer({ options: thirdParty("{client}") }), expect: refused("82", MALFORMED_REQUEST), effects: [] }],
  },
  {
    id: "third-party-self-delete",
    title: "THIRD_PARTY with the sender's own address in a deletion: MALFORMED_REQUEST",
    steps: [
      {
        send: map({ lifetime: 0, options: thirdParty("{client}") }),
        expect: refused("81", MALFORMED_REQUEST),
        effects: [],
      },
    ],
  },
])

const forOthers = group(
  { requirements: ["S-103"], clause: "RFC 6887 13.1", needs: ["third-party"], configuration: THIRD },
  [
    {
      id: "third-party-map",
      title: "the internal address is the option's",
      steps: [
        {
          send: map({ options: other }),
          expect: mapped({ options: other }),
          effects: [{ type: "created", kind: "map", internal: "{client2}", internalPort: "{port}" }],
        },
      ],
    },
    {
      id: "third-party-peer",
      title: "the internal address of PEER is the option's",
      needs: ["third-party", "peer"],
      steps: [
        {
          send: peer({ options: other }),
          expect: peered({ options: other }),
          effects: [{ type: "created", kind: "peer", internal: "{client2}" }],
        },
      ],
    },
    {
      id: "third-party-not-own",
      title: "the sender's own mapping of the same port is another",
      steps: [
        { send: map({ options: other }), expect: mapped({ options: other }) },
        {
          send: map({ nonce: "{nonce2}" }),
          expect: mapped({ nonce: "{nonce2}", externalPort: "{second:2}", external: "?16" }),
          mappings: [{ internal: "{client2}" }, { internal: "{client}" }],
        },
      ],
    },
    {
      id: "third-party-nonce",
      alsoNeeds: ["nonces"],
      title: "the nonce holds for third parties: another is NOT_AUTHORIZED",
      requirements: ["S-103", "S-44"],
      steps: [
        { send: map({ options: other }), expect: mapped({ options: other }) },
        { send: map({ nonce: "{nonce2}", options: other }), expect: refused("81", NOT_AUTHORIZED), effects: [] },
      ],
    },
    {
      id: "third-party-delete",
      title: "who may use THIRD_PARTY may delete by it",
      clause: "RFC 6887 15.1",
      steps: [
        { send: map({ options: other }), expect: mapped({ options: other }) },
        {
          send: map({ lifetime: 0, options: other }),
          expect: `02 81 ?1 00 ?4 ?4 ?12 {nonce} 11 ?3 {port} ?2 ?16 ${other}`,
          effects: [{ type: "deleted", internal: "{client2}" }],
        },
      ],
    },
    {
      id: "third-party-by-owner",
      title: "the host itself may renew with that nonce",
      needs: ["third-party", "second-host"],
      steps: [
        { send: map({ options: other }), expect: mapped({ options: other }) },
        { from: "client2", send: map({ client: "{client2}" }), expect: mapped() },
      ],
    },
    {
      id: "third-party-zero",
      title: "THIRD_PARTY with all zeros, where it means nothing: refused",
      inProcess: "devices with a profile for it answer otherwise",
      steps: [
        { send: map({ options: thirdParty("{any}") }), expect: refused("81", RESULT.MALFORMED_OPTION), effects: [] },
      ],
    },
  ],
)
const inner = thirdParty(ip4("192.168.1.2"))
/** RFC 6333 section 6.6: the AFTR tells hosts of the same address apart by the softwire that they are behind. */
const softwires = group({ requirements: ["S-103"], clause: "RFC 6333 6.6", kinds: ["dslite"], inProcess: SET_UP }, [
  {
    id: "dslite-map",
    title: "a B4 maps, over IPv6, for an IPv4 host behind it",
    steps: [
      {
        send: map({ options: inner }),
        expect: mapped({ options: inner }),
        mappings: [{ kind: "map", internal: ip4("192.168.1.2"), internalPort: "{port}" }],
      },
    ],
  },
  {
    id: "dslite-peer",
    title: "a B4 asks with PEER, over IPv6, for an IPv4 host behind it",
    steps: [{ send: peer({ options: inner }), expect: peered({ options: inner }), mappings: [{ kind: "peer" }] }],
  },
  {
    id: "dslite-overlap",
    title: "the same IPv4 address behind another B4 is another host: another mapping, any nonce",
    steps: [
      { send: map({ options: inner }), expect: mapped({ options: inner }) },
      {
        from: "client2",
        send: map({ client: "{client2}", nonce: "{nonce2}", options: inner }),
        expect: mapped({ nonce: "{nonce2}", externalPort: "{second:2}", external: "?16", options: inner }),
        where: [{ name: "second", differsFrom: "externalPort" }],
        mappings: [{ internal: ip4("192.168.1.2") }, { internal: ip4("192.168.1.2") }],
      },
    ],
  },
  {
    id: "dslite-delete",
    title: "a B4 deletes its own host's mapping, and not that behind another",
    steps: [
      { send: map({ options: inner }), expect: mapped({ options: inner }) },
      {
        from: "client2",
        send: map({ client: "{client2}", lifetime: 0, options: inner }),
        expect: "02 81 ?1 00 ...",
        effects: [],
      },
      { send: map({ lifetime: 0, options: inner }), expect: "02 81 ?1 00 ...", mappings: [] },
    ],
  },
  {
    id: "dslite-nonce",
    title: "behind one B4 another nonce is NOT_AUTHORIZED",
    requirements: ["S-103", "S-44"],
    clause: "RFC 6887 11.3",
    steps: [
      { send: map({ options: inner }), expect: mapped({ options: inner }) },
      { send: map({ nonce: "{nonce2}", options: inner }), expect: refused("81", NOT_AUTHORIZED), effects: [] },
    ],
  },
])

export const thirdParties: readonly Case[] = [...prohibited, ...own, ...forOthers, ...softwires]
