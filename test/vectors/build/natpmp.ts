/** RFC 6886: versions, opcodes, external address, epoch; both protocols together. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { announce, map, mapped, PMP_ADDRESS, pmpMap, pmpMapped, RESULT, refused, u8, u16, u32 } from "./packet.ts"

const SHARED = { kinds: ["nat444"] } as const

const NATPMP = { ...SHARED, needs: ["nat-pmp"] } as const

const BOTH = { ...SHARED, needs: ["nat-pmp", "map"] } as const

const ask = (lifetime = 3600, suggested = "0000", port = "{port}"): string => pmpMap(1, port, suggested, lifetime)

const version = [
  ...group(
    { requirements: ["N-01"], clause: "RFC 6886 3.5", ...NATPMP, lacks: ["pcp"], configuration: { pcp: false } },
    [
      ...[1, 2, 3, 127, 255].map((number) => ({
        id: `natpmp-version-${number}`,
        title: `version ${number} to a NAT-PMP server: 8 octets, opcode 0, result 1`,
        steps: [{ send: `${u8(number)} 00`, expect: "00 00 0001 ?4" }],
      })),
      {
        id: "natpmp-version-pcp-map",
        title: "a PCP request to a NAT-PMP server: 8 octets, opcode 0, result 1",
        steps: [{ send: map(), expect: "00 00 0001 ?4", effects: [] }],
      },
      {
        id: "natpmp-version-pcp-announce",
        title: "a PCP ANNOUNCE to a NAT-PMP server: 8 octets, opcode 0, result 1",
        steps: [{ send: announce(), expect: "00 00 0001 ?4" }],
      },
    ],
  ),
]

const opcodes = group({ requirements: ["N-02"], clause: "RFC 6886 3.5", ...NATPMP }, [
  ...[128, 129, 130, 131, 255].map((opcode) => ({
    id: `natpmp-opcode-${opcode}`,
    title: `opcode ${opcode} is a response: ignored`,
    steps: [{ send: `00 ${u8(opcode)} 0000 {port} 0000 00000e10`, expect: null, effects: [] }],
  })),
  ...[3, 4, 64, 127].map((opcode) => ({
    id: `natpmp-opcode-${opcode}`,
    title: `opcode ${opcode}, unsupported: the whole request comes back, result 5`,
    steps: [
      {
        send: `00 ${u8(opcode)} 0000 0102030405060708`,
        expect: `00 ${u8(opcode + 128)} 0005 0102030405060708`,
        effects: [],
      },
    ],
  })),
  {
    id: "natpmp-opcode-long",
    title: "an unsupported opcode with 60 octets: all of them come back",
    steps: [{ send: `00 55 0000 ${"c3".repeat(56)}`, expect: `00 d5 0005 ${"c3".repeat(56)}` }],
  },
  {
    id: "natpmp-failure",
    title: "a mapping that can't be had: a valid response with epoch and internal port, port and lifetime 0",
    configuration: { ports: { first: 2000, last: 2000 } },
    inProcess: "the server's ports are not known",
    steps: [
      { send: ask(), expect: pmpMapped(1, { externalPort: u16(2000) }) },
      {
        at: 5000,
        send: ask(3600, "0000", "{port2}"),
        expect: pmpMapped(1, { result: 4, epoch: u32(5), port: "{port2}", externalPort: "0000", lifetime: 0 }),
        effects: [],
      },
    ],
  },
  {
    id: "natpmp-short-map",
    title: "a mapping request under its 12 octets: no answer, or an error",
    level: "in effect",
    steps: [{ send: "0001 0000 0fa0", expect: [null, "00 81 ..."], effects: [] }],
  },
  {
    id: "natpmp-internal-port-0",
    title: "internal port 0 with a lifetime is no mapping: not successful",
    level: "in effect",
    inProcess: "RFC 6886 does not say what it is",
    steps: [
      {
        send: ask(3600, "{suggested}", "0000"),
        expect: pmpMapped(1, { result: 2, port: "0000", externalPort: "0000", lifetime: 0 }),
        effects: [],
      },
    ],
  },
])

const address = group({ requirements: ["N-07"], clause: "RFC 6886 3.2", ...NATPMP }, [
  {
    id: "natpmp-address",
    title: "the external address: 12 octets, success",
    steps: [{ send: PMP_ADDRESS, expect: "00 80 0000 ?4 {address:4}", where: [{ name: "address", atLeast: 1 }] }],
  },
  {
    id: "natpmp-address-same",
    title: "the external address is the one that a host's mappings have",
    needs: ["nat-pmp", "map"],
    configuration: { external: ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"] },
    steps: [
      { send: PMP_ADDRESS, expect: "00 80 0000 ?4 {address:4}" },
      { send: map(), expect: mapped({ external: "00000000000000000000ffff {address}" }) },
      { send: PMP_ADDRESS, expect: "00 80 0000 ?4 {address}" },
    ],
  },
  {
    id: "natpmp-address-longer",
    title: "an external address request with more octets than 2 is one all the same",
    level: "in effect",
    steps: [{ send: "0000 00000000", expect: "00 80 0000 ?8" }],
  },
  {
    id: "natpmp-off",
    title: "where NAT-PMP is off, and PCP on, nothing is mapped by it",
    requirements: ["N-07"],
    clause: "RFC 6886 5",
    needs: ["pcp"],
    lacks: ["nat-pmp"],
    configuration: { natPmp: false },
    steps: [{ send: ask(), expect: [null, refused("81", RESULT.UNSUPP_VERSION)], effects: [], mappings: [] }],
  },
])

const epochs = group({ requirements: ["N-06"], clause: "RFC 6886 3.6", ...NATPMP }, [
  {
    id: "natpmp-epoch",
    title: "the seconds since the start are in each answer",
    inProcess: "only in a run of its own is the start known",
    steps: [
      { at: 3000, send: PMP_ADDRESS, expect: `00 80 0000 ${u32(3)} ?4` },
      { at: 4999, send: ask(), expect: pmpMapped(1, { epoch: u32(4) }) },
    ],
  },
  {
    id: "natpmp-epoch-same",
    title: "NAT-PMP and PCP count the same seconds",
    needs: ["nat-pmp", "announce"],
    level: "in effect",
    steps: [
      { send: PMP_ADDRESS, expect: "00 80 0000 {epoch:4} ?4" },
      {
        send: announce(),
        expect: "02 80 ?1 00 ?4 {epoch2:4} ?12",
        where: [{ name: "epoch2", minus: "epoch", atLeast: 0, atMost: 2 }],
      },
    ],
  },
])

const across = group({ requirements: ["N-04"], clause: "RFC 6886 3.3", ...BOTH }, [
  {
    id: "natpmp-sees-pcp",
    title: "NAT-PMP for the internal port of a PCP mapping: its external port",
    steps: [
      { send: map(), expect: mapped() },
      { send: ask(), expect: pmpMapped(1, { externalPort: "{externalPort}" }) },
    ],
  },
  {
    id: "natpmp-keeps-pcp-nonce",
    alsoNeeds: ["nonces"],
    title: "after NAT-PMP asked for a PCP mapping, its nonce is what it was",
    requirements: ["S-44"],
    clause: "RFC 6887 11.3",
    steps: [
      { send: map(), expect: mapped() },
      { send: ask(), expect: pmpMapped(1, { externalPort: "{externalPort}" }) },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", RESULT.NOT_AUTHORIZED) },
      { send: map(), expect: mapped() },
    ],
  },
  {
    id: "natpmp-delete-pcp",
    inProcess: "how the protocols meet is left open by the RFCs",
    title: "NAT-PMP, which has no nonce, can't delete a PCP mapping",
    requirements: ["S-44", "N-05"],
    clause: "RFC 6887 15.1",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      { send: ask(0), expect: "00 81 ?2 ?4 {port} ?2 ?4", effects: [] },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", RESULT.NOT_AUTHORIZED) },
    ],
  },
  {
    id: "natpmp-delete-all-pcp",
    inProcess: "how the protocols meet is left open by the RFCs",
    title: "deleting all by NAT-PMP leaves a PCP mapping to its nonce, and is told as not complete",
    requirements: ["S-44", "N-05"],
    clause: "RFC 6886 3.4",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      {
        send: ask(0, "0000", "0000"),
        expect: "00 81 {result:2} ?4 0000 ?2 ?4",
        where: [{ name: "result", atLeast: 1 }],
        effects: [],
      },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", RESULT.NOT_AUTHORIZED) },
    ],
  },
  {
    id: "pcp-sees-natpmp",
    title: "PCP for the internal port of a NAT-PMP mapping: its external port",
    requirements: ["S-47"],
    clause: "RFC 6887 11.3",
    steps: [
      { send: ask(), expect: pmpMapped(1) },
      { send: map(), expect: mapped({ externalPort: "{externalPort}" }) },
    ],
  },
  {
    id: "strict-natpmp-pcp",
    title: "nonce policy strict: NAT-PMP can't delete or renew a PCP mapping",
    requirements: ["S-44"],
    clause: "RFC 6887 11.3",
    configuration: { noncePolicy: "strict" },
    inProcess: "the server's policy is not known",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      { send: ask(), expect: "00 81 0002 ?4 {port} 0000 00000000", effects: [] },
      { send: ask(0), expect: "00 81 0002 ?4 {port} 0000 00000000", effects: [] },
    ],
  },
  {
    id: "nonce-policy-off",
    title: "nonce policy off: any nonce renews and deletes",
    requirements: ["S-44"],
    clause: "RFC 6887 18.2",
    configuration: { noncePolicy: "off" },
    inProcess: "the server's policy is not known",
    level: "in effect",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ nonce: "{nonce2}" }), expect: mapped({ nonce: "{nonce2}" }) },
      { send: map({ lifetime: 0, nonce: "{nonce3}" }), expect: "02 81 ?1 00 ...", mappings: [] },
    ],
  },
])
export const natPmp: readonly Case[] = [...version, ...opcodes, ...address, ...epochs, ...across]
