/**
 * `serve --nftables` ended by SIGKILL under load, again and again, with a state file: `node test/interop/nftables-kill.ts 50`. What
 * must hold after each restart is an error here where it does not.
 */
import assert from "node:assert/strict"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { ask } from "../../adapters/cli/control/ask.ts"
import { scene } from "./client-router.ts"
import type { Running } from "./namespace.ts"

const SERVER = "10.0.0.1"
const HOSTS = [2, 3, 4, 5, 6].map((last) => `10.0.0.${last}`)
/** How the server is run. */
const SERVE = "serve --nftables --fast --outside outside --json --external 203.0.113.8/29 --quota 0"

/** An internal end and an external one, each `address port`. */
interface Told {
  readonly internal: string
  readonly external: string | undefined
  /** The host does not know: the server was killed before it answered. */
  readonly isUnsure: boolean
}

interface Heard {
  readonly told: readonly Told[]
  readonly faults: readonly string[]
  readonly epoch: number
}

const isHeard = (value: unknown): value is Heard => typeof value === "object" && value !== null && "told" in value

/** Octets by chance, the same for the same seed. */
const chance = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** The hosts' program, by its socket. */
const hostsAt = async (path: string) => {
  const socket = connect(path)
  await once(socket, "connect")
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  const command = async (text: string): Promise<unknown> => {
    socket.write(`${text}\n`)
    const { done, value } = await lines.next()
    assert.ok(done !== true, "the hosts' program has ended")
    return JSON.parse(value)
  }
  const heard = async (text: string): Promise<Heard> => {
    const value = await command(text)
    assert.ok(isHeard(value))
    return value
  }
  return { command, heard, end: () => socket.destroy() }
}

/** `address port` of what a record has. */
const endText = (value: unknown): string => {
  const { address, port } = Object(value)
  return `${address} ${port}`
}

/** What a run of rounds came to. */
export interface Kills {
  readonly rounds: number
  /** Mappings that were answered before a kill, and of these those that the next server had, with the same external end. */
  readonly answered: number
  readonly kept: number
}

export const runKills = async (
  rounds: number,
  seed: number,
  told: (text: string) => void = () => {},
): Promise<Kills> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-kill-"))
  const there = await scene()
  const random = chance(seed)
  const control = join(folder, "control.sock")
  let [answered, kept] = [0, 0]
  /** To be ended whatever happens. */
  const left: Running[] = []
  try {
    there.host.sh(`ip -6 route del default; for i in 3 4 5 6; do ip addr add 10.0.0.$i/24 dev lan; done`)
    const start = async (): Promise<Running> => {
      const running = there.start("router", `${SERVE} --listen ${SERVER} --state ${folder}/state --control ${control}`)
      left.push(running)
      await running.until(/"event":"listening"/)
      return running
    }
    const client = fileURLToPath(new URL("nftables-kill-client.ts", import.meta.url))
    const program = there.host.start([
      process.execPath,
      client,
      join(folder, "hosts.sock"),
      SERVER,
      `${seed}`,
      ...HOSTS,
    ])
    left.push(program)
    await program.until(/ready/)
    const hosts = await hostsAt(join(folder, "hosts.sock"))

    /** What the server says that it has: external by internal end. */
    const listed = async (): Promise<ReadonlyMap<string, string>> => {
      const all = new Map<string, string>()
      const asked = await ask(control, { command: "mappings" }, async (record) => {
        all.set(endText(record.internal), endText(record.external))
        return true
      })
      assert.ok(asked.ok, asked.ok ? "" : asked.text)
      return all
    }
    /** The same as the kernel has it, each in both directions, by a listing that is not the server's. */
    const inKernel = async (): Promise<ReadonlyMap<string, string>> => {
      const pairs = async (map: string): Promise<readonly (readonly [string, string])[]> => {
        const { stdout, stderr, code } = await there.router.run(["nft", "-p", "list", "map", "ip", "sallyport", map])
        assert.equal(code, 0, stderr)
        const element = /17 \. ([\d.]+) \. (\d+) timeout \S+ expires \S+ : ([\d.]+) \. (\d+)/g
        return [...stdout.matchAll(element)].map(([, ...parts]) => [
          parts.slice(0, 2).join(" "),
          parts.slice(2).join(" "),
        ])
      }
      const outbound = new Map(await pairs("outbound"))
      const inbound = await pairs("inbound")
      assert.deepEqual(new Map(inbound.map(([external, internal]) => [internal, external])), outbound)
      return outbound
    }

    let server = await start()
    for (let round = 0; round < rounds; round++) {
      await hosts.command(`flood ${50 + random(300)}`)
      // At least once for sure.
      const saves = round === 0 ? 2 : random(3)
      if (saves > 0) {
        server.child.kill("SIGUSR2")
        // Killed while it writes, or some time after.
        if (saves === 2) await server.until(/octets written/)
      }
      await hosts.command(`flood ${1 + random(250)}`)
      await server.stop("SIGKILL")
      const before = await hosts.heard("stop")
      const restarted = Date.now()
      server = await start()

      const { ok, ...checked } = await ask(control, { command: "check" }, async () => true)
      assert.ok(ok, JSON.stringify(checked))
      assert.ok("end" in checked)
      const { put, gone, rebuilt, sound } = checked.end
      assert.deepEqual({ put, gone, rebuilt }, { put: 0, gone: 0, rebuilt: false }, `round ${round}: doctor`)
      const restored = await listed()
      assert.deepEqual(await inKernel(), restored, `round ${round}: the kernel and the server`)
      assert.equal(sound, 2 * restored.size)
      assert.equal(new Set(restored.values()).size, restored.size, `round ${round}: an external end of two`)
      for (const { internal, external, isUnsure } of before.told) {
        const now = restored.get(internal)
        if (isUnsure || external === undefined) continue
        answered++
        if (now === undefined) continue
        kept++
        assert.equal(now, external, `round ${round}: ${internal}`)
      }

      // RFC 6887 section 8.5: the epoch began again, so that clients ask for all that they had.
      const after = await hosts.heard("renew")
      assert.ok(after.epoch <= (Date.now() - restarted) / 1000, `round ${round}: epoch ${after.epoch}`)
      assert.deepEqual(after.faults, [], `round ${round}`)
      const now = await listed()
      assert.deepEqual(await inKernel(), now, `round ${round}: after renewals`)
      assert.equal(new Set(now.values()).size, now.size, `round ${round}: an external end of two, after renewals`)
      for (const { internal, external } of after.told) {
        assert.equal(now.get(internal), external, `round ${round}: ${internal} after its renewal`)
        assert.equal(external, restored.get(internal) ?? external, `round ${round}: ${internal} moved`)
      }
      told(`round ${round + 1}: ${before.told.length} known to hosts, ${restored.size} restored, ${now.size} then`)
    }
    assert.equal(await server.stop(), 0, server.stderr())
    hosts.end()
    return { rounds, answered, kept }
  } finally {
    for (const { child } of left) child.kill("SIGKILL")
    there.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [rounds = 50, seed = 1] = process.argv.slice(2).map(Number)
  const { answered, kept } = await runKills(rounds, seed, console.log)
  console.log(`${rounds} kills: of ${answered} mappings answered before them ${kept} were restored, each as it was`)
  process.exit()
}
