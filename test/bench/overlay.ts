/**
 * Overlays in process: where a MAC lives at a million known ones, hits and misses; questions to the plugin `files` and to an SVP server; frames
 * through encapsulation and decapsulation. `node test/bench/overlay.ts [entries, default 1000000]`. A Map that does the same in place
 * stands beside the cache: ratios within one run are what counts. Medians of three passes.
 */
import process from "node:process"
import {
  activate,
  associate,
  createCache,
  createInstance,
  createSvpServer,
  createVarpd,
  encodeSvp,
  encodeVxlan,
  FILES_PLUGIN,
  formatMac,
  getEntry,
  lookup,
  type Mac,
  macOf,
  type Outcome,
  parseVxlan,
  queryOf,
  readMac,
  registerPlugin,
  respond,
  setEntry,
  setProperty,
  stepSvpServer,
  stringOctets,
  type TargetPoint,
  transmit,
  writeMac,
} from "../../core/overlay/index.ts"
import { memoryBytes, open } from "../../core/table/index.ts"
import { addressFromIpv4 } from "../../core/wire/index.ts"

const ENTRIES = Number(process.argv[2] ?? 1_000_000)
const QUESTIONS = Math.min(ENTRIES, 200_000)

const value = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new Error(outcome.text)
  return outcome.value
}
const print = (name: string, text: string): void => console.log(`${name.padEnd(52)} ${text}`)

/** Steps a second, the median of three passes. */
const rateOf = (count: number, step: (n: number) => void): number =>
  [0, 1, 2]
    .map(() => {
      const begun = performance.now()
      for (let n = 0; n < count; n++) step(n)
      return (count * 1000) / (performance.now() - begun)
    })
    .toSorted((one, other) => one - other)[1]
const show = (name: string, rate: number, note = ""): void => print(name, `${(rate / 1e6).toFixed(2)} M/s${note}`)

/** A far jump each step that meets every entry once: the factor is odd and no multiple of 5. */
const scattered = (n: number): number => (n * 618_033_989) % ENTRIES
const macAt = (n: number): Mac => macOf(0x020000000000 + n * 7919)
const pointAt = (n: number): TargetPoint => ({ address: addressFromIpv4(0x0a000000 + n), port: 4789 })

const frame = new Uint8Array(1400)
writeMac(frame, 6, macOf(0x020000000001))
frame[12] = 8

let cache = value(
  associate(createCache({ mode: "dynamic", hashKey: [0x243f6a88, 0x05a308d3], entries: 2 * ENTRIES + 3 * QUESTIONS })),
)
const filled = performance.now()
for (let n = 0; n < ENTRIES; n++) cache = value(setEntry(cache, macAt(n), pointAt(n)))
print(`cache: ${ENTRIES} entries set`, `${Math.round((ENTRIES * 1000) / (performance.now() - filled))}/s`)
print("cache: memory of an entry", `${Math.round(memoryBytes(open(cache.version)) / ENTRIES)} octets`)
let known = 0
const hits = rateOf(ENTRIES, (n) => {
  if (getEntry(cache, macAt(scattered(n))).ok) known++
})
const misses = rateOf(ENTRIES, (n) => {
  if (getEntry(cache, macOf(macAt(scattered(n)) + 1)).ok) known++
})
const sent = rateOf(ENTRIES, (n) => {
  writeMac(frame, 0, macAt(scattered(n)))
  if (transmit(cache, frame)[1][0].type !== "send") throw new Error("not sent")
})
if (known !== 3 * ENTRIES) throw new Error(`${known} known`)
const map = new Map<number, TargetPoint>()
for (let n = 0; n < ENTRIES; n++) map.set(macAt(n), pointAt(n))
const mapHits = rateOf(ENTRIES, (n) => {
  if (map.get(macAt(scattered(n)))?.port !== 4789) throw new Error("none")
})
map.clear()
show("cache: lookups that hit", hits, `, ${(mapHits / hits).toFixed(1)} times a Map's time`)
show("cache: lookups that miss", misses)
show("frames of 1400 octets from the link to their target", sent)

let answered = cache
let turn = 0
const missed = rateOf(QUESTIONS, (n) => {
  writeMac(frame, 0, macOf(0x060000000000 + turn++ * 31))
  const [next, effects] = transmit(answered, frame)
  const [effect] = effects
  if (effect.type !== "lookup") throw new Error("no lookup")
  answered = value(respond(next, effect.lookup, pointAt(n)))[0]
})
show("frames that miss, are asked about, answered and sent", missed)

const small = Math.min(ENTRIES, 100_000)
const hosts = Array.from({ length: small }, (_, n) => [
  formatMac(macAt(n)),
  { ip: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: 4789 },
])
const plugins = value(registerPlugin(new Map(), FILES_PLUGIN))
const [made] = value(createInstance(createVarpd(plugins), { link: 1, plugin: "files", vnetid: 23, destination: 6 }))
const start = { files: new Map([["/f", JSON.stringify(Object.fromEntries(hosts))]]), now: 0 }
let [varpd] = activate(value(setProperty(made, 1, "files/config", stringOctets("/f"))), 1, start)
const asked = rateOf(QUESTIONS, (n) => {
  writeMac(frame, 0, macAt(n % small))
  const query = queryOf(frame)
  if (query === undefined) throw new Error("no frame")
  const [next, effects] = lookup(varpd, 1, n, query, frame)
  if (effects[0].type !== "respond") throw new Error("no answer")
  varpd = next
})
show(`questions to files of ${small} hosts`, asked)

let server = createSvpServer({ seed: Uint8Array.of(1), now: 0 })
for (let n = 0; n < small; n++) {
  const host = { vnetid: 23, mac: macAt(n), target: pointAt(n), arp: undefined, ndp: undefined, vlan: 0 }
  server = stepSvpServer(server, { type: "put", host, now: 0 })[0]
}
server = stepSvpServer(server, { type: "accepted", connection: 1, now: 0 })[0]
const questions = Array.from({ length: 1000 }, (_, n) => {
  const made = encodeSvp({ version: 1, id: n + 1, body: { kind: "vl2-request", mac: macAt(n), pad: 0, vnetid: 23 } })
  if (!made.ok) throw new Error(made.error.text)
  return made.bytes
})
const served = rateOf(QUESTIONS, (n) => {
  const [next, effects] = stepSvpServer(server, { type: "data", connection: 1, bytes: questions[n % 1000], now: 0 })
  if (effects[0].type !== "send") throw new Error("no answer")
  server = next
})
show(`questions to an SVP server of ${small} hosts`, served)

for (const size of [64, 1400]) {
  const inner = frame.slice(0, size)
  const wrapped = rateOf(ENTRIES, () => {
    if (!encodeVxlan({ vnetid: 23, frame: inner }).ok) throw new Error("not made")
  })
  show(`frames of ${size} octets through encapsulation`, wrapped)
  const memory = new Uint8Array(2048)
  const reused = rateOf(ENTRIES, () => {
    if (!encodeVxlan({ vnetid: 23, frame: inner }, memory).ok) throw new Error("not made")
  })
  show(`frames of ${size} octets, into the same memory`, reused)
  const made = encodeVxlan({ vnetid: 23, frame: inner })
  if (!made.ok) throw new Error("not made")
  const unwrapped = rateOf(ENTRIES, () => {
    const parsed = parseVxlan(made.bytes)
    if (!parsed.ok || readMac(parsed.value.frame, 6) === 0) throw new Error("not read")
  })
  show(`frames of ${size} octets through decapsulation`, unwrapped)
}
