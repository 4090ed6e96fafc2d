/**
 * What a server, or whoever can pose as one, may do to make a client send, each for as long as the client lives. `most` is the
 * number of datagrams that a day of it may cost for one mapping; docs/clients.md has the same table for people.
 */
import type { ClientOptions, Command } from "../../../core/client/index.ts"
import { type Random, randomFrom } from "../../fuzz/random.ts"
import { natPmpAnswer, pcpAnnounce, pcpAnswer, versionError } from "./gateway.ts"
import { address, CLIENT, router, type Sent, TCP_8080 } from "./scene.ts"
import type { Attack, Later, Move } from "./siege.ts"

export interface Storm {
  readonly name: string
  /** Datagrams a day for one mapping. */
  readonly most: number
  readonly attack: () => Attack
  readonly options?: Partial<ClientOptions>
  readonly commands?: readonly Command[]
  /** Simulated milliseconds, where a day has too many inputs to try each time. */
  readonly duration?: number
}

export const DAY = 86_400_000
export const REQUEST: readonly Command[] = [{ type: "request", id: "web", request: TCP_8080 }]

/** An Epoch Time that goes with the clock. */
const steady = (at: number): number => 1000 + Math.floor(at / 1000)
const wild = (random: Random): number => random.below(2 ** 32)

const datagram = (bytes: Uint8Array): Move => ({ kind: "datagram", bytes })

type Reply = (sent: Sent, count: number) => Uint8Array | undefined

const replies = (reply: Reply): Attack => {
  let count = 0
  return {
    answer: (sent) => {
      const bytes = reply(sent, count++)
      return bytes === undefined ? [] : [{ after: 5, move: datagram(bytes) }]
    },
  }
}

/** Grants all, in time with the clock. */
const kind: Reply = ({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at) })

/** A gateway that knows NAT-PMP alone. */
const natPmp = (reply: Reply): Attack =>
  replies((sent, count) => (sent.bytes[0] === 0 ? reply(sent, count) : versionError(0, sent.bytes, steady(sent.at))))

const each = (milliseconds: number, moves: (now: number) => readonly Move[], reply: Reply = kind): Attack => ({
  ...replies(reply),
  every: { milliseconds, moves },
})

const THREE = {
  servers: [router({ ends: [1, 2, 3].map((last) => ({ address: address(`192.168.1.${last}`), client: CLIENT })) })],
}

const refused = ({ to }: Sent): Later => ({ after: 1, move: { kind: "unreachable", address: to } })

export const STORMS: readonly Storm[] = [
  { name: "no answer at all", most: 100, attack: () => ({ answer: () => [] }) },
  { name: "a server that grants an hour", most: 49, attack: () => replies(kind) },
  {
    name: "an Epoch Time at random in each answer",
    most: 49,
    attack: () => {
      const random = randomFrom(1)
      return replies(({ bytes }) => pcpAnswer(bytes, { epoch: wild(random) }))
    },
  },
  {
    name: "announcements with an Epoch Time at random, ten a second",
    most: 200,
    duration: DAY / 8,
    attack: () => {
      const random = randomFrom(2)
      return each(100, () => [datagram(pcpAnnounce(wild(random)))])
    },
  },
  {
    name: "announcements with Epoch Time 0, ten a second, and no answer to the rest",
    most: 250,
    duration: DAY / 8,
    attack: () =>
      each(
        100,
        () => [datagram(pcpAnnounce(0))],
        (sent, count) => (count === 0 ? kind(sent, 0) : undefined),
      ),
  },
  {
    name: "an announcement with Epoch Time 0 each 90 seconds",
    most: 1000,
    attack: () => each(90_000, () => [datagram(pcpAnnounce(0))]),
  },
  {
    name: "lifetimes of 0",
    most: 2880,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), lifetime: 0 })),
  },
  {
    name: "lifetimes of 1 s",
    most: 2880,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), lifetime: 1 })),
  },
  {
    name: "lifetimes of 5 s, renewed as seldom as RFC 6887 section 11.2.1 allows",
    most: 21_601,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), lifetime: 5 })),
  },
  {
    name: "lifetimes of 60 s",
    most: 2880,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), lifetime: 60 })),
  },
  {
    name: "lifetimes of 136 years",
    most: 2,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), lifetime: 0xffffffff })),
  },
  {
    name: "NO_RESOURCES with lifetime 0",
    most: 2880,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), result: 8, lifetime: 0 })),
  },
  {
    name: "NOT_AUTHORIZED with lifetime 0",
    most: 48,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), result: 2, lifetime: 0 })),
  },
  {
    name: "a result code that nobody has assigned, with lifetime 0",
    most: 2880,
    attack: () => replies(({ bytes, at }) => pcpAnswer(bytes, { epoch: steady(at), result: 99, lifetime: 0 })),
  },
  {
    name: "a grant, then an error, then a grant taken away, three answers to each request",
    most: 2880,
    attack: () => ({
      answer: ({ bytes, at }) =>
        [{}, { result: 11 }, {}, { lifetime: 0 }, { lifetime: 1 }].map((answer, index) => ({
          after: index + 1,
          move: datagram(pcpAnswer(bytes, { epoch: steady(at), ...answer })),
        })),
    }),
  },
  {
    name: "version errors in turn: NAT-PMP alone, then PCP alone",
    most: 96,
    attack: () => replies(({ bytes, at }) => versionError(bytes[0] === 2 ? 0 : 2, bytes, steady(at))),
  },
  {
    name: "version errors of versions 0, 1, 2 and 3 in turn",
    most: 96,
    attack: () => replies(({ bytes, at }, count) => versionError(count % 4, bytes, steady(at))),
  },
  {
    name: "two version errors, then a grant of 1 s, over and over",
    most: 150,
    attack: () =>
      replies(({ bytes, at }, count) => {
        if (count % 3 !== 2) return versionError(bytes[0] === 2 ? 0 : 2, bytes, steady(at))
        return bytes[0] === 2 ? pcpAnswer(bytes, { lifetime: 1 }) : natPmpAnswer(bytes, { lifetime: 1 })
      }),
  },
  {
    name: "ICMP unreachable for each datagram",
    most: 96,
    attack: () => ({ answer: (sent) => [refused(sent)] }),
  },
  {
    name: "ICMP unreachable for each datagram, from all three addresses of a server",
    most: 288,
    options: THREE,
    attack: () => ({ answer: (sent) => [refused(sent)] }),
  },
  {
    name: "an announcement and ICMP unreachable for each datagram, three addresses",
    most: 288,
    options: THREE,
    attack: () => ({
      answer: (sent) => [
        { after: 1, move: { kind: "datagram", bytes: pcpAnnounce(steady(sent.at)), source: sent.to } },
        { ...refused(sent), after: 2 },
      ],
    }),
  },
  {
    name: "a grant with an Epoch Time at random and ICMP unreachable for each datagram",
    most: 49,
    attack: () => {
      const random = randomFrom(3)
      return {
        answer: (sent) => [
          { after: 1, move: datagram(pcpAnswer(sent.bytes, { epoch: wild(random) })) },
          { ...refused(sent), after: 2 },
        ],
      }
    },
  },
  {
    name: "NAT-PMP that refuses port 0 and every other",
    most: 144,
    attack: () => natPmp(({ bytes, at }) => natPmpAnswer(bytes, { epoch: steady(at), result: 2 })),
  },
  {
    name: "NAT-PMP that is out of resources for port 0 and every other",
    most: 5810,
    attack: () => natPmp(({ bytes, at }) => natPmpAnswer(bytes, { epoch: steady(at), result: 4 })),
  },
  {
    name: "NAT-PMP lifetimes of 0",
    most: 820,
    attack: () => natPmp(({ bytes, at }) => natPmpAnswer(bytes, { epoch: steady(at), lifetime: 0 })),
  },
  {
    name: "NAT-PMP lifetimes of 60 s, and never the external address",
    most: 3300,
    attack: () =>
      natPmp(({ bytes, at }) =>
        bytes[1] === 0 ? undefined : natPmpAnswer(bytes, { epoch: steady(at), lifetime: 60 }),
      ),
  },
  {
    name: "NAT-PMP lifetimes of 8 s, and an error for the external address",
    most: 24_500,
    attack: () =>
      natPmp(({ bytes, at }) =>
        natPmpAnswer(bytes, { epoch: steady(at), lifetime: 8, result: bytes[1] === 0 ? 3 : 0 }),
      ),
  },
  {
    name: "NAT-PMP announcements of another address and Epoch Time each second",
    most: 370,
    duration: DAY / 8,
    attack: () => {
      const random = randomFrom(4)
      return {
        ...natPmp(({ bytes, at }) => natPmpAnswer(bytes, { epoch: steady(at) })),
        every: {
          milliseconds: 1000,
          moves: () => [
            datagram(
              natPmpAnswer(Uint8Array.of(0, 0), { epoch: wild(random), external: `203.0.113.${random.below(256)}` }),
            ),
          ],
        },
      }
    },
  },
  {
    name: "an application that renews each second",
    most: 21_700,
    duration: DAY / 8,
    attack: () => each(1000, () => [{ kind: "command", command: { type: "renew", id: "web" } }]),
  },
  {
    name: "an application that says each second that the network changed",
    most: 21_700,
    duration: DAY / 8,
    attack: () => each(1000, () => [{ kind: "command", command: { type: "network-changed", servers: [router()] } }]),
  },
  {
    name: "an application that makes and deletes the mapping in turn, ten times a second",
    // Each is a mapping of its own: only the server's budget holds them.
    most: 432_300,
    duration: DAY / 240,
    attack: () => {
      let isThere = true
      return each(100, () => {
        isThere = !isThere
        return [{ kind: "command", command: isThere ? REQUEST[0] : { type: "drop", id: "web" } }]
      })
    },
  },
]
