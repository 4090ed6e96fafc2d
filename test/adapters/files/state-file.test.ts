import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execPath, platform } from "node:process"
import { after, describe, test } from "node:test"
import { firewallForm, keepState, loadState, natForm, type Saved, saveState } from "../../../adapters/files/index.ts"
import { createFirewall, firewallCgn, PROFILES, pinholeCount, saveCgn, saveFirewall } from "../../../core/cgn/index.ts"
import { createServerOver, mappingCount, type ServerState, process as serve } from "../../../core/server/index.ts"
import { addressFromIpv4 } from "../../../core/wire/index.ts"
import { fakeClock } from "../fake.ts"
import { CGN, emptyServer, mapRequest, withMapping } from "./state-scene.ts"

const WALL = 1774745999500

describe("state files", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-state-"))
  after(() => rmSync(folder, { recursive: true }))
  let files = 0
  const fresh = (): string => join(folder, `state-${++files}`)
  const optionsAt = (now: number, wallClock: number) => ({ now, wallClock })
  const server = withMapping(withMapping(emptyServer(), 1, 0), 2, 1000)

  test("a state comes back from its file, which nobody else may read", async () => {
    const path = fresh()
    const saved = await saveState(path, saveCgn, server, { now: 2000, wallClock: WALL })
    assert.ok(saved.ok)
    const { size, mode } = statSync(path)
    assert.equal(saved.octets, size)
    if (platform !== "win32") assert.equal(mode & 0o777, 0o600)
    const loaded = await loadState(path, natForm(CGN), optionsAt(0, WALL + 5000))
    assert.ok(loaded.found === "state")
    assert.equal(loaded.elapsed, 5000)
    assert.equal(loaded.lost, true)
    assert.equal(mappingCount(loaded.state), 2)
    assert.deepEqual(readdirSync(folder), [`state-${files}`])
  })

  test("S-140 Epoch Time goes on once after an orderly end, not again after the crash that follows", async () => {
    const path = fresh()
    assert.ok((await saveState(path, saveCgn, server, { now: 60_000, wallClock: WALL, final: true })).ok)
    const first = await loadState(path, natForm(CGN), optionsAt(0, WALL + 1000))
    assert.ok(first.found === "state")
    assert.equal(first.lost, false)
    assert.equal(first.state.epochStart, -61_000)
    // Nothing was written since: the server that got this state died at once.
    const second = await loadState(path, natForm(CGN), optionsAt(0, WALL + 2000))
    assert.ok(second.found === "state")
    assert.equal(second.lost, true)
    assert.equal(second.state.epochStart, 0)
    assert.equal(mappingCount(second.state), 2)
  })

  test("no file is a first start, where there may be one", async () => {
    assert.deepEqual(await loadState(join(folder, "never"), natForm(CGN), optionsAt(0, WALL)), { found: "nothing" })
    const homeless = await loadState(join(folder, "no such place", "never"), natForm(CGN), optionsAt(0, WALL))
    assert.ok(homeless.found === "failed")
    assert.match(homeless.text, /no such file or folder/)
  })

  test("torn, foreign and damaged files are kept aside under names of their own, and say why", async () => {
    const path = fresh()
    await saveState(path, saveCgn, server, { now: 2000, wallClock: WALL })
    const whole = readFileSync(path)
    const damaged = Uint8Array.from(whole)
    damaged[whole.length - 100] ^= 1
    const cases: readonly [Uint8Array, string][] = [
      [whole.subarray(0, whole.length >> 1), "truncated"],
      [new TextEncoder().encode("mappings: none\n".repeat(20)), "foreign"],
      [damaged, "damaged"],
      [new Uint8Array(0), "truncated"],
    ]
    for (const [n, [bytes, code]] of cases.entries()) {
      writeFileSync(path, bytes)
      const loaded = await loadState(path, natForm(CGN), optionsAt(0, WALL))
      assert.ok(loaded.found === "bad", loaded.found)
      assert.equal(loaded.error.code, code)
      assert.equal(loaded.aside, `${path}.bad-${n + 1}`)
      assert.deepEqual(new Uint8Array(readFileSync(loaded.aside)), Uint8Array.from(bytes))
      assert.deepEqual(await loadState(path, natForm(CGN), optionsAt(0, WALL)), { found: "nothing" })
    }
  })

  test("a firewall's file is its own: pinholes come back, and a NAT begins anew", async () => {
    const path = fresh()
    const settings = { family: "ipv4", secret: new Uint8Array(32).fill(3) } as const
    const made = createFirewall({ ...settings, now: 0 })
    assert.ok(made.ok)
    const created = createServerOver(firewallCgn, made.state, 0, { profile: PROFILES.firewall4 })
    assert.ok(created.ok)
    const source = addressFromIpv4(0x0a000001)
    const [state] = serve(created.state, { bytes: mapRequest(1), now: 0, source, sourcePort: 4000 })
    assert.equal(pinholeCount(state.cgnState), 1)
    assert.ok((await saveState(path, saveFirewall, state, { now: 0, wallClock: WALL, final: true })).ok)
    const loaded = await loadState(path, firewallForm(settings), optionsAt(9, WALL))
    assert.ok(loaded.found === "state")
    assert.equal(pinholeCount(loaded.state.cgnState), 1)
    assert.equal(loaded.lost, false)
    const other = await loadState(path, natForm(CGN), optionsAt(9, WALL))
    assert.ok(other.found === "bad")
    assert.equal(other.error.code, "format")
  })

  test("a wrong setting is no fault of the file, which stays", async () => {
    const path = fresh()
    await saveState(path, saveCgn, server, { now: 2000, wallClock: WALL })
    const loaded = await loadState(path, natForm(CGN), { ...optionsAt(0, WALL), server: { minLifetime: -1 } })
    assert.ok(loaded.found === "bad-settings")
    assert.equal(loaded.error.code, "bad-lifetime")
    assert.ok(statSync(path).size > 0)
  })

  test("what the operating system refuses is told, and the old file stays whole", async () => {
    const missing = await saveState(join(folder, "no", "such", "place"), saveCgn, server, { now: 0, wallClock: WALL })
    assert.ok(!missing.ok)
    assert.match(missing.text, /no such file or folder/)
    const directory = await loadState(folder, natForm(CGN), optionsAt(0, WALL))
    assert.ok(directory.found === "failed")
    assert.match(directory.text, /is a folder/)
    const path = fresh()
    assert.ok((await saveState(path, saveCgn, server, { now: 0, wallClock: WALL, final: true })).ok)
    const whole = readFileSync(path)
    mkdirSync(join(`${path}.new`, "in the way"), { recursive: true })
    assert.equal((await saveState(path, saveCgn, server, { now: 0, wallClock: WALL })).ok, false)
    assert.deepEqual(readFileSync(path), whole)
    // It cannot be made to say that its server is running again: whoever starts must know.
    const loaded = await loadState(path, natForm(CGN), optionsAt(0, WALL))
    assert.equal(loaded.found, "failed")
    assert.deepEqual(readFileSync(path), whole)
  })

  test("what is no file is neither read nor set aside nor replaced", { skip: platform === "win32" }, async () => {
    const path = fresh()
    execFileSync("mkfifo", [path])
    const loaded = await loadState(path, natForm(CGN), optionsAt(0, WALL))
    assert.ok(loaded.found === "failed")
    assert.match(loaded.text, /no file/)
    const saved = await saveState(path, saveCgn, server, { now: 0, wallClock: WALL })
    assert.equal(saved.ok, false)
    assert.ok(statSync(path).isFIFO())
  })

  test("a link under the temporary name is not written through", async () => {
    const path = fresh()
    const other = fresh()
    writeFileSync(other, "somebody's")
    symlinkSync(other, `${path}.new`)
    assert.ok((await saveState(path, saveCgn, server, { now: 0, wallClock: WALL })).ok)
    assert.equal(readFileSync(other, "utf8"), "somebody's")
  })

  test("what another server is halfway through is not put in place, nor taken away", async () => {
    const path = fresh()
    assert.ok((await saveState(path, saveCgn, server, { now: 0, wallClock: WALL })).ok)
    const whole = readFileSync(path)
    // Comes when this one's file is there, and begins its own under the same name.
    const save: typeof saveCgn = (state, now) => {
      rmSync(`${path}.new`)
      writeFileSync(`${path}.new`, "half")
      return saveCgn(state, now)
    }
    const saved = await saveState(path, save, server, { now: 0, wallClock: WALL })
    assert.deepEqual(saved, { ok: false, text: `another process writes ${path} too` })
    assert.deepEqual(readFileSync(path), whole)
    assert.equal(readFileSync(`${path}.new`, "utf8"), "half")
  })

  test("a writer killed at any moment leaves a whole file, the old or the new one", async () => {
    const path = fresh()
    let least = 0
    for (let round = 0; round < 6; round++) {
      const writer = spawn(execPath, [join(import.meta.dirname, "state-scene.ts"), "write", path])
      const ended = once(writer, "exit")
      let told = 0
      await new Promise<void>((resolve) => {
        writer.stdout.on("data", (chunk: Buffer) => {
          const lines = chunk.toString().trim().split("\n")
          told = Number(lines[lines.length - 1])
          // At some moment of one of the next writings.
          if (told >= 50 * (2 + 3 * round)) setTimeout(resolve, round * 1.7)
        })
      })
      writer.kill("SIGKILL")
      await ended
      const loaded = await loadState(path, natForm(CGN), optionsAt(0, Date.now()))
      assert.ok(loaded.found === "state", loaded.found)
      const count = mappingCount(loaded.state)
      assert.ok(count >= told && count % 50 === 0, `${count} mappings, ${told} were told of`)
      least = Math.max(least, count)
    }
    assert.ok(least > 0)
  })

  test("the keeper writes by its period what has changed, one writing at a time, and last of all the end", async () => {
    const path = fresh()
    const { clock, moveTo, pending: timers } = fakeClock()
    let state: ServerState = server
    const saves: Saved[] = []
    const keeper = keepState({
      path,
      save: saveCgn,
      period: 60,
      clock,
      state: () => state,
      saved: (saved) => saves.push(saved),
    })
    const settled = async (count: number): Promise<void> => {
      while (saves.length < count) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const countIn = async (): Promise<number> => {
      const loaded = await loadState(path, natForm(CGN), optionsAt(0, Date.now()))
      return loaded.found === "state" ? mappingCount(loaded.state) : -1
    }
    moveTo(59_000)
    assert.equal(await countIn(), -1)
    moveTo(60_000)
    await settled(1)
    assert.equal(await countIn(), 2)
    await new Promise((resolve) => setTimeout(resolve, 5))
    moveTo(120_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(saves.length, 1, "nothing changed, nothing is written")
    state = withMapping(state, 3, 2000)
    moveTo(180_000)
    await settled(2)
    assert.equal(await countIn(), 3)
    // Asked three times at once: one writing serves those who ask before it begins.
    state = withMapping(state, 4, 3000)
    const [one, two, three] = [keeper.save(), keeper.save(), keeper.save()]
    assert.equal(one, two)
    assert.equal(two, three)
    assert.ok((await three).ok)
    assert.equal(saves.length, 3)
    assert.equal(await countIn(), 4)
    const pending = keeper.save()
    assert.ok((await keeper.finish(withMapping(state, 5, 4000))).ok)
    assert.ok((await pending).ok)
    const loaded = await loadState(path, natForm(CGN), optionsAt(0, Date.now()))
    assert.ok(loaded.found === "state")
    assert.equal(loaded.lost, false)
    assert.equal(mappingCount(loaded.state), 5)
    assert.equal((await keeper.save()).ok, false)
    moveTo(1e6)
    assert.deepEqual(timers(), [])
  })

  test("S-140: a last state that has not all that clients were promised is one from which Epoch Time begins again", async () => {
    const path = fresh()
    const state = withMapping(emptyServer(), 1, 0)
    const { clock } = fakeClock()
    const common = { path, save: natForm(CGN).save, period: 0, clock, state: () => state }
    for (const isWhole of [false, true]) {
      assert.ok((await keepState(common).finish(state, isWhole)).ok)
      const loaded = await loadState(path, natForm(CGN), optionsAt(0, Date.now()))
      assert.ok(loaded.found === "state")
      assert.deepEqual([loaded.lost, mappingCount(loaded.state)], [!isWhole, 1])
    }
  })
})
