/** RFC 6887 sections 7.3 and 13: the structure of options, mandatory and optional ones, order and repetition. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import {
  announce,
  announced,
  filter,
  map,
  mapped,
  option,
  PREFER_FAILURE,
  peer,
  peered,
  portSet,
  RESULT,
  refused,
  thirdParty,
  u8,
  u16,
} from "./packet.ts"

const { MALFORMED_REQUEST, MALFORMED_OPTION, UNSUPP_OPTION } = RESULT
const BAD_OPTION = refused("81", MALFORMED_OPTION)

const structure = group({ requirements: ["S-31"], clause: "RFC 6887 7.3", needs: ["map"] }, [
  ...[1, 2, 3, 128, 224].flatMap((code) =>
    [1, 5, 255, 65535].map((length) => ({
      id: `option-${code}-past-end-${length}`,
      title: `option ${code} of length ${length} with nothing behind its header: MALFORMED_OPTION`,
      ...(code === 224 ? { level: "SHOULD" as const } : {}),
      steps: [
        {
          send: map({ options: `${u8(code)} 00 ${u16(length)}` }),
          // Where THIRD_PARTY is not supported, both answers are section 7.3's.
          expect: code === 1 ? [BAD_OPTION, refused("81", UNSUPP_OPTION)] : BAD_OPTION,
        },
      ],
    })),
  ),
  {
    id: "option-past-end-second",
    title: "the second option runs past the end: MALFORMED_OPTION, not the first's UNSUPP_OPTION",
    steps: [{ send: map({ options: "e000 0004 01020304 0300 0014 01020304" }), expect: BAD_OPTION }],
  },
  {
    id: "option-past-end-by-padding",
    title: "an option whose octets end with the packet and whose length says one more: MALFORMED_OPTION",
    steps: [{ send: map({ options: "0300 0015 00 80 0000 {remote}" }), expect: BAD_OPTION }],
  },
  {
    id: "option-past-end-peer",
    title: "an option of PEER that runs past the end: MALFORMED_OPTION",
    needs: ["peer"],
    steps: [{ send: peer({ options: "e000 0100" }), expect: refused("82", MALFORMED_OPTION) }],
  },
  {
    id: "option-past-end-announce",
    title: "an option of ANNOUNCE that runs past the end: MALFORMED_OPTION",
    needs: ["announce"],
    steps: [{ send: announce({ options: "e000 0100" }), expect: refused("80", MALFORMED_OPTION) }],
  },
])

const UNKNOWN_MANDATORY = [0, 14, 40, 63, 64, 95, 96, 126, 127]
/** Of RFC 7652, which no server without AUTHENTICATION implements. */
const AUTHENTICATION = [4, 5, 6, 7, 8, 9, 10, 11, 12]

const mandatory = group({ requirements: ["S-32"], clause: "RFC 6887 7.3", needs: ["map"] }, [
  ...UNKNOWN_MANDATORY.map((code) => ({
    id: `option-mandatory-${code}`,
    title: `option ${code}, mandatory to process and known to nobody: UNSUPP_OPTION`,
    steps: [{ send: map({ options: option(code, "01020304") }), expect: refused("81", UNSUPP_OPTION), effects: [] }],
  })),
  ...AUTHENTICATION.map((code) => ({
    id: `option-authentication-${code}`,
    title: `option ${code} of RFC 7652, mandatory, with MAP and no session: UNSUPP_OPTION`,
    inProcess: "a server with RFC 7652 answers otherwise",
    steps: [{ send: map({ options: option(code, "01020304") }), expect: refused("81", UNSUPP_OPTION) }],
  })),
  ...[131, 191, 192, 223, 224, 254, 255].map((code) => ({
    id: `option-optional-${code}`,
    title: `option ${code}, optional to process and known to nobody: passed over`,
    level: "in effect" as const,
    steps: [{ send: map({ options: option(code, "01020304") }), expect: mapped({ options: "..." }) }],
  })),
  {
    id: "option-mandatory-peer",
    title: "an unknown mandatory option of PEER: UNSUPP_OPTION",
    needs: ["peer"],
    steps: [{ send: peer({ options: option(96) }), expect: refused("82", UNSUPP_OPTION), effects: [] }],
  },
  {
    id: "option-mandatory-announce",
    title: "an unknown mandatory option of ANNOUNCE: UNSUPP_OPTION",
    needs: ["announce"],
    steps: [{ send: announce({ options: option(96) }), expect: refused("80", UNSUPP_OPTION) }],
  },
  {
    id: "option-optional-peer",
    title: "an unknown optional option of PEER: passed over",
    needs: ["peer"],
    level: "in effect",
    steps: [{ send: peer({ options: option(224, "00000000") }), expect: peered({ options: "..." }) }],
  },
  {
    id: "option-optional-announce",
    title: "an unknown optional option of ANNOUNCE: passed over",
    needs: ["announce"],
    level: "in effect",
    steps: [{ send: announce({ options: option(224, "00000000") }), expect: announced({ options: "..." }) }],
  },
  {
    id: "option-mandatory-delete",
    title: "an unknown mandatory option of a deletion: UNSUPP_OPTION",
    steps: [{ send: map({ lifetime: 0, options: option(96) }), expect: refused("81", UNSUPP_OPTION) }],
  },
  {
    id: "option-empty",
    title: "an option of length 0 is legal",
    level: "in effect",
    steps: [
      { send: map({ options: `${option(224)} ${option(224)} ${option(225)}` }), expect: mapped({ options: "..." }) },
    ],
  },
  {
    id: "option-many",
    title: "260 optional options of length 0, a message of 1100 octets: passed over",
    level: "in effect",
    steps: [{ send: map({ options: option(224).repeat(260) }), expect: mapped({ options: "..." }) }],
  },
  ...[1, 4, 65].map((length) => ({
    id: `prefer-failure-length-${length}`,
    title: `PREFER_FAILURE of length ${length}, which has no data: MALFORMED_OPTION`,
    clause: "RFC 6887 13.2",
    needs: ["prefer-failure"] as const,
    steps: [
      { send: map({ suggestedPort: "{suggested}", options: option(2, "00".repeat(length)) }), expect: BAD_OPTION },
    ],
  })),
  ...[0, 4, 16, 19, 21, 24].map((length) => ({
    id: `filter-length-${length}`,
    title: `FILTER of length ${length}, which has 20 octets: MALFORMED_OPTION`,
    clause: "RFC 6887 13.3",
    needs: ["filter"] as const,
    steps: [{ send: map({ options: option(3, "00".repeat(length)) }), expect: BAD_OPTION }],
  })),
  ...[0, 4, 15, 17, 20].map((length) => ({
    id: `third-party-length-${length}`,
    title: `THIRD_PARTY of length ${length}, which has 16 octets: MALFORMED_OPTION`,
    clause: "RFC 6887 13.1",
    needs: ["third-party"] as const,
    configuration: { thirdParty: true },
    steps: [{ send: map({ options: option(1, "00".repeat(length)) }), expect: BAD_OPTION }],
  })),
])

const order = group({ requirements: ["S-30"], clause: "RFC 6887 7.3", needs: ["filter"] }, [
  {
    id: "order-flush-then-add",
    title: "a FILTER that removes all, then one: one filter is there after",
    steps: [
      { send: map({ options: filter(128, 80) }), expect: mapped({ options: filter(128, 80) }) },
      {
        send: map({ options: `${filter(0, 0)} ${filter(128, 443)}` }),
        expect: mapped({ options: `${filter(0, 0)} ${filter(128, 443)}` }),
        effects: [{ type: "renewed" }, { type: "filtered", filters: 1 }],
      },
    ],
  },
  {
    id: "order-add-then-flush",
    title: "one FILTER, then one that removes all: no filter is there after",
    steps: [
      {
        send: map({ options: `${filter(128, 443)} ${filter(0, 0)}` }),
        expect: mapped({ options: `${filter(128, 443)} ${filter(0, 0)}` }),
        mappings: [{ kind: "map" }],
      },
    ],
  },
  {
    id: "order-unknown-first",
    title: "an unknown mandatory option, then a FILTER without sense: the first decides, UNSUPP_OPTION",
    steps: [{ send: map({ options: `${option(96)} ${option(3, "00000000")}` }), expect: refused("81", UNSUPP_OPTION) }],
  },
  {
    id: "order-malformed-first",
    title: "a FILTER without sense, then an unknown mandatory option: the first decides, MALFORMED_OPTION",
    steps: [{ send: map({ options: `${option(3, "00000000")} ${option(96)}` }), expect: BAD_OPTION }],
  },
  {
    id: "order-any",
    title: "options in another order than their codes' are served",
    needs: ["filter", "prefer-failure"],
    steps: [
      {
        send: map({ suggestedPort: "{suggested}", options: `${filter(128, 443)} ${PREFER_FAILURE}` }),
        expect: mapped({ externalPort: "{suggested}", options: `${filter(128, 443)} ${PREFER_FAILURE}` }),
      },
    ],
    kinds: ["nat444", "nat64", "nat46", "dslite", "l2dslite"],
  },
])

const repeated = group({ requirements: ["S-33"], clause: "RFC 6887 7.3", needs: ["map"] }, [
  {
    id: "repeat-prefer-failure",
    title: "PREFER_FAILURE twice: MALFORMED_OPTION",
    needs: ["prefer-failure"],
    steps: [
      {
        send: map({ suggestedPort: "{suggested}", options: `${PREFER_FAILURE} ${PREFER_FAILURE}` }),
        expect: BAD_OPTION,
        effects: [],
      },
    ],
  },
  {
    id: "repeat-third-party",
    title: "THIRD_PARTY twice: MALFORMED_OPTION",
    needs: ["third-party"],
    configuration: { thirdParty: true },
    steps: [
      {
        send: map({ options: `${thirdParty("{client2}")} ${thirdParty("{client2}")}` }),
        expect: BAD_OPTION,
        effects: [],
      },
    ],
  },
  {
    id: "repeat-third-party-peer",
    title: "THIRD_PARTY twice in PEER: MALFORMED_OPTION",
    needs: ["third-party", "peer"],
    configuration: { thirdParty: true },
    steps: [
      {
        send: peer({ options: `${thirdParty("{client2}")} ${thirdParty("{client3}")}` }),
        expect: refused("82", MALFORMED_OPTION),
        effects: [],
      },
    ],
  },
  {
    id: "repeat-description",
    title: "DESCRIPTION twice: MALFORMED_OPTION",
    clause: "RFC 7220 2",
    needs: ["description"],
    steps: [{ send: map({ options: `${option(128, "61")} ${option(128, "62")}` }), expect: BAD_OPTION, effects: [] }],
  },
  {
    id: "repeat-port-set",
    title: "PORT_SET twice: MALFORMED_OPTION",
    clause: "RFC 7753 4.2",
    requirements: ["S-33", "P-02"],
    needs: ["port-set"],
    steps: [{ send: map({ options: `${portSet(4)} ${portSet(4)}` }), expect: BAD_OPTION, effects: [] }],
  },
  {
    id: "repeat-filter",
    title: "FILTER may stand as often as there is room for",
    level: "in effect",
    needs: ["filter"],
    configuration: { filterLimit: 4 },
    steps: [
      {
        send: map({ options: [80, 81].map((port) => filter(128, port)).join(" ") }),
        expect: [
          mapped({ options: [80, 81].map((port) => filter(128, port)).join(" ") }),
          refused("81", RESULT.EXCESSIVE_REMOTE_PEERS),
        ],
      },
    ],
  },
])

const senseless = group({ requirements: ["S-34"], clause: "RFC 6887 11.3", needs: ["map"] }, [
  {
    id: "delete-prefer-failure",
    title: "PREFER_FAILURE in a deletion makes no sense: MALFORMED_OPTION",
    needs: ["prefer-failure"],
    steps: [{ send: map({ lifetime: 0, suggestedPort: "{suggested}", options: PREFER_FAILURE }), expect: BAD_OPTION }],
  },
  {
    id: "delete-prefer-failure-kept",
    alsoNeeds: ["nonces"],
    title: "a deletion refused for PREFER_FAILURE deletes nothing",
    needs: ["prefer-failure"],
    requirements: ["S-34", "S-10"],
    steps: [
      { send: map(), expect: mapped() },
      {
        send: map({ lifetime: 0, suggestedPort: "{suggested}", options: PREFER_FAILURE }),
        expect: BAD_OPTION,
        effects: [],
        mappings: [{ kind: "map", internalPort: "{port}" }],
      },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", RESULT.NOT_AUTHORIZED) },
    ],
  },
])

/** RFC 6887 names no code for these: MALFORMED_REQUEST, UNSUPP_OPTION and MALFORMED_OPTION say it each in a way. */
const anyRefusal = (opcode: string): readonly string[] =>
  [MALFORMED_REQUEST, UNSUPP_OPTION, MALFORMED_OPTION].map((result) => refused(opcode, result))

const misplaced = group({ requirements: ["S-35"], clause: "RFC 6887 13", needs: ["map"] }, [
  {
    id: "announce-prefer-failure",
    title: "PREFER_FAILURE with ANNOUNCE is refused",
    needs: ["announce"],
    steps: [{ send: announce({ options: PREFER_FAILURE }), expect: anyRefusal("80") }],
  },
  {
    id: "announce-filter",
    title: "FILTER with ANNOUNCE is refused",
    needs: ["announce"],
    steps: [{ send: announce({ options: filter(128, 443) }), expect: anyRefusal("80") }],
  },
  {
    id: "announce-third-party",
    title: "THIRD_PARTY with ANNOUNCE is refused",
    needs: ["announce"],
    steps: [{ send: announce({ options: thirdParty("{client2}") }), expect: anyRefusal("80") }],
  },
  {
    id: "announce-third-party-on",
    title: "THIRD_PARTY with ANNOUNCE is refused, also where it is allowed with MAP",
    needs: ["announce", "third-party"],
    configuration: { thirdParty: true },
    steps: [{ send: announce({ options: thirdParty("{client2}") }), expect: anyRefusal("80") }],
  },
  {
    id: "peer-filter",
    title: "FILTER with PEER is refused",
    needs: ["peer"],
    steps: [{ send: peer({ options: filter(128, 443) }), expect: anyRefusal("82"), effects: [] }],
  },
])

export const options: readonly Case[] = [...structure, ...mandatory, ...order, ...repeated, ...senseless, ...misplaced]
