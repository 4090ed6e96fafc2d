/** RFC 7843: THIRD_PARTY_ID. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { announce, map, mapped, peer, peered, RESULT, refused, thirdParty, thirdPartyId, u8 } from "./packet.ts"

const { NOT_AUTHORIZED, UNSUPP_OPTION, MALFORMED_OPTION } = RESULT

const THIRD = { thirdParty: true, thirdPartyIds: ["0a0b0c0d", "0a0b0c0e"] } as const

const known = `${thirdParty("{client2}")} ${thirdPartyId("0a0b0c0d")}`

const second = `${thirdParty("{client2}")} ${thirdPartyId("0a0b0c0e")}`

const ids = [
  ...group(
    {
      requirements: ["T-01"],
      clause: "RFC 7843 5.2",
      configuration: THIRD,
      inProcess: "the server's identifiers are not known",
      kinds: ["nat444"],
    },
    [
      {
        id: "third-party-id-map",
        title: "a known identifier with THIRD_PARTY: mapped, both come back",
        steps: [
          {
            send: map({ options: known }),
            expect: mapped({ options: known }),
            mappings: [{ internal: "{client2}", internalPort: "{port}" }],
          },
        ],
      },
      {
        id: "third-party-id-peer",
        title: "a known identifier with PEER",
        steps: [{ send: peer({ options: known }), expect: peered({ options: known }) }],
      },
      {
        id: "third-party-id-order",
        title: "the identifier may stand before THIRD_PARTY",
        steps: [
          {
            send: map({ options: `${thirdPartyId("0a0b0c0d")} ${thirdParty("{client2}")}` }),
            expect: mapped({ options: `${thirdPartyId("0a0b0c0d")} ${thirdParty("{client2}")}` }),
          },
        ],
      },
      {
        id: "third-party-id-realm",
        title: "the same address under another identifier is another host: another mapping, any nonce",
        steps: [
          { send: map({ options: known }), expect: mapped({ options: known }) },
          {
            send: map({ nonce: "{nonce2}", options: second }),
            expect: mapped({ nonce: "{nonce2}", externalPort: "{second:2}", external: "?16", options: second }),
            where: [{ name: "second", differsFrom: "externalPort" }],
            mappings: [{ internal: "{client2}" }, { internal: "{client2}" }],
          },
        ],
      },
      {
        id: "third-party-id-nonce",
        title: "under the same identifier another nonce is NOT_AUTHORIZED",
        steps: [
          { send: map({ options: known }), expect: mapped({ options: known }) },
          { send: map({ nonce: "{nonce2}", options: known }), expect: refused("81", NOT_AUTHORIZED), effects: [] },
        ],
      },
      {
        id: "third-party-id-delete",
        title: "a deletion under the identifier deletes its mapping, and no other's",
        steps: [
          { send: map({ options: known }), expect: mapped({ options: known }) },
          { send: map({ lifetime: 0, options: second }), expect: "02 81 ?1 00 ...", effects: [] },
          { send: map({ lifetime: 0, options: known }), expect: "02 81 ?1 00 ...", mappings: [] },
        ],
      },
      {
        id: "third-party-id-unknown",
        title: "an unknown identifier: THIRD_PARTY_ID_UNKNOWN, a long-lifetime error",
        steps: [
          {
            send: map({ options: `${thirdParty("{client2}")} ${thirdPartyId("99999999")}` }),
            expect: refused("81", RESULT.THIRD_PARTY_ID_UNKNOWN, { lifetime: 1800 }),
            effects: [],
          },
        ],
      },
      {
        id: "third-party-id-alone",
        title: "an identifier without THIRD_PARTY: THIRD_PARTY_MISSING_OPTION, a long-lifetime error",
        steps: [
          {
            send: map({ options: thirdPartyId("0a0b0c0d") }),
            expect: refused("81", RESULT.THIRD_PARTY_MISSING_OPTION, { lifetime: 1800 }),
            effects: [],
          },
        ],
      },
      ...["0a0b0c", "0a0b0c0d0e"].map((id) => ({
        id: `third-party-id-length-${id.length / 2}`,
        title: `an identifier of ${id.length / 2} octets where they have 4: UNSUPP_THIRD_PARTY_ID_LENGTH`,
        steps: [
          {
            send: map({ options: `${thirdParty("{client2}")} ${thirdPartyId(id)}` }),
            expect: refused("81", RESULT.UNSUPP_THIRD_PARTY_ID_LENGTH),
            effects: [],
          },
        ],
      })),
      {
        id: "third-party-id-twice",
        title: "THIRD_PARTY_ID twice: MALFORMED_OPTION",
        requirements: ["T-01", "S-33"],
        steps: [
          {
            send: map({ options: `${known} ${thirdPartyId("0a0b0c0d")}` }),
            expect: refused("81", MALFORMED_OPTION),
            effects: [],
          },
        ],
      },
      {
        id: "third-party-id-announce",
        title: "THIRD_PARTY_ID with ANNOUNCE is refused",
        requirements: ["T-01", "S-35"],
        steps: [
          {
            send: announce({ options: thirdPartyId("0a0b0c0d") }),
            expect: [3, 5, 6, 25].map((result) => refused("80", result)),
          },
        ],
      },
    ],
  ),
  ...group({ requirements: ["T-02"], clause: "RFC 7843 5.2", needs: ["map"], lacks: ["third-party-id"] }, [
    ...[4, 16].map((octets) => ({
      id: `third-party-id-off-${octets}`,
      title: "THIRD_PARTY_ID where it is not supported: UNSUPP_OPTION",
      steps: [
        {
          send: map({ options: thirdPartyId(u8(1).repeat(octets)) }),
          expect: refused("81", UNSUPP_OPTION),
          effects: [],
        },
      ],
    })),
  ]),
]
export const thirdPartyIds: readonly Case[] = [...ids]
