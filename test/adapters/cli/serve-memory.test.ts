import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { ServePlan } from "../../../adapters/cli/config/plan.ts"
import { makeSettings } from "../../../adapters/cli/config/settings.ts"
import type { Device } from "../../../adapters/cli/device/device.ts"
import { natDevice } from "../../../adapters/cli/device/nat.ts"
import { beginOne } from "../../../adapters/cli/serve-one.ts"
import { fileSink } from "../../../adapters/cli/sink.ts"
import { beginWith } from "../../../adapters/cli/workers/worker.ts"
import { nodeUdp } from "../../../adapters/node/index.ts"
import type { CgnState } from "../../../core/cgn/index.ts"
import type { ServerState } from "../../../core/server/index.ts"
import { address } from "../udp-suite.ts"

setFlagsFromString("--expose-gc")
const collect: unknown = runInNewContext("gc")

const made = makeSettings({}, { pcp: true, natPmp: true })
assert.ok(made.ok)
const ends = [{ address: address("127.0.0.1"), port: 0 }]
const plan: ServePlan = {
  settings: made.value,
  state: undefined,
  listen: ends,
  metrics: undefined,
  control: false,
  kernel: undefined,
  warnings: [],
  line: (_, text) => text,
}

/** A device, and whether anybody holds the state that it began with. */
const watched = () => {
  let first: WeakRef<ServerState<CgnState>> | undefined
  const device: Device<CgnState> = {
    ...natDevice,
    begin: async (of) => {
      const begun = await natDevice.begin(of)
      if (begun.ok) first = new WeakRef(begun.value.state)
      return begun
    },
  }
  const isHeld = async (): Promise<boolean> => {
    // What was looked at in a turn lives until that is over.
    for (let turn = 0; turn < 100; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (typeof collect === "function") collect()
      if (first !== undefined && first.deref() === undefined) return false
    }
    return true
  }
  return { device, isHeld }
}

// An old state stays valid: whoever holds one holds all that has changed since.
describe("a server that listens keeps nothing of the state that it began with", () => {
  it("on the main thread", async () => {
    const { device, isHeld } = watched()
    const beginning = await beginOne(device, plan, nodeUdp)
    assert.ok(beginning.ok)
    assert.ok(await isHeld(), "it may still have to be put back")
    const sink = fileSink(
      1,
      () => {},
      () => "",
    )
    const listening = await beginning.value.listen({ events: undefined, sink })
    assert.ok(listening.ok)
    await listening.value.open(false)
    await listening.value.announce()
    const held = await isHeld()
    await listening.value.stop()
    assert.equal(held, false)
  })

  it("in a thread of its own", async () => {
    const { device, isHeld } = watched()
    const ask = { settings: made.value, state: undefined, isTimed: false, isFast: false }
    const role = { role: "sallyport-worker", number: 0, workers: 1 } as const
    const begun = await beginWith(device, role, ask, nodeUdp, [undefined], () => {})
    assert.ok(begun.ok)
    assert.ok(await isHeld())
    const { handlers } = begun.value.shift
    assert.ok((await handlers.listen({ ends, first: true, told: undefined })).ok)
    await handlers.open(undefined)
    await handlers.announce(undefined)
    const held = await isHeld()
    await handlers.stop({ last: true })
    assert.equal(held, false)
  })
})
