/**
 * `dissect` against `tshark -T json` on the same packets in one run; prints a table. tshark's figure leaves its start-up
 * out: it is timed on a capture without packets and subtracted.
 */
import { dissect, walk } from "../../core/wire/index.ts"
import { describe } from "../../core/wire/text/index.ts"
import { runTshark, tsharkVersion } from "../interop/tshark.ts"
import { generate } from "../interop/tshark-packets.ts"

const COUNT = 20000
const LEAST_RATIO = 50

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))

// RFC 6887 sections 7.1 and 11.1: UDP 4242 for 7200 s, each time of another client with another nonce.
const SAMPLE = hex(
  "0201000000001c2000000000000000000000ffffc0000201a1b2c3d4e5f60718293a4b5c1100000010929c4000000000000000000000ffffcb007105",
)
const maps = Array.from({ length: COUNT }, (_, i) => {
  const bytes = SAMPLE.slice()
  bytes[22] = i >>> 8
  bytes[23] = i
  for (let k = 24; k < 36; k++) bytes[k] = (i * 31 + k * 17) & 255
  return bytes
})
const mixed = generate(7652, COUNT)

const seconds = async (work: () => unknown): Promise<number> => {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

const median = async (runs: number, measure: () => Promise<number>): Promise<number> => {
  const all: number[] = []
  for (let i = 0; i < runs; i++) all.push(await measure())
  return all.sort((a, b) => a - b)[runs >> 1]
}

let sink = 0
const treesOnly = (packets: readonly Uint8Array[]) => () => {
  for (const bytes of packets) sink += dissect(bytes).root.children.length
}
const withTexts = (packets: readonly Uint8Array[]) => () => {
  for (const bytes of packets) {
    const d = dissect(bytes)
    for (const node of walk(d.root)) sink += describe(d, node).length
  }
}

const rate = async (packets: readonly Uint8Array[], work: () => void, rounds: number): Promise<number> => {
  for (let i = 0; i < rounds; i++) work()
  const repeat = () => {
    for (let i = 0; i < rounds; i++) work()
  }
  return (packets.length * rounds) / (await median(5, () => seconds(repeat)))
}

const tsharkRate = async (packets: readonly Uint8Array[]): Promise<number> => {
  const start = await median(3, () => seconds(() => runTshark([], ["-T", "json"])))
  return packets.length / ((await median(3, () => seconds(() => runTshark(packets, ["-T", "json"])))) - start)
}

const figure = (n: number): string => Math.round(n).toLocaleString("en").padStart(12)

const installed = tsharkVersion()
console.log(`Node ${process.version}, ${installed ?? "tshark is not installed (Debian package tshark)"}`)
console.log("packets                       dissect/s   with texts/s  tshark -T json/s        ratio")
for (const [name, packets] of [
  ["MAP request, 60 octets", maps],
  ["mixed, valid and broken", mixed],
] as const) {
  const trees = await rate(packets, treesOnly(packets), 20)
  const texts = await rate(packets, withTexts(packets), 1)
  const theirs = installed === undefined ? Number.NaN : await tsharkRate(packets)
  const ratio = trees / theirs
  console.log(
    `${name.padEnd(26)}${figure(trees)}${figure(texts).padStart(15)}${figure(theirs).padStart(18)}${ratio.toFixed(0).padStart(13)}`,
  )
}
console.log(`floor: ${LEAST_RATIO} times tshark -T json for a MAP request of 60 octets (${sink} nodes and characters)`)
