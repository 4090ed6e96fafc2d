import assert from "node:assert/strict"
import { test } from "node:test"
import { type CgnState, translate } from "../../../../core/cgn/index.ts"
import { MAPPING, SESSION, SessionWord } from "../../../../core/cgn/layout.ts"
import { sessionOf } from "../../../../core/cgn/translate/session.ts"
import { open, rowLimit, setHint, type Table, word } from "../../../../core/table/index.ts"
import { ip4, type PortEnds, tcp, udp } from "../packet/build.ts"
import { cgnWith } from "../scene.ts"
import { ends, FIN, REMOTE, STRANGER, SYN } from "./scene.ts"

/** The words that tell sessions apart, as `sessionOf` takes them. */
type Key = readonly [number, number, number, number, number, number, number]

const keyAt = (table: Table, session: number): Key => {
  const at = (index: number): number => word(table, SESSION, session, index)
  const { MAPPING: row, PROTOCOL, PORTS, REMOTE: remote } = SessionWord
  return [at(row), at(PROTOCOL), at(PORTS), at(remote), at(remote + 1), at(remote + 2), at(remote + 3)]
}

/** The session of a key by a look at every row in use, which has a protocol. */
const scan = (table: Table, key: Key): number => {
  for (let session = 1; session < rowLimit(table, SESSION); session++) {
    const own = keyAt(table, session)
    if (own[1] !== 0 && own.every((one, i) => one === key[i])) return session
  }
  return 0
}

test("whatever a mapping row guesses its session to be, in whatever state, the one that is found is the one asked for", () => {
  const states: CgnState[] = [cgnWith({ translation: { filtering: "address-and-port-dependent", sessions: 3 } })]
  let now = 0
  const send = (at: PortEnds, protocol: 6 | 17, flags = SYN): void => {
    const bytes = ip4({ ...at, protocol }, protocol === 6 ? tcp(at, [], flags) : udp(at, []))
    states.push(translate(states[states.length - 1], { bytes, now, side: "inside" }).state)
  }
  for (const remote of [REMOTE, STRANGER])
    for (const port of [1000, 1001])
      for (const protocol of [6, 17] as const) send(ends("10.0.0.1", port, remote, 443), protocol)
  send(ends("10.0.0.1", 1000, REMOTE, 80), 6)
  send(ends("10.0.0.1", 1000, REMOTE, 443), 6, SYN | FIN)
  // More than a mapping may have, and long after: some go, and their rows are free or another's.
  for (const port of [81, 82, 83]) send(ends("10.0.0.1", 1000, REMOTE, port), 6)
  now = 900_000
  for (const port of [84, 85]) send(ends("10.0.0.1", 1001, STRANGER, port), 17)
  const keys = new Map<string, Key>()
  for (const { version } of states)
    for (let table = open(version), session = 1; session < rowLimit(table, SESSION); session++) {
      const key = keyAt(table, session)
      keys.set(key.join(), key)
      // And those beside it, which differ in one word.
      key.forEach((_, i) => {
        const [row, protocol, ports, r0, r1, r2, r3] = key.map((one, j) => (i === j ? one ^ 1 : one))
        if (row > 0 && protocol > 0) keys.set(`${key.join()} ${i}`, [row, protocol, ports, r0, r1, r2, r3])
      })
    }
  let found = 0
  const most = Math.max(...states.map(({ version }) => rowLimit(open(version), SESSION)))
  for (const { version } of [...states, ...states.toReversed()]) {
    const table = open(version)
    for (const key of keys.values()) {
      if (key[1] === 0) continue
      const there = scan(table, key)
      if (there !== 0) found++
      for (let guess = 0; guess < most; guess++) {
        setHint(table, MAPPING, key[0], guess)
        assert.equal(sessionOf(table, ...key), there)
        assert.equal(sessionOf(table, ...key), there)
      }
    }
  }
  assert.ok(found > 50, `${found}`)
})
