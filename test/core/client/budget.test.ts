/** No server, whatever it sends, makes a client send more than it says: counted from what it sent alone. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  type ClientServer,
  type Command,
  createClient,
  DEFAULT_CLIENT_SETTINGS,
  type Mode,
  step,
} from "../../../core/client/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { word16 } from "../server/model-message.ts"
import { adversary, ends } from "./adversary.ts"
import { obliging, pcpAnswer } from "./gateway.ts"
import { address, ROUTER, router, SEED, type Sent, TCP_8080 } from "./scene.ts"
import { type Attack, besiege, burstOf, mostIn } from "./siege.ts"
import { DAY, REQUEST, STORMS } from "./storm.ts"

const { serverBudget, mappingBudget } = DEFAULT_CLIENT_SETTINGS
const MODES: readonly Mode[] = [{ kind: "keep" }, { kind: "keep" }, { kind: "repeat", times: 5 }, { kind: "once" }]
/** For the fractions of tokens. */
const EPSILON = 1e-6

const byKey = (
  sent: readonly Sent[],
  key: (one: Sent) => string | undefined,
): ReadonlyMap<string, readonly number[]> => {
  const instants = new Map<string, number[]>()
  for (const one of sent) {
    const name = key(one)
    if (name === undefined) continue
    const known = instants.get(name)
    if (known === undefined) instants.set(name, [one.at])
    else known.push(one.at)
  }
  return instants
}

/** 192.168.1.x is one server, 192.168.2.x another. */
const serverOf = ({ to }: Sent): string => formatAddress(to).split(".")[2]

/** A mapping's datagrams, in any version and with any nonce: those about one internal port. */
const mappingOf = (one: Sent): string | undefined => {
  const { bytes } = one
  if (bytes[0] === 2) return bytes[1] === 0 ? undefined : `${serverOf(one)} ${word16(bytes, 40)}`
  const port = bytes[1] === 0 ? 0 : word16(bytes, 4)
  return port === 0 ? undefined : `${serverOf(one)} ${port}`
}

/** For every window of t seconds: no more than burst + perSecond * t. */
const checkBudgets = (sent: readonly Sent[], isMappings = true): void => {
  for (const [server, instants] of byKey(sent, serverOf)) {
    const burst = burstOf(instants, serverBudget.perSecond)
    assert.ok(burst <= serverBudget.burst + EPSILON, `${burst} at once to server ${server}`)
  }
  if (!isMappings) return
  for (const [mapping, instants] of byKey(sent, mappingOf)) {
    const burst = burstOf(instants, mappingBudget.perSecond)
    assert.ok(burst <= mappingBudget.burst + EPSILON, `${burst} at once about mapping ${mapping}`)
  }
}

describe("a client's budget", () => {
  test("the count of windows is that of looking at each one", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 40 }), fc.constantFrom(0.25, 1, 16), (waits, perSecond) => {
        let at = 0
        const instants = waits.map((wait) => {
          at += wait % 7 === 0 ? 0 : wait
          return at
        })
        let most = 0
        for (let first = 0; first < instants.length; first++)
          for (let last = first; last < instants.length; last++)
            most = Math.max(most, last - first + 1 - ((instants[last] - instants[first]) * perSecond) / 1000)
        assert.ok(Math.abs(burstOf(instants, perSecond) - most) < EPSILON)
      }),
    )
  })

  for (const { name, most, attack, options, commands = REQUEST, duration = DAY } of STORMS)
    test(`${name}: at most ${most} datagrams a day`, () => {
      const { sent } = besiege({ attack: attack(), commands, options, duration })
      const aDay = Math.ceil((sent.length * DAY) / duration)
      assert.ok(aDay <= most, `${aDay} a day`)
      // A bound that is far from the truth says nothing.
      assert.ok(aDay > most / 2, `${aDay} a day alone`)
      const isOneMapping = !name.includes("deletes")
      checkBudgets(sent, isOneMapping)
      const instants = sent.map(({ at }) => at)
      if (isOneMapping) assert.ok(mostIn(instants, 60_000) <= 30, `${mostIn(instants, 60_000)} in a minute`)
    })

  test("any mixture of what servers, liars and applications do stays within it, for days", () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          mappings: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 12 })),
          servers: fc.integer({ min: 1, max: 2 }),
          ends: fc.integer({ min: 1, max: 3 }),
          protocol: fc.constantFrom("auto", "pcp", "nat-pmp"),
          lies: fc.boolean(),
          // Milliseconds between what comes by itself: days of it, or hours of a flood.
          pace: fc.constantFrom(100, 3000, 60_000),
        }),
        ({ seed, mappings, servers, ends: count, protocol, lies, pace }) => {
          const known: readonly ClientServer[] = Array.from({ length: servers }, (_, index) => ({
            name: `s${index + 1}`,
            ends: ends(index + 1, count),
            protocol,
            acceptResponsesFrom: lies ? [address("192.168.9.9")] : undefined,
          }))
          const commands: readonly Command[] = Array.from({ length: mappings }, (_, index) => ({
            type: "request",
            id: `m${index}`,
            request: { ...TCP_8080, protocol: index % 3 === 1 ? 17 : 6, internalPort: 1000 + index, lifetime: 600 },
            mode: MODES[index % MODES.length],
          }))
          const duration = Math.min(3 * DAY, pace * 6000)
          const attack = adversary(seed, known, commands, pace)
          const { sent } = besiege({ options: { servers: known }, commands, attack, duration })
          checkBudgets(sent)
        },
      ),
      { numRuns: 24 },
    )
  })

  test("two thousand mappings wait for their turn, the first asked first, with few steps", () => {
    const commands: readonly Command[] = Array.from({ length: 2000 }, (_, index) => ({
      type: "request",
      id: `m${index}`,
      request: { ...TCP_8080, internalPort: 1000 + index },
    }))
    const respond = obliging()
    const attack: Attack = {
      answer: (sent) => respond(sent).map((bytes) => ({ after: 5, move: { kind: "datagram", bytes } })),
    }
    const { sent, steps, counts } = besiege({ commands, attack, duration: 300_000 })
    checkBudgets(sent)
    assert.equal(counts.get("assigned"), 2000)
    assert.deepEqual(
      sent.slice(0, 2000).map(({ bytes }) => word16(bytes, 40)),
      commands.map((_, index) => 1000 + index),
    )
    // A command, a transmission and an answer each, and the ticks of the wait.
    assert.ok(steps <= 5 * 2000, `${steps} steps`)
  })

  test("what is ignored leaves the state's maps as they are, and wakes nobody", () => {
    const created = createClient({ seed: SEED, now: 0, servers: [router()] })
    assert.ok(created.ok)
    const [asked, effects] = step(created.state, { ...REQUEST[0], now: 0 })
    const [sent] = effects.flatMap((effect) => (effect.type === "send" ? [effect.bytes] : []))
    const nonce = new Uint8Array(12)
    for (const [bytes, source, sourcePort] of [
      [new Uint8Array(2), ROUTER, 5351],
      [Uint8Array.of(9, 9, 9, 9), ROUTER, 5351],
      [sent, ROUTER, 5351],
      [pcpAnswer(sent, { nonce }), ROUTER, 5351],
      [pcpAnswer(sent, { internalPort: 1 }), ROUTER, 5351],
      [pcpAnswer(sent), address("192.168.1.77"), 5351],
      [pcpAnswer(sent), ROUTER, 5350],
      [new Uint8Array(1100).fill(2), ROUTER, 5351],
    ] as const) {
      const [after, told] = step(asked, { type: "datagram", now: 5, bytes, source, sourcePort })
      assert.equal(after.tasks, asked.tasks)
      assert.equal(after.servers, asked.servers)
      assert.ok(told.length <= 3)
      assert.deepEqual(told.at(-1), effects.at(-1))
    }
  })
})
