/**
 * `serve --fast` on this runtime at full load: renewals of many mappings, and hostile datagrams of 0 to 65,507 octets between them, from two
 * sockets. Every renewal that is answered is held to its request; the server's descriptors and memory are counted all the while. Arguments:
 * seconds (600), words of `serve` besides. Ends with 1 when the server ends, answers wrongly, or grows.
 */
import { readdirSync, readFileSync } from "node:fs"
import { fastUdp } from "../../adapters/linux/index.ts"
import type { Receiver, UdpSocket } from "../../adapters/udp.ts"
import { parseAddress } from "../../core/wire/index.ts"
import { path, startServer, stopServer } from "../bench/udp/pinned.ts"
import { map } from "./corpus.ts"
import { inputOf } from "./mutate.ts"

const MAPPINGS = 20_000
const WINDOW = 64
/** One hostile datagram to so many renewals. */
const SHARE = 8
const LONGEST = 65_507
/** Milliseconds without an answer after which what is under way is taken for lost. */
const PATIENCE = 50
/** MiB that the server's memory may be more than when it was warm. */
const SLACK = 64

export interface Soaked {
  readonly answered: number
  readonly hostile: number
  readonly wrong: number
  /** Open descriptors and MiB resident: when it was warm, and at the end. */
  readonly files: readonly [number, number]
  readonly memory: readonly [number, number]
}

/** Soaks a server until `isOver` says so of the milliseconds gone since it was warm; `note` hears of its growth now and then. */
export const soak = async (
  port: number,
  pid: number,
  isOver: (elapsed: number, answered: number) => boolean,
  note: (line: string) => void,
): Promise<Soaked> => {
  const fast = fastUdp()
  const loopback = parseAddress("127.0.0.1")
  if (!fast.ok || loopback === undefined) throw new Error(fast.ok ? "no address" : fast.text)
  const server = { address: loopback, port }
  const renewals = Array.from({ length: MAPPINGS }, (_, i) =>
    map({ source: "127.0.0.1", nonce: i & 127, protocol: i % 2 === 0 ? 6 : 17, internalPort: 1024 + (i >> 1) }),
  )
  let answered = 0
  let wrong = 0
  let underWay = 0
  const open = async (receive: Receiver["receive"]): Promise<UdpSocket> => {
    const bound = await fast.value.bind(
      { local: { address: loopback, port: 0 } },
      {
        receive,
        error: ({ text }) => {
          throw new Error(text)
        },
      },
    )
    if (!bound.ok) throw new Error(bound.error.text)
    return bound.value
  }
  const renewing = await open(({ bytes }) => {
    answered++
    underWay--
    // RFC 6887 figure 10: a response to MAP, the nonce, protocol and internal port of the request.
    const request = renewals[2 * (((bytes[40] << 8) | bytes[41]) - 1024) + (bytes[36] === 17 ? 1 : 0)]
    const isRight = bytes.length === 60 && bytes[1] === 129 && bytes[3] === 0 && request !== undefined
    if (!isRight || Buffer.compare(bytes.subarray(24, 42), request.subarray(24, 42)) !== 0) wrong++
  })
  const hostile = await open(() => {})
  const files = (): number => readdirSync(`/proc/${pid}/fd`).length
  const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

  let [next, evil, heard, quiet, looked] = [0, 0, 0, performance.now(), 0]
  let warm: { readonly at: number; readonly files: number; readonly memory: number } | undefined
  for (;;) {
    const now = performance.now()
    if (warm === undefined && answered >= 3 * MAPPINGS) warm = { at: now, files: files(), memory: memory() }
    if (warm !== undefined && isOver(now - warm.at, answered)) break
    if (now - looked > 10_000) {
      looked = now
      note(`${answered} answered, ${evil} hostile, ${wrong} wrong, ${files()} files, ${memory().toFixed(0)} MiB`)
    }
    if (answered !== heard) [heard, quiet] = [answered, now]
    else if (now - quiet > PATIENCE) [underWay, quiet] = [0, now]
    for (; underWay < WINDOW; underWay++) {
      renewing.send(renewals[next], server)
      next = (next + 1) % MAPPINGS
      if (next % SHARE !== 0) continue
      const bytes = inputOf(1, evil++)
      const isLong = evil % 500 === 0
      hostile.send(isLong ? Uint8Array.from({ length: LONGEST }, (_, i) => bytes[i] ?? 0) : bytes, server)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  const soaked: Soaked = {
    answered,
    hostile: evil,
    wrong,
    files: [warm.files, files()],
    memory: [warm.memory, memory()],
  }
  await Promise.all([renewing.close(), hostile.close()])
  return soaked
}

/** What is wrong with how a server bore it. */
export const soakFaults = ({ wrong, files, memory }: Soaked): readonly string[] => [
  ...(wrong > 0 ? [`${wrong} wrong answers`] : []),
  // A pipe of the runtime's own may come or go.
  ...(files[1] > files[0] + 4 ? [`${files[1]} open files after ${files[0]}`] : []),
  ...(memory[1] > memory[0] + SLACK ? [`${memory[1]} MiB after ${memory[0]}`] : []),
]

/** The words that start a server to soak. */
export const soakWords = (port: number): readonly string[] => [
  path("adapters/cli/main.ts"),
  ..."serve --fast --quiet --no-control --quota 0 --external 198.51.100.0/28 --listen".split(" "),
  `127.0.0.1:${port}`,
]

if (import.meta.main) {
  const [seconds = "600", ...more] = process.argv.slice(2)
  // Each runtime's may run beside the others'.
  const [PORT, run] =
    "Deno" in globalThis ? [25383, ["run", "--allow-all"]] : "Bun" in globalThis ? [25382, []] : [25381, []]
  const server = await startServer([process.execPath, ...run, ...soakWords(PORT), ...more], /Listening/)
  let ended: number | string | undefined
  server.once("exit", (code, signal) => {
    ended = signal ?? code ?? undefined
  })
  const soaked = await soak(
    PORT,
    server.pid ?? 0,
    (elapsed) => ended !== undefined || elapsed > Number(seconds) * 1000,
    (line) => console.log(line),
  )
  console.log(JSON.stringify(soaked))
  const faults = [...soakFaults(soaked), ...(ended === undefined ? [] : [`the server ended: ${ended}`])]
  for (const fault of faults) console.log(fault)
  if (ended === undefined) await stopServer(server)
  process.exit(faults.length === 0 ? 0 : 1)
}
