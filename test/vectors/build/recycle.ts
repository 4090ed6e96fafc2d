/** RFC 6887 section 15: the reuse of freed ports. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { NATS } from "./kinds.ts"
import { deleted, map, mapped, RESULT, refused, u16 } from "./packet.ts"

const recycling = group({ requirements: ["S-136"], clause: "RFC 6887 15", inProcess: "takes minutes", kinds: NATS }, [
  {
    id: "recycle-other",
    title: "a port that was freed goes to no other host for the time of the setting",
    configuration: { recycleDelay: { udp: 120, tcp: 120 } },
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
      { at: 1000, send: map({ lifetime: 0 }), expect: deleted() },
      {
        at: 60_000,
        from: "client2",
        send: map({ client: "{client2}", suggestedPort: "{suggested}", suggested: "{external}" }),
        expect: mapped({ externalPort: "{second:2}", external: "?16" }),
        where: [{ name: "second", differsFrom: "suggested" }],
      },
    ],
  },
  {
    id: "recycle-after",
    title: "after that time it does",
    configuration: { recycleDelay: { udp: 120, tcp: 120 } },
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
      { at: 1000, send: map({ lifetime: 0 }), expect: deleted() },
      {
        at: 121_000,
        from: "client2",
        send: map({ client: "{client2}", suggestedPort: "{suggested}", suggested: "{external}" }),
        expect: mapped({ externalPort: "{suggested}" }),
      },
    ],
  },
  {
    id: "recycle-same-client",
    title: "the client that had it, by internal end and nonce, has it again within the time",
    configuration: { recycleDelay: { udp: 120, tcp: 120 } },
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
      { at: 1000, send: map({ lifetime: 0 }), expect: deleted() },
      {
        at: 2000,
        send: map({ suggestedPort: "{suggested}", suggested: "{external}" }),
        expect: mapped({ externalPort: "{suggested}" }),
      },
    ],
  },
  {
    id: "recycle-other-nonce",
    title: "the same internal end with another nonce has it not within the time",
    configuration: { recycleDelay: { udp: 120, tcp: 120 } },
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
      { at: 1000, send: map({ lifetime: 0 }), expect: deleted() },
      {
        at: 2000,
        send: map({ nonce: "{nonce2}", suggestedPort: "{suggested}", suggested: "{external}" }),
        expect: mapped({ nonce: "{nonce2}", externalPort: "{second:2}", external: "?16" }),
        where: [{ name: "second", differsFrom: "suggested" }],
      },
    ],
  },
  {
    id: "recycle-expired",
    title: "a port is held also when its mapping ran out",
    configuration: { recycleDelay: { udp: 120, tcp: 120 } },
    steps: [
      { send: map({ lifetime: 120, suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
      {
        at: 150_000,
        from: "client2",
        send: map({ client: "{client2}", suggestedPort: "{suggested}", suggested: "{external}" }),
        expect: mapped({ externalPort: "{second:2}", external: "?16" }),
        where: [{ name: "second", differsFrom: "suggested" }],
      },
    ],
  },
  {
    id: "recycle-off",
    title: "a delay of 0 holds nothing",
    level: "in effect",
    configuration: { recycleDelay: { udp: 0, tcp: 0 } },
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
      { at: 1000, send: map({ lifetime: 0 }), expect: deleted() },
      {
        at: 1001,
        from: "client2",
        send: map({ client: "{client2}", suggestedPort: "{suggested}", suggested: "{external}" }),
        expect: mapped({ externalPort: "{suggested}" }),
      },
    ],
  },
  {
    id: "recycle-no-resources",
    title: "where all ports are held there is none: NO_RESOURCES",
    configuration: { ports: { first: 2000, last: 2000 }, recycleDelay: { udp: 120, tcp: 120 } },
    steps: [
      { send: map(), expect: mapped({ externalPort: u16(2000) }) },
      { at: 1000, send: map({ lifetime: 0 }), expect: deleted() },
      { at: 2000, from: "client2", send: map({ client: "{client2}" }), expect: refused("81", RESULT.NO_RESOURCES) },
    ],
  },
])
export const recycled: readonly Case[] = [...recycling]
