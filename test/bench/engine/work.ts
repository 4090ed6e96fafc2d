/**
 * `parse`, `encode` and `process` of MAP requests in one process, on whichever engine runs this file; prints operations a second of each as
 * one line of JSON.
 */
import { createServer, process as serve } from "../../../core/server/index.ts"
import { addressFromIpv4, encode, parse, putU16, putU32 } from "../../../core/wire/index.ts"

const MAPPINGS = 16384
/** Milliseconds of one measurement, and how many are taken: the best counts, as whatever else runs only slows. */
const TIME = 300
const TIMES = 7

/** UDP ports of 10.x.y.z, 16 each, for two hours (RFC 6887 sections 7.1 and 11.1). */
const requests = Array.from({ length: MAPPINGS }, (_, i) => {
  const bytes = new Uint8Array(60)
  bytes.set([2, 1])
  putU32(bytes, 4, 7200)
  bytes.set([255, 255], 18)
  putU32(bytes, 20, 0x0a000000 + (i >>> 4))
  putU32(bytes, 24, Math.imul(i, 0x9e3779b1))
  putU32(bytes, 32, ~i)
  bytes[36] = 17
  putU16(bytes, 40, 5000 + (i & 15))
  bytes.set([255, 255], 54)
  return bytes
})
const sources = requests.map((_, i) => addressFromIpv4(0x0a000000 + (i >>> 4)))
const packets = requests.map((bytes) => {
  const parsed = parse(bytes)
  if (!parsed.ok) throw new Error("a request that cannot be read")
  return parsed.packet
})

const made = createServer({
  external: [addressFromIpv4(0xcb007101)],
  quota: 1000,
  secret: new Uint8Array(32).fill(1),
  now: 0,
  ports: { first: 1024, last: 65535 },
})
if (!made.ok) throw new Error(made.error.text)
let state = made.state
let now = 0

/** Jumps all over the mappings: their number is a power of two, and the step is odd. */
const at = (i: number): number => Math.imul(i, 0x9e3779b1) & (MAPPINGS - 1)

const works: Readonly<Record<string, (i: number) => number>> = {
  parse: (i) => (parse(requests[at(i)]).ok ? 1 : 0),
  encode: (i) => {
    const encoded = encode(packets[at(i)])
    return encoded.ok ? encoded.bytes.length : 0
  },
  process: (i) => {
    const k = at(i)
    now += 0.001
    const [next, response] = serve(state, { bytes: requests[k], now, source: sources[k], sourcePort: 5350 })
    state = next
    return response.reply?.[3] === 0 ? 1 : 0
  },
}

/** Operations a second. Their results are added up, so that no engine leaves the work out. */
const rateOf = (work: (i: number) => number): number => {
  let best = 0
  let sum = 0
  for (let time = 0, i = 0; time < TIMES; time++) {
    const start = performance.now()
    const first = i
    while (performance.now() - start < TIME) for (const end = i + 500; i < end; i++) sum += work(i)
    best = Math.max(best, (i - first) / ((performance.now() - start) / 1000))
  }
  if (sum === 0) throw new Error("nothing was done")
  return Math.round(best)
}

console.log(JSON.stringify(Object.fromEntries(Object.entries(works).map(([name, work]) => [name, rateOf(work)]))))
