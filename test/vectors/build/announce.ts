/** RFC 6887 sections 8.5 and 14: Epoch Time, ANNOUNCE and mapping updates. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { announce, announced, ip4, map, mapped, RESULT, refused, u32, ZERO12 } from "./packet.ts"

const epochs = group({ requirements: ["S-140"], clause: "RFC 6887 8.5", needs: ["announce"] }, [
  {
    id: "epoch-rises",
    title: "Epoch Time goes up by one a second",
    steps: [
      { send: announce(), expect: announced({ epoch: "{first:4}" }) },
      {
        at: 2000,
        send: announce(),
        expect: announced({ epoch: "{second:4}" }),
        where: [{ name: "second", minus: "first", atLeast: 1, atMost: 6 }],
      },
    ],
  },
  {
    id: "epoch-clients",
    title: "Epoch Time does not go back between two requests",
    steps: [
      { send: announce(), expect: announced({ epoch: "{first:4}" }) },
      {
        send: announce(),
        expect: announced({ epoch: "{second:4}" }),
        where: [{ name: "second", minus: "first", atLeast: 0, atMost: 2 }],
      },
    ],
  },
  ...[
    { at: 0, epoch: 0 },
    { at: 999, epoch: 0 },
    { at: 1000, epoch: 1 },
    { at: 86_400_000, epoch: 86_400 },
    { at: 4_294_967_295_000, epoch: 0xffffffff },
  ].map(({ at, epoch }) => ({
    id: `epoch-at-${at}`,
    title: `${at} milliseconds after the start Epoch Time is ${epoch}`,
    inProcess: "only in a run of its own is the start known",
    steps: [{ at, send: announce(), expect: announced({ epoch: u32(epoch) }) }],
  })),
  {
    id: "epoch-address-changed",
    title: "when an external address changes, Epoch Time starts again",
    inProcess: "needs another configuration while it runs",
    kinds: ["nat444"],
    steps: [
      { at: 50_000, send: announce(), expect: announced({ epoch: u32(50) }) },
      {
        at: 100_000,
        event: { type: "reconfigure", configuration: { external: ["203.0.113.9"] } },
        effects: [{ type: "epoch-reset" }],
      },
      { at: 105_000, send: announce(), expect: announced({ epoch: u32(5) }) },
    ],
  },
])

const announcements = [
  ...group({ requirements: ["S-81"], clause: "RFC 6887 14.1.2", needs: ["announce"] }, [
    {
      id: "announce-success",
      title: "a solicited ANNOUNCE: SUCCESS, 24 octets",
      steps: [{ send: announce(), expect: announced({ options: "" }) }],
    },
    {
      id: "announce-lifetime",
      title: "a solicited ANNOUNCE's response has lifetime 0",
      steps: [{ send: announce(), expect: announced({ lifetime: 0 }) }],
    },
    {
      id: "announce-lifetime-ignored",
      title: "the lifetime of an ANNOUNCE request is ignored",
      steps: [{ send: announce({ lifetime: 7200 }), expect: announced({ lifetime: 0 }) }],
    },
    {
      id: "announce-option-expected",
      title: "an ANNOUNCE with an optional option is answered all the same",
      steps: [{ send: announce({ options: "e0000000" }), expect: announced({ options: "..." }) }],
    },
    {
      id: "announce-error-lifetime",
      title: "an ANNOUNCE that is malformed gets the error",
      steps: [{ send: announce({ options: "0300ffff" }), expect: refused("80", RESULT.MALFORMED_OPTION) }],
    },
  ]),
  ...group(
    {
      requirements: ["S-80", "S-82", "S-83", "S-84"],
      clause: "RFC 6887 14.1.3",
      inProcess: "the server has to lose its state",
    },
    [
      {
        id: "announce-schedule",
        title:
          "after a loss of state: ten ANNOUNCE responses to 224.0.0.1:5350, intervals from 250 ms doubling, Epoch Time fresh",
        kinds: ["nat444"],
        configuration: { natPmp: false },
        steps: [
          { at: 10_000, event: { type: "announce" } },
          {
            at: 400_000,
            unsolicited: [0, 250, 750, 1750, 3750, 7750, 15_750, 31_750, 63_750, 127_750].flatMap((after) =>
              // A pair: to clients of both families.
              [ip4("224.0.0.1"), "ff020000000000000000000000000001"].map((to) => ({
                at: 10_000 + after,
                to,
                port: 5350,
                bytes: `02 80 00 00 00000000 ${u32(Math.floor((10_000 + after) / 1000))} ${ZERO12}`,
              })),
            ),
          },
        ],
      },
      {
        id: "announce-schedule-natpmp",
        title: "with NAT-PMP too, its external-address response goes to 224.0.0.1:5350 as often",
        requirements: ["S-83", "N-06"],
        clause: "RFC 6886 3.2.1",
        kinds: ["nat444"],
        configuration: { pcp: false },
        steps: [
          { at: 10_000, event: { type: "announce" } },
          {
            at: 400_000,
            unsolicited: [0, 250, 750, 1750, 3750, 7750, 15_750, 31_750, 63_750, 127_750].map((after) => ({
              at: 10_000 + after,
              to: ip4("224.0.0.1"),
              port: 5350,
              bytes: `00 80 0000 ${u32(Math.floor((10_000 + after) / 1000))} cb007101`,
            })),
          },
        ],
      },
    ],
  ),
  ...group(
    {
      requirements: ["S-90", "S-92"],
      clause: "RFC 6887 14.2",
      kinds: ["nat444"],
      inProcess: "the external address has to change",
    },
    [
      {
        id: "update-map",
        title: "a mapping that moved: its client is told three times, after 0, 250 and 750 ms",
        configuration: { natPmp: false },
        steps: [
          { sourcePort: 40123, send: map({ lifetime: 3600 }), expect: mapped({ lifetime: 3600 }) },
          {
            at: 100_000,
            event: { type: "reconfigure", configuration: { external: ["203.0.113.9"] } },
            effects: [{ type: "moved", external: ip4("203.0.113.9") }, { type: "epoch-reset" }],
          },
          {
            at: 101_000,
            to: "unicast",
            unsolicited: [0, 250, 750].map((after) => ({
              at: 100_000 + after,
              to: "{client}",
              port: 40123,
              // 3500 seconds are left, and a part of one less each time.
              bytes: `02 81 00 00 00000d ?1 ${u32(0)} ${ZERO12} {nonce} 11 000000 {port} {moved:2} ${ip4("203.0.113.9")}`,
            })),
          },
        ],
      },
      {
        id: "update-stops",
        title: "the client renewed it: no more updates",
        configuration: { natPmp: false },
        steps: [
          { sourcePort: 40123, send: map({ lifetime: 3600 }), expect: mapped({ lifetime: 3600 }) },
          { at: 100_000, event: { type: "reconfigure", configuration: { external: ["203.0.113.9"] } } },
          {
            at: 100_100,
            to: "unicast",
            unsolicited: [{ at: 100_000, to: "{client}", port: 40123, bytes: "02 81 00 00 ..." }],
          },
          {
            at: 100_150,
            sourcePort: 40123,
            send: map({ lifetime: 3600 }),
            expect: mapped({ externalPort: "?2", external: ip4("203.0.113.9") }),
          },
          { at: 100_900, to: "unicast", unsolicited: [] },
        ],
      },
      {
        id: "update-third-party",
        title: "an update echoes THIRD_PARTY, and goes to who asked",
        requirements: ["S-91"],
        configuration: { natPmp: false, thirdParty: true },
        steps: [
          {
            sourcePort: 40123,
            send: map({ lifetime: 3600, options: "01 00 0010 {client2}" }),
            expect: mapped({ options: "01 00 0010 {client2}" }),
          },
          { at: 100_000, event: { type: "reconfigure", configuration: { external: ["203.0.113.9"] } } },
          {
            at: 100_100,
            to: "unicast",
            unsolicited: [
              {
                at: 100_000,
                to: "{client}",
                port: 40123,
                bytes: `02 81 00 00 ${u32(3500)} ${u32(0)} ${ZERO12} {nonce} 11 000000 {port} {moved:2} ${ip4("203.0.113.9")} 01 00 0010 {client2}`,
              },
            ],
          },
        ],
      },
      {
        id: "update-filter",
        title: "the filters move with the mapping, and an update echoes them",
        requirements: ["S-91"],
        configuration: { natPmp: false },
        steps: [
          {
            sourcePort: 40123,
            send: map({ lifetime: 3600, options: "03 00 0014 00 80 01bb {remote}" }),
            expect: mapped({ options: "03 00 0014 00 80 01bb {remote}" }),
          },
          { at: 100_000, event: { type: "reconfigure", configuration: { external: ["203.0.113.9"] } } },
          {
            at: 100_100,
            to: "unicast",
            unsolicited: [
              {
                at: 100_000,
                to: "{client}",
                port: 40123,
                bytes: `02 81 00 00 ${u32(3500)} ${u32(0)} ${ZERO12} {nonce} 11 000000 {port} {moved:2} ${ip4("203.0.113.9")} 03 00 0014 00 80 01bb {remote}`,
              },
            ],
          },
        ],
      },
      {
        id: "update-natpmp",
        title: "a mapping of NAT-PMP that moved: the update is NAT-PMP's response",
        requirements: ["S-90", "N-06"],
        configuration: { pcp: false },
        steps: [
          { sourcePort: 40123, send: "00 01 0000 {port} 0000 00000e10", expect: "00 81 0000 ?4 {port} ?2 ?4" },
          { at: 100_000, event: { type: "reconfigure", configuration: { external: ["203.0.113.9"] } } },
          {
            at: 100_100,
            to: "unicast",
            unsolicited: [
              { at: 100_000, to: "{client}", port: 40123, bytes: `00 81 0000 ${u32(0)} {port} {moved:2} ${u32(3500)}` },
            ],
          },
        ],
      },
    ],
  ),
]
export const pushes: readonly Case[] = [...epochs, ...announcements]
