/** RFC 6887 sections 5, 7.1, 7.2 and 8.2: what is answered, what is dropped, in which order. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import {
  announce,
  announced,
  map,
  mapped,
  option,
  PMP_ADDRESS,
  peer,
  peered,
  pmpMap,
  RESULT,
  refused,
  u8,
} from "./packet.ts"

const M = RESULT.MALFORMED_REQUEST
const zeros = (octets: number): string => "00".repeat(octets)
/** An optional option that no registry assigns (RFC 6887 section 19.4: private use), so long that it fills a message up. */
const filler = (octets: number): string => option(224, zeros(octets - 4))

const answered = group({ requirements: ["S-01"], clause: "RFC 6887 8", needs: ["pcp"] }, [
  { id: "answer-map", title: "a MAP request is answered", needs: ["map"], steps: [{ send: map(), expect: mapped() }] },
  {
    id: "answer-peer",
    title: "a PEER request is answered",
    needs: ["peer"],
    steps: [{ send: peer(), expect: peered() }],
  },
  {
    id: "answer-announce",
    title: "an ANNOUNCE request is answered",
    needs: ["announce"],
    steps: [{ send: announce(), expect: announced() }],
  },
  {
    id: "answer-twice",
    title: "each of two requests alike is answered",
    needs: ["map"],
    steps: [
      { send: map(), expect: mapped() },
      { send: map(), expect: mapped() },
    ],
  },
])

const outside = group(
  {
    requirements: ["S-02"],
    clause: "RFC 6887 8.2",
    inProcess: "only the server's side can tell what came from the outside",
  },
  [
    ["map", map()],
    ["peer", peer()],
    ["announce", announce()],
    ["short", "02"],
    ["version", map({ version: "03" })],
    ["natpmp-address", PMP_ADDRESS],
    ["natpmp-map", pmpMap(1, "{port}", "0000", 3600)],
  ].map(([id, send]) => ({
    id: `outside-${id}`,
    title: `from the outside: ${id} is ignored`,
    steps: [{ side: "outside", send, expect: null, effects: [], mappings: [] }],
  })),
)

const short = group({ requirements: ["S-03"], clause: "RFC 6887 8.2", needs: ["pcp"] }, [
  ...["", "00", "01", "02", "ff"].map((send) => ({
    id: `short-${send === "" ? "empty" : send}`,
    title: `${send === "" ? "no octet at all" : `one octet, ${send}`}: dropped`,
    steps: [{ send, expect: null }],
  })),
  ...[2, 3, 4, 8, 12, 20, 23].map((length) => ({
    id: `short-header-${length}`,
    title: `${length} octets of version 2, under its header's 24: dropped`,
    steps: [{ send: `0201${zeros(length - 2)}`, expect: null }],
  })),
  {
    id: "short-announce",
    title: "ANNOUNCE of 20 octets: dropped as every message under 24",
    steps: [{ send: `0200${zeros(18)}`, expect: null }],
  },
])

const responses = group({ requirements: ["S-03"], clause: "RFC 6887 8.2", needs: ["pcp"] }, [
  ...[
    ["map", map({ opcode: "81" })],
    ["peer", peer({ opcode: "82" })],
    ["announce", announce({ opcode: "80" })],
    ["unknown", announce({ opcode: "ff" })],
    ["2-octets", "0281"],
    ["version-1", "0180"],
    ["version-9", "0981"],
    ["long", map({ opcode: "81", options: filler(1044) })],
  ].map(([id, send]) => ({
    id: `response-${id}`,
    title: `the R bit set (${id}): dropped`,
    steps: [{ send, expect: null }],
  })),
])

const length = group({ requirements: ["S-03"], clause: "RFC 6887 8.2", needs: ["map"] }, [
  ...[1, 2, 3].flatMap((more) => [
    {
      id: `length-map-${60 + more}`,
      title: `MAP of ${60 + more} octets, no multiple of 4: MALFORMED_REQUEST`,
      steps: [{ send: `${map()} ${zeros(more)}`, expect: refused("81", M) }],
    },
    {
      id: `length-announce-${24 + more}`,
      title: `ANNOUNCE of ${24 + more} octets, no multiple of 4: MALFORMED_REQUEST`,
      needs: ["announce"] as const,
      steps: [{ send: `${announce()} ${zeros(more)}`, expect: refused("80", M) }],
    },
    {
      id: `length-peer-${80 + more}`,
      title: `PEER of ${80 + more} octets, no multiple of 4: MALFORMED_REQUEST`,
      needs: ["peer"] as const,
      steps: [{ send: `${peer()} ${zeros(more)}`, expect: refused("82", M) }],
    },
  ]),
  ...[24, 28, 40, 56].map((octets) => ({
    id: `length-map-short-${octets}`,
    title: `MAP of ${octets} octets, under its 60: MALFORMED_REQUEST`,
    steps: [{ send: `02 01 0000 00001c20 {client} ${zeros(octets - 24)}`, expect: refused("81", M) }],
  })),
  ...[24, 60, 76].map((octets) => ({
    id: `length-peer-short-${octets}`,
    title: `PEER of ${octets} octets, under its 80: MALFORMED_REQUEST`,
    needs: ["peer"] as const,
    steps: [{ send: `02 02 0000 00001c20 {client} ${zeros(octets - 24)}`, expect: refused("82", M) }],
  })),
  {
    id: "length-1100",
    title: "MAP of exactly 1100 octets, the most: served",
    steps: [{ send: map({ options: filler(1040) }), expect: mapped({ options: "..." }) }],
  },
  {
    id: "length-1104",
    title: "MAP of 1104 octets: MALFORMED_REQUEST, and the answer is cut at 1100 octets",
    steps: [
      {
        send: map({ options: filler(1044) }),
        expect: refused("81", M, {}, `{nonce} 11 000000 {port} 0000 {any} ?1040`),
      },
    ],
  },
  {
    id: "length-1101",
    title: "1101 octets: over the most and no multiple of 4: MALFORMED_REQUEST",
    steps: [{ send: `${map({ options: filler(1040) })} 00`, expect: refused("81", M, {}, "?1076") }],
  },
  {
    id: "length-1400",
    title: "MAP of 1400 octets: MALFORMED_REQUEST, and the answer is cut at 1100 octets",
    steps: [{ send: map({ options: filler(1340) }), expect: refused("81", M, {}, "?1076") }],
  },
  {
    id: "length-announce-1104",
    title: "ANNOUNCE of 1104 octets: MALFORMED_REQUEST",
    needs: ["announce"],
    steps: [{ send: announce({ options: filler(1080) }), expect: refused("80", M, {}, "?1076") }],
  },
])

const A = RESULT.ADDRESS_MISMATCH
const elsewhere = { kinds: ["nat444", "nat46", "firewall4", "l2dslite"] } as const

const mismatch = group({ requirements: ["S-03"], clause: "RFC 6887 8.2", level: "MUST", needs: ["map"] }, [
  {
    id: "mismatch-map",
    title: "MAP with another host's client address: ADDRESS_MISMATCH",
    steps: [{ send: map({ client: "{client2}" }), expect: refused("81", A) }],
  },
  {
    id: "mismatch-peer",
    title: "PEER with another host's client address: ADDRESS_MISMATCH",
    needs: ["peer"],
    steps: [{ send: peer({ client: "{client2}" }), expect: refused("82", A) }],
  },
  {
    id: "mismatch-announce",
    title: "ANNOUNCE with another host's client address: ADDRESS_MISMATCH",
    needs: ["announce"],
    steps: [{ send: announce({ client: "{client2}" }), expect: refused("80", A) }],
  },
  {
    id: "mismatch-zero",
    title: "a client address of all zeros is not the source address: ADDRESS_MISMATCH",
    steps: [{ send: map({ client: "{any}" }), expect: refused("81", A) }],
  },
  {
    id: "mismatch-delete",
    title: "a deletion with another host's client address: ADDRESS_MISMATCH",
    steps: [{ send: map({ client: "{client2}", lifetime: 0 }), expect: refused("81", A) }],
  },
  {
    id: "mismatch-before-options",
    level: "SHOULD",
    title: "the client address is looked at before the options: ADDRESS_MISMATCH, not MALFORMED_OPTION",
    steps: [{ send: map({ client: "{client2}", options: "0300ffff" }), expect: refused("81", A) }],
  },
  {
    id: "mismatch-before-unknown-option",
    level: "SHOULD",
    title: "the client address is looked at before the options: ADDRESS_MISMATCH, not UNSUPP_OPTION",
    steps: [{ send: map({ client: "{client2}", options: option(96) }), expect: refused("81", A) }],
  },
  {
    id: "mismatch-makes-nothing",
    title: "a request with another client address maps nothing: the other nonce is then free to",
    requirements: ["S-03", "S-10"],
    steps: [
      { send: map({ client: "{client2}" }), expect: refused("81", A) },
      { send: map({ nonce: "{nonce2}" }), expect: mapped({ nonce: "{nonce2}" }) },
    ],
  },
])

const families = group({ requirements: ["B-01"], clause: "RFC 6887 5", needs: ["map"], ...elsewhere }, [
  ...[0, 4, 9, 10, 11].map((octet) => ({
    id: `mapped-prefix-${octet}`,
    title: `all of the first 96 bits make an address IPv4-mapped: octet ${octet} of the prefix is another`,
    steps: [
      {
        send: map({ client: `${"00".repeat(octet)}01${"00".repeat(11 - octet)}{client4}` }),
        expect: refused("81", A),
      },
    ],
  })),
  {
    id: "mapped-compatible",
    title: "::a.b.c.d is not IPv4: ADDRESS_MISMATCH",
    steps: [{ send: map({ client: `${zeros(12)}{client4}` }), expect: refused("81", A) }],
  },
  {
    id: "any-of-the-other-family",
    title: "a suggested address of IPv6's all-zeros can't be had by IPv4's rules, and does no harm",
    requirements: ["B-01", "S-50"],
    kinds: ["nat444"],
    steps: [{ send: map({ suggested: zeros(16) }), expect: mapped() }],
  },
])

const reserved = group({ requirements: ["S-04"], clause: "RFC 6887 7.1", level: "MUST", needs: ["map"] }, [
  {
    id: "reserved-header",
    title: "the reserved 16 bits of a request are ignored",
    steps: [{ send: map({ reserved: "ffff" }), expect: mapped() }],
  },
  {
    id: "reserved-header-zero",
    title: "the reserved 8 bits of a response are zero, whatever the request had there",
    clause: "RFC 6887 7.2",
    steps: [{ send: map({ reserved: "ffff" }), expect: mapped({ reserved: "00" }) }],
  },
  {
    id: "reserved-announce",
    title: "the reserved bits of an ANNOUNCE are ignored, its response has zeros there",
    clause: "RFC 6887 7.2",
    needs: ["announce"],
    steps: [{ send: announce({ reserved: "a5a5" }), expect: announced({ reserved: "00" }) }],
  },
  {
    id: "reserved-error",
    title: "the reserved 8 bits of an error response are zero, whatever the request had there",
    clause: "RFC 6887 7.2",
    steps: [{ send: map({ reserved: "ffff", protocol: 0 }), expect: refused("81", M, { reserved: "00" }) }],
  },
  {
    id: "reserved-map",
    title: "the reserved 24 bits of a MAP request are ignored, its response has zeros there",
    clause: "RFC 6887 11.1",
    steps: [{ send: map({ reserved3: "ffffff" }), expect: mapped({ reserved3: "000000" }) }],
  },
  {
    id: "reserved-peer",
    title: "the reserved 24 bits of a PEER request are ignored, its response has zeros there",
    clause: "RFC 6887 12.1",
    needs: ["peer"],
    steps: [{ send: peer({ reserved3: "ffffff" }), expect: peered({ reserved3: "000000" }) }],
  },
  {
    id: "reserved-peer-second",
    title: "the reserved 16 bits after the remote peer port are ignored, the response has zeros there",
    clause: "RFC 6887 12.1",
    needs: ["peer"],
    steps: [{ send: peer({ reserved2: "ffff" }), expect: peered({ reserved2: "0000" }) }],
  },
  {
    id: "reserved-option",
    title: "the reserved octet of an option is ignored",
    clause: "RFC 6887 7.3",
    steps: [{ send: map({ options: "e0 a5 0000" }), expect: mapped({ options: "..." }) }],
  },
  {
    id: "reserved-option-understood",
    title: "the reserved octet of an option that is understood is ignored, and zero in the response",
    clause: "RFC 6887 7.3",
    needs: ["filter"],
    steps: [
      {
        send: map({ options: "03 a5 0014 00 80 01bb {remote}" }),
        expect: mapped({ options: "03 00 0014 00 80 01bb {remote}" }),
      },
    ],
  },
  {
    id: "reserved-filter",
    title: "the reserved octet within FILTER is ignored, and zero in the response",
    clause: "RFC 6887 13.3",
    needs: ["filter"],
    steps: [
      {
        send: map({ options: "03 00 0014 a5 80 01bb {remote}" }),
        expect: mapped({ options: "03 00 0014 00 80 01bb {remote}" }),
      },
    ],
  },
  {
    id: "padding-ignored",
    title: "the padding of an option is not looked at",
    clause: "RFC 6887 7.3",
    level: "in effect",
    steps: [{ send: map({ options: "e0 00 0001 11 a5a5a5" }), expect: mapped({ options: "..." }) }],
  },
])

const O = RESULT.UNSUPP_OPCODE
const responseHeader = group({ requirements: ["S-05"], clause: "RFC 6887 7.2", needs: ["pcp"] }, [
  {
    id: "response-opcode-map",
    title: "a MAP response has version 2, the R bit and the request's opcode",
    needs: ["map"],
    steps: [{ send: map(), expect: mapped({ version: "02", opcode: "81" }) }],
  },
  {
    id: "response-opcode-peer",
    title: "a PEER response has version 2, the R bit and the request's opcode",
    needs: ["peer"],
    steps: [{ send: peer(), expect: peered({ version: "02", opcode: "82" }) }],
  },
  {
    id: "response-opcode-announce",
    title: "an ANNOUNCE response has version 2, the R bit and the request's opcode",
    needs: ["announce"],
    steps: [{ send: announce(), expect: announced({ version: "02", opcode: "80" }) }],
  },
  {
    id: "response-opcode-error",
    title: "an error response has version 2, the R bit and the request's opcode",
    needs: ["map"],
    steps: [{ send: map({ protocol: 0 }), expect: refused("81", M, { version: "02" }) }],
  },
])

const unknown = group({ requirements: ["S-11"], clause: "RFC 6887 8.2", needs: ["pcp"] }, [
  ...[4, 5, 31, 32, 63, 64, 95, 96, 126, 127].map((opcode) => ({
    id: `opcode-${opcode}`,
    title: `opcode ${opcode}, which nobody assigned: UNSUPP_OPCODE`,
    steps: [{ send: announce({ opcode: u8(opcode) }), expect: refused(u8(128 + opcode), O) }],
  })),
  {
    id: "opcode-payload",
    title: "what follows the header of an unknown opcode is copied, not read",
    requirements: ["S-11", "S-08"],
    steps: [
      {
        send: announce({ opcode: "60", options: "01 02 ffff 0300 0000 ffffffff" }),
        expect: refused("e0", O, {}, "01 02 ffff 0300 0000 ffffffff"),
      },
    ],
  },
  {
    id: "opcode-short",
    title: "no length is too short for an unknown opcode",
    steps: [{ send: announce({ opcode: "7e", options: "00000000" }), expect: refused("fe", O, {}, "00000000") }],
  },
])

export const pipeline: readonly Case[] = [
  ...answered,
  ...outside,
  ...short,
  ...responses,
  ...length,
  ...mismatch,
  ...families,
  ...reserved,
  ...responseHeader,
  ...unknown,
]
