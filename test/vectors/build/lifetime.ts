/** RFC 6887 section 15: lifetimes. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { deleted, map, mapped, RESULT, refused, u32 } from "./packet.ts"

const { NOT_AUTHORIZED } = RESULT

const limits = group({ requirements: ["S-130"], clause: "RFC 6887 15", needs: ["map"] }, [
  {
    id: "lifetime-least",
    title: "a lifetime of 1 second is raised to the least, 120 seconds or more",
    steps: [
      {
        send: map({ lifetime: 1 }),
        expect: mapped({ lifetime: "{granted:4}" }),
        where: [{ name: "granted", atLeast: 120 }],
      },
    ],
  },
  {
    id: "lifetime-most",
    title: "a lifetime of 2^32-1 seconds is cut, to 24 hours or less",
    steps: [
      {
        send: map({ lifetime: 0xffffffff }),
        expect: mapped({ lifetime: "{granted:4}" }),
        where: [{ name: "granted", atMost: 86400 }],
      },
    ],
  },
  {
    id: "lifetime-not-zero",
    title: "what is granted is not zero",
    level: "in effect",
    steps: [
      {
        send: map(),
        expect: mapped({ lifetime: "{granted:4}" }),
        where: [{ name: "granted", atLeast: 1 }],
      },
    ],
  },
  ...[
    { asked: 1, granted: 120 },
    { asked: 119, granted: 120 },
    { asked: 120, granted: 120 },
    { asked: 121, granted: 121 },
    { asked: 86399, granted: 86399 },
    { asked: 86400, granted: 86400 },
    { asked: 86401, granted: 86400 },
    { asked: 0x7fffffff, granted: 86400 },
    { asked: 0x80000000, granted: 86400 },
  ].map(({ asked, granted }) => ({
    id: `lifetime-${asked}`,
    title: `asked for ${asked} seconds, within 120 to 86400: ${granted} granted`,
    inProcess: "the server's limits are not known",
    steps: [
      { send: map({ lifetime: asked }), expect: mapped({ lifetime: granted }), mappings: [{ lifetime: granted }] },
    ],
  })),
  ...[
    { asked: 1, granted: 60 },
    { asked: 61, granted: 61 },
    { asked: 3600, granted: 600 },
  ].map(({ asked, granted }) => ({
    id: `lifetime-configured-${asked}`,
    title: `the limits are settings: of 60 to 600 seconds, asked for ${asked}: ${granted} granted`,
    configuration: { minLifetime: 60, maxLifetime: 600 },
    inProcess: "the server's limits are not known",
    steps: [{ send: map({ lifetime: asked }), expect: mapped({ lifetime: granted }) }],
  })),
  {
    id: "lifetime-ends",
    title: "a mapping is there up to its last second, and not after",
    level: "in effect",
    inProcess: "takes two minutes",
    steps: [
      { send: map({ lifetime: 120 }), expect: mapped({ lifetime: 120 }) },
      { at: 119_999, send: map({ nonce: "{nonce2}" }), expect: refused("81", NOT_AUTHORIZED) },
      {
        at: 120_000,
        send: map({ nonce: "{nonce2}" }),
        expect: mapped({ nonce: "{nonce2}", externalPort: "?2", external: "?16" }),
      },
    ],
  },
  {
    id: "lifetime-expires",
    title: "a mapping that ran out is taken away",
    level: "in effect",
    inProcess: "takes two minutes",
    steps: [
      { send: map({ lifetime: 120 }), expect: mapped() },
      { at: 120_000, effects: [{ type: "expired", kind: "map", internalPort: "{port}" }], mappings: [] },
    ],
  },
])

const floor = group({ requirements: ["S-131"], clause: "RFC 6887 15", inProcess: "needs packets through the device" }, [
  {
    id: "floor-renewal",
    title: "no lifetime is under what traffic keeps the mapping for",
    configuration: { idleTimeout: { udp: 600, tcp: 600 } },
    steps: [
      { send: map({ lifetime: 3600 }), expect: mapped() },
      { at: 1000, outbound: { protocol: 17, port: "{port}" } },
      { at: 1000, send: map({ lifetime: 120 }), expect: mapped({ lifetime: 600 }) },
    ],
  },
  {
    id: "floor-delete",
    title: "a deletion of a mapping with traffic leaves it its idle time, and says so",
    configuration: { idleTimeout: { udp: 600, tcp: 600 } },
    steps: [
      { send: map({ lifetime: 3600 }), expect: mapped() },
      { at: 1000, outbound: { protocol: 17, port: "{port}" } },
      { at: 101_000, send: map({ lifetime: 0 }), expect: deleted({ lifetime: u32(500) }) },
    ],
  },
  {
    id: "floor-delete-idle",
    title: "a deletion after the idle time deletes",
    configuration: { idleTimeout: { udp: 600, tcp: 600 } },
    steps: [
      { send: map({ lifetime: 3600 }), expect: mapped() },
      { at: 1000, outbound: { protocol: 17, port: "{port}" } },
      { at: 601_000, send: map({ lifetime: 0 }), expect: deleted(), mappings: [] },
    ],
  },
])
export const lifetimes: readonly Case[] = [...limits, ...floor]
