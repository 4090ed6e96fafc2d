import assert from "node:assert/strict"
import { test } from "node:test"
import {
  createFirewall,
  type FirewallState,
  firewallCgn,
  listPinholes,
  PROFILES,
  pinholeFilters,
  restoreFirewall,
  saveFirewall,
} from "../../../../core/cgn/index.ts"
import {
  advance,
  createServerOver,
  process,
  restoreOver,
  type ServerState,
  snapshotOver,
} from "../../../../core/server/index.ts"
import { type Random, randomFrom } from "../../../fuzz/random.ts"
import { address, filter, map, OTHER_NONCE, option } from "../../server/scene.ts"
import { digits } from "../stage.ts"

const SETTINGS = { family: "ipv6", secret: new Uint8Array(32).fill(9), quota: 12 } as const
const SERVER = { profile: PROFILES.firewall6 }
const WALL = 1774745999500
const HOSTS = ["2001:db8:1::7", "2001:db8:1::8"]

const start = (): ServerState<FirewallState> => {
  const made = createFirewall({ ...SETTINGS, now: 0 })
  assert.ok(made.ok)
  const created = createServerOver(firewallCgn, made.state, 0, SERVER)
  assert.ok(created.ok)
  return created.state
}

/** One MAP of some kind, and what came of it in words. */
const act = (state: ServerState<FirewallState>, random: Random, now: number) => {
  const client = random.pick(HOSTS)
  const filters = [filter(128, 80, digits("2001:db8::1")), filter(64, 0, digits("2001:db8::"))].slice(random.below(3))
  const bytes = map({
    client: digits(client),
    suggested: "0".repeat(32),
    lifetime: random.pick([0, 120, 600, 7200]),
    protocol: random.pick([6, 17]),
    port: 4000 + random.below(9),
    ...(random.once(9) ? { nonce: OTHER_NONCE } : {}),
    options: random.once(5) ? option(130, [0, 1 + random.below(4), 0, 0, 0]) : filters.flat(),
  })
  const request = { bytes: Uint8Array.from(bytes), now, source: address(client), sourcePort: 40000 }
  const [after, { reply, changes }] = process(state, request)
  return { state: after, said: `${reply?.join()} ${changes.map(({ type }) => type).join()}` }
}

const busy = (seed: number) => {
  const random = randomFrom(seed)
  let state = start()
  let now = 0
  for (let step = 0; step < 200; step++) {
    now += random.below(9000)
    state = act(state, random, now).state
    if (random.once(30)) [state] = advance(state, now)
  }
  return { state, now }
}

const written = (state: ServerState<FirewallState>, now: number): Uint8Array => {
  const time = { now, wallClock: WALL, final: true }
  return Uint8Array.from([...snapshotOver(saveFirewall, state, time)].flatMap((part) => [...part]))
}

const again = (bytes: Uint8Array, now: number, settings: Parameters<typeof restoreFirewall>[1] = SETTINGS) =>
  restoreOver(firewallCgn, (octets, time) => restoreFirewall(octets, settings, time), bytes, {
    server: SERVER,
    now,
    wallClock: WALL,
  })

const listed = (state: ServerState<FirewallState>, now: number) =>
  listPinholes(state.cgnState, now, 0, 1000).mappings.map((pinhole) => ({
    ...pinhole,
    filters: pinholeFilters(state.cgnState, pinhole),
  }))

test("a firewall's pinholes and filters come back, and it goes on as the one that was saved", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const { state, now } = busy(seed)
    const restored = again(written(state, now), now, { ...SETTINGS, secret: new Uint8Array(32).fill(seed) })
    assert.ok(restored.ok, restored.ok ? "" : restored.error.text)
    assert.ok(listed(state, now).some(({ filters }) => filters.length > 0))
    assert.deepEqual(listed(restored.state, now), listed(state, now))
    let [here, there] = [state, restored.state]
    for (let step = 0; step < 200; step++) {
      const wanted = act(here, randomFrom(step), now + 3000 * step)
      const got = act(there, randomFrom(step), now + 3000 * step)
      assert.equal(got.said, wanted.said, `seed ${seed}, step ${step}`)
      ;[here, there] = [wanted.state, got.state]
    }
  }
})

test("a firewall's snapshot is none for a firewall of the other family, nor with settings that are wrong", () => {
  const { state, now } = busy(7)
  const bytes = written(state, now)
  const code = (settings: Parameters<typeof restoreFirewall>[1]) => {
    const restored = again(bytes, 0, settings)
    return restored.ok ? "ok" : restored.error.code
  }
  assert.equal(code({ ...SETTINGS, family: "ipv4" }), "format")
  assert.equal(code({ ...SETTINGS, quota: -1 }), "bad-quota")
  assert.equal(code({ ...SETTINGS, quota: 1 }), "ok")
})

test("a firewall of forged words is refused, or serves, lists and expires without a throw", () => {
  let refused = 0
  let taken = 0
  for (let seed = 1; seed <= 6; seed++) {
    const { state, now } = busy(seed)
    const parts = saveFirewall(state.cgnState, now)
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]))
    const random = randomFrom(seed)
    for (let run = 0; run < 150; run++) {
      const changed = bytes.slice()
      const view = new DataView(changed.buffer)
      const at = 4 * random.below(bytes.length >> 2)
      const was = view.getInt32(at, true)
      view.setInt32(at, random.pick([0, 1, -1, was + 1, was ^ (1 << random.below(32)), random.below(30)]), true)
      const restored = restoreFirewall(changed, SETTINGS, { now, elapsed: 0, lost: false })
      if (!restored.ok) {
        refused++
        continue
      }
      taken++
      let after: ServerState<FirewallState> = { ...state, cgnState: restored.state }
      for (let step = 0; step < 30; step++) after = act(after, random, now + 5000 * step).state
      listed(after, now)
      for (let n = 0; n < 5; n++) [after] = advance(after, now + 1e9)
    }
  }
  assert.ok(refused > 100 && taken > 100, `${refused} refused, ${taken} taken`)
})
