/**
 * `parse` and `encode` of a 60-octet MAP request against a minimal reader and writer by DataView, in one run; prints a table.
 * Ratios count, not absolute figures: the machine swings.
 */
import { encode, parse } from "../../core/wire/index.ts"

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (octet) => Number.parseInt(octet, 16))

// RFC 6887 sections 7.1 and 11.1: UDP 4242 of 192.0.2.x for 7200 s, suggesting 203.0.113.y:40000.
const SAMPLE = hex(
  "0201000000001c2000000000000000000000ffffc0000201" +
    "a1b2c3d4e5f60718293a4b5c1100000010929c4000000000000000000000ffffcb007105",
)

/** Many different clients, nonces and ports, so that nothing can be remembered from one packet to the next. */
const packets = Array.from({ length: 1024 }, (_, i) => {
  const bytes = SAMPLE.slice()
  bytes[22] = i >>> 8
  bytes[23] = i
  for (let k = 24; k < 36; k++) bytes[k] = (i * 31 + k * 17) & 255
  bytes[40] = i >>> 2
  bytes[41] = i * 7
  bytes[58] = i
  return bytes
})

/** The least that a hand-written reader can do and still have every field. */
const readMinimal = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    version: view.getUint8(0),
    opcode: view.getUint8(1),
    lifetime: view.getUint32(4),
    client0: view.getInt32(8),
    client1: view.getInt32(12),
    client2: view.getInt32(16),
    client3: view.getInt32(20),
    nonce0: view.getInt32(24),
    nonce1: view.getInt32(28),
    nonce2: view.getInt32(32),
    protocol: view.getUint8(36),
    internalPort: view.getUint16(40),
    externalPort: view.getUint16(42),
    external0: view.getInt32(44),
    external1: view.getInt32(48),
    external2: view.getInt32(52),
    external3: view.getInt32(56),
  }
}

const writeMinimal = (view: DataView, packet: ReturnType<typeof readMinimal>): void => {
  view.setUint8(0, packet.version)
  view.setUint8(1, packet.opcode)
  view.setUint32(4, packet.lifetime)
  view.setInt32(8, packet.client0)
  view.setInt32(12, packet.client1)
  view.setInt32(16, packet.client2)
  view.setInt32(20, packet.client3)
  view.setInt32(24, packet.nonce0)
  view.setInt32(28, packet.nonce1)
  view.setInt32(32, packet.nonce2)
  view.setUint8(36, packet.protocol)
  view.setUint16(40, packet.internalPort)
  view.setUint16(42, packet.externalPort)
  view.setInt32(44, packet.external0)
  view.setInt32(48, packet.external1)
  view.setInt32(52, packet.external2)
  view.setInt32(56, packet.external3)
}

const COUNT = 1_000_000
const ROUNDS = 9

const minimalPackets = packets.map(readMinimal)
const parsedPackets = packets.map((bytes) => {
  const parsed = parse(bytes)
  if (!parsed.ok) throw new Error(parsed.error.text)
  return parsed.packet
})

/** Results are kept for a while, so that no compiler can drop the making of them. */
const kept: unknown[] = new Array(1024).fill(undefined)
const scratch = new Uint8Array(60)
const scratchView = new DataView(scratch.buffer)
const jobs: Record<string, () => void> = {
  "DataView read": () => {
    for (let i = 0; i < COUNT; i++) kept[i & 1023] = readMinimal(packets[i & 1023])
  },
  parse: () => {
    for (let i = 0; i < COUNT; i++) kept[i & 1023] = parse(packets[i & 1023])
  },
  "DataView write": () => {
    for (let i = 0; i < COUNT; i++) {
      const bytes = new Uint8Array(60)
      writeMinimal(new DataView(bytes.buffer), minimalPackets[i & 1023])
      kept[i & 1023] = bytes
    }
  },
  "DataView write, then copy": () => {
    for (let i = 0; i < COUNT; i++) {
      writeMinimal(scratchView, minimalPackets[i & 1023])
      kept[i & 1023] = scratch.slice()
    }
  },
  encode: () => {
    for (let i = 0; i < COUNT; i++) kept[i & 1023] = encode(parsedPackets[i & 1023])
  },
}

const times: Record<string, number[]> = {}
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, job] of Object.entries(jobs)) {
    const start = performance.now()
    job()
    times[name] = [...(times[name] ?? []), performance.now() - start]
  }
}

const median = (name: string): number => times[name].toSorted((a, b) => a - b)[ROUNDS >> 1]
const perSecond = (name: string): string => `${(COUNT / median(name) / 1000).toFixed(2)} M/s`

const against = (name: string, floor: string): string =>
  `${name} ${perSecond(name)}, ${floor} ${perSecond(floor)}: ${(median(name) / median(floor)).toFixed(2)} times its time (limit 3)`

console.log(`60-octet MAP request, medians of ${ROUNDS} rounds of ${COUNT.toLocaleString("en")}`)
console.log(against("parse", "DataView read"))
console.log(against("encode", "DataView write"))
console.log(against("encode", "DataView write, then copy"))
