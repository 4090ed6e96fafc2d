import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { readCaptureFile } from "../../../adapters/cli/capture-file.ts"
import type { InputItem } from "../../../adapters/cli/input-item.ts"
import { read, toPcap } from "../../../core/wire/text/index.ts"

const inMemory = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: async (into: Uint8Array, at: number): Promise<number> => {
    const part = bytes.subarray(at, at + into.length)
    into.set(part)
    return part.length
  },
})

const collect = async (bytes: Uint8Array, window: number): Promise<InputItem[]> => {
  const items: InputItem[] = []
  for await (const item of readCaptureFile(inMemory(bytes), window)) items.push(item)
  return items
}

/** What a reading of the whole file gives, as the items of a reading in pieces should show it. */
const whole = (bytes: Uint8Array) => {
  const reading = read(bytes)
  assert.ok(reading.ok)
  return {
    packets: reading.packets.map(({ bytes: payload, at, sourcePort }) => ({ payload, at, sourcePort })),
    skipped: reading.skipped.reduce((sum, { count }) => sum + count, 0),
    cutAt: reading.problems.find(({ code }) => code.startsWith("file"))?.places[0].offset,
  }
}

const pieces = (items: readonly InputItem[]) => {
  const failure = items.find((item) => item.kind === "failure")
  return {
    packets: items.flatMap((item) =>
      item.kind === "packet"
        ? [{ payload: item.packet.bytes, at: item.packet.at, sourcePort: item.packet.sourcePort }]
        : [],
    ),
    skipped: items.reduce((sum, item) => {
      const match = item.kind === "remark" ? /left out (\d+) packet/.exec(item.text) : null
      return sum + Number(match?.[1] ?? 0)
    }, 0),
    cutAt: failure === undefined ? undefined : Number(/at octet (\d+)$/.exec(failure.text)?.[1]),
  }
}

const packets = fc.array(
  fc.record({
    bytes: fc.uint8Array({ minLength: 2, maxLength: 300 }),
    sourcePort: fc.integer({ min: 1, max: 65535 }),
    destinationPort: fc.constantFrom(5351, 5350, 53),
    at: fc.record({ seconds: fc.nat(0x7fffffff), nanoseconds: fc.nat(999_999).map((us) => us * 1000) }),
  }),
  { maxLength: 30 },
)

/** The packets of a pcap written once more as pcapng, each part a section of its own byte order with two interfaces. */
const toPcapng = (pcap: Uint8Array, bigFrom: number): Uint8Array => {
  const out: number[] = []
  const source = new DataView(pcap.buffer, pcap.byteOffset, pcap.byteLength)
  const block = (little: boolean, type: number, words: readonly number[], data: readonly number[] = []): void => {
    const padded = [...data, ...new Array<number>((4 - (data.length % 4)) % 4).fill(0)]
    const length = 12 + 4 * words.length + padded.length
    const word = (value: number): number[] => {
      const octets = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
      return little ? octets.reverse() : octets
    }
    out.push(...[type, length, ...words].flatMap(word), ...padded, ...word(length))
  }
  const section = (little: boolean): void => {
    // Byte-order magic, version 1.0, a length that is not known; two interfaces of raw IP, microseconds.
    block(little, 0x0a0d0d0a, [0x1a2b3c4d, little ? 0x00000001 : 0x00010000, 0xffffffff, 0xffffffff])
    block(little, 1, [little ? 101 : 101 << 16, 0])
    block(little, 1, [little ? 101 : 101 << 16, 0])
  }
  section(true)
  let little = true
  for (let o = 24, n = 0; o < pcap.length; n++) {
    if (n === bigFrom) {
      little = false
      section(false)
    }
    const time = source.getUint32(o) * 1_000_000 + source.getUint32(o + 4)
    const length = source.getUint32(o + 8)
    const data = [...pcap.subarray(o + 16, o + 16 + length)]
    block(little, 6, [n % 2, Math.floor(time / 2 ** 32), time % 2 ** 32, length, length], data)
    o += 16 + length
  }
  return Uint8Array.from(out)
}

describe("a capture read through a window", () => {
  it("gives what the whole gives, for any pcap, cut anywhere, and any window", async () => {
    await fc.assert(
      fc.asyncProperty(packets, fc.nat(40), fc.integer({ min: 64, max: 2000 }), async (list, cut, window) => {
        const file = toPcap(list)
        const bytes = file.subarray(0, Math.max(24, file.length - cut))
        assert.deepEqual(pieces(await collect(bytes, window)), whole(bytes))
      }),
      { numRuns: 100 },
    )
  })

  it("does so for pcapng with several sections and interfaces", async () => {
    await fc.assert(
      fc.asyncProperty(
        packets,
        fc.nat(30),
        fc.nat(40),
        fc.integer({ min: 64, max: 2000 }),
        async (list, big, cut, window) => {
          const pcapng = toPcapng(toPcap(list), big)
          const bytes = pcapng.subarray(0, Math.max(28, pcapng.length - cut))
          assert.deepEqual(pieces(await collect(bytes, window)), whole(bytes))
        },
      ),
      { numRuns: 100 },
    )
  })

  it("never holds much more than its window", async () => {
    const file = toPcap(Array.from({ length: 2000 }, () => ({ bytes: new Uint8Array(100) })))
    let most = 0
    const source = inMemory(file)
    const watched = {
      size: source.size,
      read: (into: Uint8Array, at: number): Promise<number> => {
        most = Math.max(most, into.length)
        return source.read(into, at)
      },
    }
    let count = 0
    for await (const item of readCaptureFile(watched, 4096)) if (item.kind === "packet") count++
    assert.equal(count, 2000)
    assert.ok(most <= 4096)
  })

  it("says that a header is cut, or of a version that is not read", async () => {
    const file = toPcap([])
    assert.deepEqual(await collect(file.subarray(0, 10), 4096), [
      { kind: "failure", text: "the pcap file header is cut, at octet 10", nothing: true },
    ])
    file[5] = 3
    const [failure] = await collect(file, 4096)
    assert.ok(failure.kind === "failure" && failure.nothing)
  })
})
