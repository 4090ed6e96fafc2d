/** RFC 6887 section 11.3 on devices that rewrite by an algorithm, or nothing at all: NPTv6 (RFC 6296) and firewalls. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group, SET_UP } from "./group.ts"
import { FIREWALLS } from "./kinds.ts"
import { map, mapped, PREFER_FAILURE, peer, RESULT, refused, SCTP, TCP } from "./packet.ts"

/**
 * RFC 6296 section 3: 2001:db8:1::/48 is 2001:db8:2::/48 outside. The ones' complement sum of the prefix goes up by 1, so
 * the 16 bits after it go down by 1: 0x0000 + 0xfffe.
 */
const OUTSIDE = "20010db80002fffe0000000000000001"

const npt = group({ requirements: ["S-46"], clause: "RFC 6887 11.3", kinds: ["nptv6"], inProcess: SET_UP }, [
  {
    id: "stateless-address",
    title: "the answer is what the algorithm yields: prefix and checksum of the address, the port as it is",
    steps: [{ send: map(), expect: mapped({ externalPort: "{port}", external: OUTSIDE }), effects: [] }],
  },
  {
    id: "stateless-suggestion",
    title: "a suggestion makes no difference",
    steps: [
      {
        send: map({ suggestedPort: "{suggested}" }),
        expect: mapped({ externalPort: "{port}", external: OUTSIDE }),
        effects: [],
      },
    ],
  },
  {
    id: "stateless-any-nonce",
    title: "there is no mapping, and so no nonce to be wrong",
    steps: [
      { send: map(), expect: mapped({ externalPort: "{port}" }) },
      { send: map({ nonce: "{nonce2}" }), expect: mapped({ nonce: "{nonce2}", externalPort: "{port}" }), effects: [] },
    ],
  },
  ...[TCP, SCTP, 47].map((protocol) => ({
    id: `stateless-protocol-${protocol}`,
    title: `protocol ${protocol} is answered the same way`,
    steps: [{ send: map({ protocol }), expect: mapped({ protocol, externalPort: "{port}", external: OUTSIDE }) }],
  })),
  {
    id: "stateless-prefer-failure",
    title: "PREFER_FAILURE for another end than the algorithm's: CANNOT_PROVIDE_EXTERNAL",
    steps: [
      {
        send: map({ suggestedPort: "{suggested}", options: PREFER_FAILURE }),
        expect: refused("81", RESULT.CANNOT_PROVIDE_EXTERNAL),
      },
    ],
  },
])

const firewall = group({ requirements: ["S-46"], clause: "RFC 6887 11.3", kinds: FIREWALLS, needs: ["map"] }, [
  ...[17, TCP].map((protocol) => ({
    id: `firewall-same-end-${protocol}`,
    title: `a firewall modifies neither address nor port (protocol ${protocol})`,
    steps: [
      {
        send: map({ protocol }),
        expect: mapped({ protocol, externalPort: "{port}", external: "{client}" }),
        effects: [{ type: "created" as const, kind: "map" as const }],
      },
    ],
  })),
  {
    id: "firewall-suggestion",
    title: "a suggested end that is not the internal one does no harm",
    requirements: ["S-46", "S-50"],
    steps: [
      {
        send: map({ suggestedPort: "{suggested}", suggested: "{client2}" }),
        expect: mapped({ externalPort: "{port}", external: "{client}" }),
      },
    ],
  },
  {
    id: "firewall-nonce",
    title: "a firewall's explicit mapping is for its nonce: another is NOT_AUTHORIZED",
    requirements: ["S-44"],
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ nonce: "{nonce2}" }), expect: refused("81", RESULT.NOT_AUTHORIZED), effects: [] },
    ],
  },
  {
    id: "firewall-peer",
    title: "a firewall has no PEER: UNSUPP_OPCODE",
    requirements: ["S-60"],
    clause: "RFC 6887 12",
    lacks: ["peer"],
    steps: [{ send: peer(), expect: refused("82", RESULT.UNSUPP_OPCODE) }],
  },
  {
    id: "firewall-all-ports",
    title: "a firewall can open all ports of a protocol",
    requirements: ["S-43"],
    needs: ["map", "all-ports"],
    steps: [
      {
        send: map({ protocol: TCP, port: "0000" }),
        expect: mapped({ protocol: TCP, port: "0000", externalPort: "0000" }),
      },
    ],
  },
  {
    id: "firewall-everything",
    title: "a firewall can open everything for a host",
    requirements: ["S-43"],
    needs: ["map", "one-to-one"],
    steps: [
      {
        send: map({ protocol: 0, port: "0000" }),
        expect: mapped({ protocol: 0, port: "0000", externalPort: "0000" }),
      },
    ],
  },
])

export const stateless: readonly Case[] = [...npt, ...firewall]
