import type { ClientServer, Command, ServerEnd } from "../../../core/client/index.ts"
import { type Random, randomFrom } from "../../fuzz/random.ts"
import { natPmpAnswer, pcpAnnounce, pcpAnswer, versionError } from "./gateway.ts"
import { address, CLIENT, type Sent, TCP_8080 } from "./scene.ts"
import type { Attack, Later, Move } from "./siege.ts"

/** So many addresses of a server, 192.168.`server`.1 and on. */
export const ends = (server: number, count: number): readonly ServerEnd[] =>
  Array.from({ length: count }, (_, index) => ({ address: address(`192.168.${server}.${index + 1}`), client: CLIENT }))

const LIFETIMES = [0, 1, 2, 4, 5, 8, 30, 60, 120, 600, 3600, 86_400, 0x7fffffff, 0xffffffff]
const CODES = [0, 0, 0, 1, 2, 3, 4, 7, 8, 8, 9, 10, 11, 12, 13, 24, 99, 128, 255]

/** Epoch Time as it should be, stuck, gone back, jumping or at random. */
const epochOf = (random: Random, now: number): number =>
  random.pick([1000 + Math.floor(now / 1000), 1000 + Math.floor(now / 1000), 0, 5, random.below(2 ** 32), 0xffffffff])

/**
 * A server that does anything at any time, and others who pretend to be it; the same for the same seed. What it sends is made of
 * what the client sent: it knows the nonces. Now and then the application has its say as well, of mappings of its own.
 */
export const adversary = (
  seed: number,
  servers: readonly ClientServer[],
  commands: readonly Command[],
  pace: number,
): Attack => {
  const random = randomFrom(seed)
  const requests: Sent[] = []
  // One behaviour for a while, then another: a random answer each time would never let anything go on.
  let mood = 0
  let left = 0
  let fresh = 20_000
  const stranger = address("192.168.9.9")
  const someEnd = (): ServerEnd => random.pick(random.pick(servers).ends)

  const answerTo = (sent: Sent, now: number): Uint8Array => {
    const { bytes } = sent
    const epoch = epochOf(random, now)
    const lifetime = random.pick(LIFETIMES)
    switch (mood) {
      case 0:
        return bytes[0] === 2
          ? pcpAnswer(bytes, { epoch: 1000 + Math.floor(now / 1000), lifetime })
          : natPmpAnswer(bytes, { epoch: 1000 + Math.floor(now / 1000), lifetime })
      case 1:
        return bytes[0] === 2
          ? pcpAnswer(bytes, { epoch, lifetime: 3600 })
          : natPmpAnswer(bytes, { epoch, lifetime: 3600 })
      case 2:
        return versionError(bytes[0] === 2 ? 0 : 2, bytes, epoch)
      case 3:
        return versionError(random.below(4), bytes, epoch)
      case 4:
        return bytes[0] === 2
          ? pcpAnswer(bytes, { epoch, result: random.pick(CODES), lifetime })
          : natPmpAnswer(bytes, { epoch, result: random.below(7), lifetime })
      case 5: {
        const changed = (
          bytes[0] === 2 ? pcpAnswer(bytes, { epoch, lifetime }) : natPmpAnswer(bytes, { epoch })
        ).slice()
        changed[random.below(changed.length)] ^= 1 << random.below(8)
        return random.once(3) ? changed.slice(0, random.below(changed.length)) : changed
      }
      case 6:
        return bytes[0] === 2
          ? pcpAnswer(bytes, { epoch, lifetime, nonce: new Uint8Array(12).fill(random.below(3)) })
          : natPmpAnswer(bytes, { epoch, internalPort: random.below(3000) })
      default:
        return bytes[0] === 2
          ? pcpAnswer(bytes, {
              epoch: 1000 + Math.floor(now / 1000),
              lifetime,
              externalPort: random.below(65_536),
              external: `203.0.113.${random.below(256)}`,
            })
          : natPmpAnswer(bytes, { epoch, lifetime, externalPort: random.below(65_536), external: "100.64.0.1" })
    }
  }

  const move = (sent: Sent, now: number): Move => {
    if (random.once(12)) return { kind: "unreachable", address: sent.to }
    const source = random.once(8) ? random.pick([stranger, someEnd().address]) : sent.to
    return { kind: "datagram", bytes: answerTo(sent, now), source, port: random.once(30) ? 5350 : 5351 }
  }

  const command = (): Command => {
    const named = random.pick(commands)
    const id = "id" in named && named.id !== undefined ? named.id : ""
    switch (random.below(7)) {
      case 0:
        return { type: "announce", id: `probe${fresh++}`, tries: 1 + random.below(5) }
      case 1:
        return { type: "external-address", id: `address${fresh++}` }
      case 2:
        return { type: "network-changed", servers }
      case 3: {
        // A port of its own: a mapping that is made again has a budget of its own.
        const internalPort = fresh++
        return {
          type: "request",
          id: `p${internalPort}`,
          request: { ...TCP_8080, internalPort },
          mode: { kind: "once" },
        }
      }
      case 4:
        return { type: "revoke", id: `p${fresh - 1}` }
      default:
        return { type: "renew", id, lifetime: random.once(3) ? 1 + random.below(4000) : undefined }
    }
  }

  return {
    answer: (sent) => {
      requests.push(sent)
      if (requests.length > 64) requests.shift()
      if (left-- <= 0) {
        mood = random.below(9)
        left = random.below(40)
      }
      if (mood === 8 || random.once(6)) return []
      return Array.from({ length: random.once(4) ? 1 + random.below(4) : 1 }, (): Later => {
        const after = random.once(5) ? random.below(20_000) : random.below(50)
        return { after, move: move(sent, sent.at + after) }
      })
    },
    every: {
      milliseconds: pace,
      moves: (now) => {
        if (random.once(10)) return [{ kind: "command", command: command() }]
        const { address: source } = someEnd()
        if (random.once(3)) return [{ kind: "datagram", bytes: pcpAnnounce(epochOf(random, now)), source }]
        if (random.once(3))
          return [
            { kind: "datagram", bytes: natPmpAnswer(Uint8Array.of(0, 0), { epoch: epochOf(random, now) }), source },
          ]
        if (random.once(4)) return [{ kind: "unreachable", address: source }]
        return requests.length === 0 ? [] : [move(random.pick(requests), now)]
      },
    },
  }
}
