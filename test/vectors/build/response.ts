/** RFC 6887 sections 7.2, 7.3, 7.4 and 9: what responses carry, error or success, and what other versions get. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import {
  announce,
  announced,
  filter,
  map,
  mapBody,
  mapped,
  option,
  peer,
  peerBody,
  peered,
  RESULT,
  refused,
  u8,
  u32,
  ZERO12,
} from "./packet.ts"

const { MALFORMED_REQUEST, UNSUPP_OPTION, MALFORMED_OPTION, UNSUPP_OPCODE, UNSUPP_VERSION, NOT_AUTHORIZED } = RESULT

const reserved96 = group({ requirements: ["S-06"], clause: "RFC 6887 7.2", needs: ["map"] }, [
  {
    id: "reserved96-map",
    title: "the 96 reserved bits of a MAP success are zero",
    steps: [{ send: map(), expect: mapped({ reserved96: ZERO12 }) }],
  },
  {
    id: "reserved96-peer",
    title: "the 96 reserved bits of a PEER success are zero",
    needs: ["peer"],
    steps: [{ send: peer(), expect: peered({ reserved96: ZERO12 }) }],
  },
  {
    id: "reserved96-announce",
    title: "the 96 reserved bits of an ANNOUNCE success are zero",
    needs: ["announce"],
    steps: [{ send: announce(), expect: announced({ reserved96: ZERO12 }) }],
  },
  {
    id: "reserved96-nonce",
    alsoNeeds: ["nonces"],
    title: "a request that was parsed and refused: NOT_AUTHORIZED has 96 zero bits",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED, { reserved96: ZERO12 }) },
    ],
  },
  ...(
    [
      ["version", map({ version: "03" }), "81", UNSUPP_VERSION, "an unsupported version"],
      ["opcode", announce({ opcode: "60" }), "e0", UNSUPP_OPCODE, "an unknown opcode"],
      ["length", `${map()} 00`, "81", MALFORMED_REQUEST, "a length that is no multiple of 4"],
      ["short", map().replace(" 0000 {any}", ""), "81", MALFORMED_REQUEST, "a message too short for its opcode"],
      ["option", map({ options: "0300ffff" }), "81", MALFORMED_OPTION, "options that can't be parsed"],
    ] as const
  ).map(([id, send, opcode, result, what]) => ({
    id: `reserved96-unparsed-${id}`,
    title: `${what}: octets 12 to 23 are the last 96 bits of the request's client address`,
    steps: [{ send, expect: refused(opcode, result, { reserved96: "{clientTail}" }) }],
  })),
])

const epoch = group({ requirements: ["S-07"], clause: "RFC 6887 7.2", needs: ["map"] }, [
  {
    id: "epoch-same",
    title: "success and error, all opcodes: each has the Epoch Time",
    inProcess: "only in a run of its own is the Epoch Time known",
    steps: [
      { at: 7_500, send: map(), expect: mapped({ epoch: u32(7) }) },
      {
        at: 8_000,
        send: peer({ port: "{port2}" }),
        expect: peered({ port: "{port2}", externalPort: "?2", epoch: u32(8) }),
      },
      { at: 8_999, send: announce(), expect: announced({ epoch: u32(8) }) },
      { at: 9_000, send: map({ protocol: 0 }), expect: refused("81", MALFORMED_REQUEST, { epoch: u32(9) }) },
      { at: 9_001, send: announce({ opcode: "60" }), expect: refused("e0", UNSUPP_OPCODE, { epoch: u32(9) }) },
      { at: 10_000, send: map({ version: "07" }), expect: refused("81", UNSUPP_VERSION, { epoch: u32(10) }) },
    ],
  },
  {
    id: "epoch-error",
    title: "an error has the Epoch Time that the success just before it had",
    steps: [
      { send: map(), expect: mapped({ epoch: "{epoch:4}" }) },
      { send: map({ protocol: 0 }), expect: refused("81", MALFORMED_REQUEST, { epoch: "{epoch2:4}" }) },
      { send: announce({ opcode: "60" }), expect: refused("e0", UNSUPP_OPCODE, { epoch: "{epoch3:4}" }) },
      {
        send: map({ version: "03" }),
        expect: refused("81", UNSUPP_VERSION, { epoch: "{epoch4:4}" }),
        where: ["epoch2", "epoch3", "epoch4"].map((name) => ({ name, minus: "epoch", atLeast: 0, atMost: 2 })),
      },
    ],
  },
])

const copies = group({ requirements: ["S-08"], clause: "RFC 6887 7.3", needs: ["map"] }, [
  {
    id: "copy-map",
    title: "an error response is the whole request behind its header",
    steps: [
      {
        send: map({ protocol: 0, suggestedPort: "{suggested}" }),
        expect: refused("81", MALFORMED_REQUEST, {}, mapBody({ protocol: 0, suggestedPort: "{suggested}" })),
      },
    ],
  },
  {
    id: "copy-options",
    title: "an error response has all options of the request, also those not understood and not processed",
    steps: [
      {
        send: map({ options: `${option(224, "01020304")} ${option(96, "05060708")} ${option(200)}` }),
        expect: refused(
          "81",
          UNSUPP_OPTION,
          {},
          mapBody({ options: `${option(224, "01020304")} ${option(96, "05060708")} ${option(200)}` }),
        ),
      },
    ],
  },
  {
    id: "copy-malformed-option",
    title: "MALFORMED_OPTION has the options as they came",
    steps: [
      {
        send: map({ options: "0300ffff 01020304" }),
        expect: refused("81", MALFORMED_OPTION, {}, mapBody({ options: "0300ffff 01020304" })),
      },
    ],
  },
  {
    id: "copy-peer",
    title: "an error response to PEER is the whole request behind its header",
    needs: ["peer"],
    steps: [
      {
        send: peer({ remotePort: "0000", options: option(224, "abcdabcd") }),
        expect: refused(
          "82",
          MALFORMED_REQUEST,
          {},
          peerBody({ remotePort: "0000", options: option(224, "abcdabcd") }),
        ),
      },
    ],
  },
  {
    id: "copy-announce",
    title: "an error response to ANNOUNCE has the request's options",
    needs: ["announce"],
    steps: [{ send: announce({ options: option(96) }), expect: refused("80", UNSUPP_OPTION, {}, option(96)) }],
  },
  {
    id: "copy-padded",
    title: "a length that is no multiple of 4 is padded with zeros in the copy",
    clause: "RFC 6887 8.2",
    steps: [{ send: `${map()} a1a2a3`, expect: refused("81", MALFORMED_REQUEST, {}, `${mapBody()} a1a2a300`) }],
  },
  {
    id: "copy-delete",
    title: "an error response to a deletion is the whole request behind its header",
    needs: ["filter"],
    steps: [
      {
        send: map({ lifetime: 0, options: filter(128, 0) }),
        expect: refused("81", MALFORMED_OPTION, {}, mapBody({ options: filter(128, 0) })),
      },
    ],
  },
  {
    id: "copy-cut",
    title: "a request over 1100 octets is copied up to there",
    clause: "RFC 6887 8.2",
    steps: [
      {
        send: map({ options: option(224, "5a".repeat(1100)) }),
        expect: refused("81", MALFORMED_REQUEST, {}, `${mapBody()} e000044c ${"5a".repeat(1036)}`),
      },
    ],
  },
])

const success = group({ requirements: ["S-09"], clause: "RFC 6887 7.3", needs: ["map"] }, [
  ...[192, 223, 224, 254].map((code) => ({
    id: `success-without-${code}`,
    title: `option ${code}, optional and not understood, is not in the success response`,
    steps: [{ send: map({ options: option(code, "0102030405060708") }), expect: mapped({ options: "" }) }],
  })),
  {
    id: "success-some",
    title: "of an option that is processed and one that is not, the response has the first alone",
    needs: ["filter"],
    steps: [
      {
        send: map({ options: `${option(224, "01020304")} ${filter(128, 443)}` }),
        expect: mapped({ options: filter(128, 443) }),
      },
    ],
  },
  {
    id: "success-peer-without",
    title: "a PEER success has no option that was not processed",
    needs: ["peer"],
    steps: [{ send: peer({ options: option(224, "01020304") }), expect: peered({ options: "" }) }],
  },
  {
    id: "success-announce-without",
    title: "an ANNOUNCE success has no option that was not processed",
    needs: ["announce"],
    steps: [{ send: announce({ options: option(224, "01020304") }), expect: announced({ options: "" }) }],
  },
])

/** After a request that was refused, another nonce can map the same internal end: nothing was mapped. */
const nothing = group({ requirements: ["S-10"], clause: "RFC 6887 7.3", needs: ["map"] }, [
  ...(
    [
      ["unknown-option", map({ options: option(96) }), UNSUPP_OPTION],
      ["malformed-option", map({ options: "0300ffff" }), MALFORMED_OPTION],
      ["filter", map({ options: filter(33, 0, "{remote}") }), MALFORMED_OPTION],
      ["length", `${map()} 00`, MALFORMED_REQUEST],
      ["late-option", map({ options: `${filter(128, 443)} ${option(96)}` }), UNSUPP_OPTION],
    ] as const
  ).map(([id, send, result]) => ({
    id: `error-changes-nothing-${id}`,
    title: `a refused MAP (${id}) maps nothing: another nonce is free to`,
    ...(id === "filter" ? { kinds: ["nat444", "firewall4", "l2dslite", "nat46", "dslite"] as const } : {}),
    ...(id === "filter" || id === "late-option" ? { needs: ["map", "filter"] as const } : {}),
    steps: [
      { send, expect: refused("81", result), effects: [], mappings: [] },
      { send: map({ nonce: "{nonce2}" }), expect: mapped({ nonce: "{nonce2}" }) },
    ],
  })),
  {
    id: "error-keeps-end",
    title: "a refused renewal leaves the mapping its external end",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ options: option(96) }), expect: refused("81", UNSUPP_OPTION), effects: [] },
      { send: map(), expect: mapped() },
    ],
  },
  {
    id: "error-keeps-mapping",
    alsoNeeds: ["nonces"],
    title: "a refused deletion leaves the mapping there",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ lifetime: 0, options: option(96) }), expect: refused("81", UNSUPP_OPTION), effects: [] },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
    ],
  },
])

const lifetimes = group({ requirements: ["E-01"], clause: "RFC 6887 7.4", needs: ["map"] }, [
  ...(
    [
      ["version", map({ version: "03" }), "81", UNSUPP_VERSION],
      ["request", map({ protocol: 0 }), "81", MALFORMED_REQUEST],
      ["opcode", announce({ opcode: "60" }), "e0", UNSUPP_OPCODE],
      ["option", map({ options: option(96) }), "81", UNSUPP_OPTION],
      ["malformed", map({ options: "0300ffff" }), "81", MALFORMED_OPTION],
      ["mismatch", map({ client: "{client2}" }), "81", RESULT.ADDRESS_MISMATCH],
    ] as const
  ).map(([id, send, opcode, result]) => ({
    id: `error-lifetime-${id}`,
    title: `result ${result} is a long-lifetime error: 30 minutes are recommended`,
    steps: [{ send, expect: refused(opcode, result, { lifetime: 1800 }) }],
  })),
  {
    id: "error-lifetime-quota",
    title: "USER_EX_QUOTA is a short-lifetime error: 30 seconds are recommended",
    configuration: { quota: 1 },
    inProcess: "the server's quota is not known",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ port: "{port2}" }), expect: refused("81", RESULT.USER_EX_QUOTA, { lifetime: 30 }) },
    ],
  },
  {
    id: "error-lifetime-resources",
    title: "NO_RESOURCES is a short-lifetime error: 30 seconds are recommended",
    configuration: { ports: { first: 2000, last: 2000 } },
    inProcess: "the server's ports are not known",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ port: "{port2}" }), expect: refused("81", RESULT.NO_RESOURCES, { lifetime: 30 }) },
    ],
  },
])

const versions = group({ requirements: ["S-20"], clause: "RFC 6887 9", needs: ["pcp"] }, [
  ...[1, 3, 4, 7, 64, 127, 128, 255].map((version) => ({
    id: `version-${version}`,
    title: `version ${version}: UNSUPP_VERSION, and version 2 is the closest supported`,
    steps: [{ send: map({ version: u8(version) }), expect: refused("81", UNSUPP_VERSION, { version: "02" }) }],
  })),
  {
    id: "version-before-length",
    title: "an unsupported version is told so whatever the length: 60 octets and 3",
    steps: [{ send: `${map({ version: "05" })} 010203`, expect: refused("81", UNSUPP_VERSION) }],
  },
  {
    id: "version-before-opcode",
    title: "an unsupported version is told so whatever the opcode",
    steps: [{ send: announce({ version: "05", opcode: "60" }), expect: refused("e0", UNSUPP_VERSION) }],
  },
  {
    id: "version-2-octets",
    level: "SHOULD",
    title: "two octets are enough for UNSUPP_VERSION; its lifetime and Epoch Time need the whole header",
    requirements: ["S-20", "S-03"],
    steps: [{ send: "0301", expect: refused("81", UNSUPP_VERSION) }],
  },
  {
    id: "version-24-octets",
    title: "a header of an unsupported version: UNSUPP_VERSION in a header",
    steps: [{ send: announce({ version: "03" }), expect: refused("80", UNSUPP_VERSION, {}, "") }],
  },
])

const natPmp = [
  ...group({ requirements: ["S-21"], clause: "RFC 6887 9", lacks: ["nat-pmp"], configuration: { natPmp: false } }, [
    {
      id: "natpmp-unsupported-address",
      title:
        "a PCP server without NAT-PMP: 2 octets of version 0 get UNSUPP_VERSION, which NAT-PMP reads as its code 1",
      steps: [{ send: "0000", expect: refused("80", UNSUPP_VERSION) }],
    },
    {
      id: "natpmp-unsupported-map",
      title: "a PCP server without NAT-PMP: 12 octets of version 0 get UNSUPP_VERSION",
      steps: [{ send: "0001 0000 {port} 0000 00000e10", expect: refused("81", UNSUPP_VERSION) }],
    },
    {
      id: "natpmp-unsupported-then-pcp",
      title: "a PCP server without NAT-PMP goes on to serve PCP",
      needs: ["map"],
      steps: [
        { send: "0000", expect: refused("80", UNSUPP_VERSION) },
        { send: map(), expect: mapped() },
      ],
    },
  ]),
  ...group({ requirements: ["S-22"], clause: "RFC 6886 1.1", needs: ["pcp", "nat-pmp"], kinds: ["nat444"] }, [
    {
      id: "natpmp-and-pcp",
      title: "a server of both: a first octet of 0 is NAT-PMP, of 2 is PCP",
      needs: ["pcp", "nat-pmp", "announce"],
      steps: [
        { send: "0000", expect: "00 80 0000 ?4 ?4" },
        { send: announce(), expect: announced() },
      ],
    },
    {
      id: "version-1-nobody",
      title: "version 1 must be used by nobody: UNSUPP_VERSION",
      steps: [{ send: announce({ version: "01" }), expect: refused("80", UNSUPP_VERSION) }],
    },
  ]),
]

export const response: readonly Case[] = [
  ...reserved96,
  ...epoch,
  ...copies,
  ...success,
  ...nothing,
  ...lifetimes,
  ...versions,
  ...natPmp,
]
