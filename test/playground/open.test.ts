import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { toHex, toHexdump, toPcap } from "../../core/wire/text/index.ts"
import { directionOf, open, openInSteps } from "../../playground/model/open/index.ts"
import { anyBytes } from "../core/wire/arbitrary.ts"
import { address, hex, MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST } from "./packets.ts"

const CLIENT = { address: address("10.0.0.1"), port: 49152 }
const SERVER = { address: address("10.0.0.254"), port: 5351 }

const pair = (bytes: Uint8Array, seconds: number) => ({ bytes, at: { seconds, nanoseconds: 0 } })

describe("opening what was pasted or dropped", () => {
  test("says what it took a text for, and gives the packet", () => {
    const opened = open(toHex(MAP_REQUEST, { spaced: true }))
    assert.equal(opened.takenFor, "hex digits, 1 packet")
    assert.deepEqual(opened.unread, [])
    assert.deepEqual(opened.packets, [{ bytes: MAP_REQUEST, direction: "request" }])
    assert.equal(open(toHexdump(MAP_REQUEST)).takenFor, "hexdump -C, 1 packet")
  })

  test("a capture: ends, times, and that headers were taken off", () => {
    const file = toPcap([pair(MAP_REQUEST, 100), pair(MAP_RESPONSE, 101)], {
      client: CLIENT,
      server: SERVER,
      link: "ethernet",
    })
    const opened = open(file)
    assert.equal(opened.takenFor, "pcap, big-endian, microseconds, 2 packets, Ethernet, IPv4 and UDP headers taken off")
    assert.deepEqual(
      opened.packets.map(({ direction, source, destination, at }) => [direction, source, destination, at?.seconds]),
      [
        ["request", CLIENT, SERVER, 100],
        ["response", SERVER, CLIENT, 101],
      ],
    )
  })

  test("a big capture is opened step by step, with progress, and can be cut", () => {
    const file = toPcap(Array.from({ length: 1000 }, (_, i) => pair(NATPMP_MAP_REQUEST, i)))
    const steps = openInSteps(file, { every: 100 })
    const seen: number[] = []
    let step = steps.next()
    while (step.done !== true) {
      seen.push(step.value.packets)
      assert.ok(step.value.done <= step.value.total)
      step = steps.next()
    }
    assert.deepEqual(seen, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
    assert.equal(step.value.packets.length, 1000)
    const cut = open(file, { packets: 10 })
    assert.equal(cut.packets.length, 10)
    assert.match(cut.unread[0].text, /only the first 10 packets/)
  })

  test("what cannot be read is said with its place and what to try", () => {
    const odd = open("02 01 0")
    const [first] = open("0201z").unread
    assert.equal(open("0201z").packets.length, 0)
    assert.equal(first.severity, "error")
    assert.ok(first.places[0].line === 1)
    assert.ok(odd.packets.length === 1 || odd.unread.length > 0)
    assert.match(open("").unread[0].text, /nothing in it; paste/)
    const nothing = open(toPcap([])).unread.map(({ text }) => text)
    assert.match(nothing.join(), /no VXLAN: .* 5350 and 5351, 3359 and 3435, and 4789$/)
    const truncated = toPcap([pair(MAP_REQUEST, 1), pair(MAP_RESPONSE, 2)])
    const half = open(truncated.subarray(0, truncated.length - 5))
    assert.equal(half.packets.length, 1)
    assert.match(half.unread.map(({ text }) => text).join(), /5 octets before/)
    const other = open(toPcap([{ bytes: MAP_REQUEST, sourcePort: 53, destinationPort: 99 }]))
    assert.match(other.unread.map(({ text }) => text).join(), /other ports than 5350, 5351, 3359, 3435 and 4789/)
  })

  test("the direction is the message's own: NAT-PMP's version error has no bit for it", () => {
    assert.equal(directionOf(hex("00 00")), "request")
    assert.equal(directionOf(hex("00 00 00 01 00 00 00 2a")), "response")
    assert.equal(directionOf(hex("02")), undefined)
  })

  test("any octets and any text open as something", () => {
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.string({ unit: "binary", maxLength: 300 }),
      anyBytes.map((bytes) => toHex(bytes)),
      fc.tuple(fc.array(anyBytes, { maxLength: 4 }), fc.nat(), fc.nat({ max: 255 })).map(([payloads, at, value]) => {
        const file = toPcap(payloads.map((bytes) => ({ bytes })))
        file[at % file.length] = value
        return file
      }),
    )
    fc.assert(
      fc.property(inputs, (input) => {
        const { packets, takenFor, unread } = open(input)
        assert.ok(takenFor.length > 0)
        assert.ok(packets.length > 0 || unread.length > 0)
      }),
    )
  })
})
