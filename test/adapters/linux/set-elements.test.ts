import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Nft, type NftResult, withElements } from "../../../adapters/linux/index.ts"
import type { NetlinkSocket } from "../../../adapters/linux/netlink-socket.ts"
import { transactionOf } from "../../../adapters/linux/set-elements.ts"

const IPV4 = { family: "ip", timed: new Set(["inbound", "outbound"]) } as const
const IPV6 = { family: "ip6", timed: new Set(["open-port", "open-protocol", "open-host"]) } as const
const ELEMENT = { set: "inbound", key: "17 . 203.0.113.7 . 5000", data: "10.0.0.2 . 80" }

/** The octets here are those of a little-endian machine: netlink's headers have the machine's own order. */
const skip = new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex")
const octets = (...parts: readonly string[]): string => parts.join("").replaceAll(" ", "")
/** Each message's type and flags, with its list's octets. */
const messages = (bytes: Uint8Array | undefined): readonly string[] => {
  const all: string[] = []
  const buffer = Buffer.from(bytes ?? [])
  for (let at = 0; at < buffer.length; at += buffer.readUInt32LE(at))
    all.push(`${buffer.readUInt16LE(at + 4).toString(16)} ${buffer.readUInt16LE(at + 6).toString(16)}`)
  return all
}

const BEGIN = "14000000 1000 0100 00000000 00000000 00 00 000a"
const end = (sequence: number): string => `14000000 1100 0100 0${sequence}000000 00000000 00 00 000a`

describe("elements as a transaction of nf_tables (linux/netlink.h, nfnetlink.h, nf_tables.h)", { skip }, () => {
  it("one put in, octet by octet", () => {
    const made = transactionOf(IPV4, { gone: [], put: [{ element: ELEMENT, left: 600_000 }] })
    const expected = octets(
      BEGIN,
      // 104 octets: NFT_MSG_NEWSETELEM; REQUEST, ACK and CREATE; sequence 1; struct nfgenmsg with NFPROTO_IPV4.
      "68000000 0c0a 0504 01000000 00000000 02 00 0000",
      // The table's name, the set's, and a list with one element of 52 octets.
      "0e00 0100 73616c6c79706f727400 0000",
      "0c00 0200 696e626f756e6400",
      "3800 0380 3400 0180",
      // Its key, which is protocol, address and port of four octets each; its data; its milliseconds.
      "1400 0180 1000 0100 11000000 cb007107 13880000",
      "1000 0280 0c00 0100 0a000002 00500000",
      "0c00 0400 00000000000927c0",
      end(2),
    )
    assert.equal(hex(made?.bytes), expected)
    assert.equal(made?.last, 1)
  })

  it("what goes is put in and taken out, before what comes; the last message alone is acknowledged", () => {
    const other = { ...ELEMENT, set: "outbound" }
    const made = transactionOf(IPV4, { gone: [ELEMENT, other], put: [{ element: other, left: undefined }] })
    // Two sets of two steps, then one: 0a0c puts in, 0a0e takes out.
    assert.deepEqual(messages(made?.bytes), [...["10 1", "a0c 401", "a0c 401", "a0e 1", "a0e 1", "a0c 405", "11 1"]])
    assert.equal(made?.last, 5)
    // A deletion has the key alone; what never ends has no time.
    const gone = transactionOf(IPV4, { gone: [ELEMENT], put: [] })
    const item = "1400 0180 1000 0100 11000000 cb007107 13880000"
    assert.ok(hex(gone?.bytes).includes(octets("1c00 0380 1800 0180", item, end(3))))
    assert.ok(!hex(gone?.bytes).includes("0c000400"))
  })

  it("keys of an IPv6 firewall: a port, a protocol, a host", () => {
    const address = "20010db8000000000000000000000007"
    for (const [set, key, expected] of [
      ["open-port", "6 . 2001:db8::7 . 443", `06000000${address}01bb0000`],
      ["open-protocol", "50 . 2001:db8::7", `32000000${address}`],
      ["open-host", "2001:db8::7", address],
    ] as const) {
      const made = transactionOf(IPV6, { gone: [], put: [{ element: { set, key, data: undefined }, left: 1 }] })
      const length = (expected.length / 2 + 4).toString(16).padStart(2, "0")
      assert.ok(hex(made?.bytes).includes(`${length}000100${expected}0c0004000000000000000001`), key)
      // NFPROTO_IPV6 behind the second message's header.
      assert.equal(made?.bytes[20 + 16], 10)
    }
  })

  it("a time is whole milliseconds, and at least one", () => {
    for (const [left, expected] of [
      [-5, 1],
      [0.2, 1],
      [1.2, 2],
      [0xffffffff * 1000, 0xffffffff * 1000],
    ] as const) {
      const made = transactionOf(IPV4, { gone: [], put: [{ element: ELEMENT, left }] })
      assert.ok(hex(made?.bytes).includes(`0c000400${expected.toString(16).padStart(16, "0")}14000000`), `${left}`)
    }
  })

  it("a list of more elements than its length can tell is several messages, and a transaction has a most", () => {
    const put = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ element: { ...ELEMENT, key: `17 . 203.0.113.7 . ${i}` }, left: 1 }))
    assert.equal(messages(transactionOf(IPV4, { gone: [], put: put(1000) })?.bytes).length, 5)
    assert.equal(transactionOf(IPV4, { gone: [], put: put(1001) }), undefined)
    assert.equal(transactionOf(IPV4, { gone: put(1).map(({ element }) => element), put: put(999) }), undefined)
  })

  it("is left to nft where a set has intervals, or a part is neither a number in its range nor an address", () => {
    for (const element of [
      { ...ELEMENT, set: "permitted" },
      ...["17 . 203.0.113.7 . 5000-5001", "17 . 203.0.113.0/24 . 5000", "256 . 203.0.113.7 . 5000"],
      ...["17 . 203.0.113.7 . 65536", "17 . 203.0.113.256 . 5000", "udp . 203.0.113.7 . 5000", "17 . 203.0.113.7 . -1"],
      ...["17 . ::ffff:203.0.113.7 . 5000", "17 . 2001:db8::g . 5000", ""],
    ].map((one) => (typeof one === "string" ? { ...ELEMENT, key: one } : one))) {
      assert.equal(transactionOf(IPV4, { gone: [], put: [{ element, left: 1 }] }), undefined, element.key)
      assert.equal(transactionOf(IPV4, { gone: [element], put: [] }), undefined, element.key)
    }
    const data = { ...ELEMENT, data: "10.0.0.0/8 . 80" }
    assert.equal(transactionOf(IPV4, { gone: [], put: [{ element: data, left: 1 }] }), undefined)
  })
})

/** What the kernel says of a message: an error, or 0. */
const answer = (sequence: number, error: number): DataView => {
  const view = new DataView(new ArrayBuffer(36))
  view.setUint32(0, 36, true)
  view.setUint16(4, 2, true)
  view.setUint32(8, sequence, true)
  view.setInt32(16, -error, true)
  return view
}

describe("nft whose elements go by a socket of their own", { skip }, () => {
  const bare: Nft = {
    way: "a test",
    run: () => ({ ok: true, output: "" }),
    terse: () => ({ ok: true, output: "" }),
    close: () => {},
  }
  const changes = { gone: [ELEMENT], put: [{ element: ELEMENT, left: 1 }] }
  /** What comes of an answer; what was there before it is not it. */
  const resultOf = (
    answers: readonly (DataView | "lost")[],
    before: readonly DataView[] = [],
    isTaken = true,
  ): NftResult | undefined => {
    const queue: (DataView | "lost")[] = [...before]
    const socket: Pick<NetlinkSocket, "send" | "receive" | "close"> = {
      send: () => {
        assert.equal(queue.length, 0)
        queue.push(...answers)
        return isTaken
      },
      receive: () => queue.shift(),
      close: () => {},
    }
    return withElements(bare, socket).elements?.(IPV4, changes)
  }

  it("has done what the last message's acknowledgement says, and refused what any error says, in nft's words", () => {
    assert.deepEqual(resultOf([answer(3, 0)]), { ok: true, output: "" })
    assert.deepEqual(resultOf([answer(2, 2)]), { ok: false, text: "Error: No such file or directory" })
    assert.deepEqual(resultOf([answer(3, 17), answer(1, 2)]), { ok: false, text: "Error: File exists" })
    // The commit failed after all messages were taken.
    assert.deepEqual(resultOf([answer(3, 0), answer(0, 12)]), { ok: false, text: "Error: Cannot allocate memory" })
    assert.deepEqual(resultOf([answer(0, 99)]), { ok: false, text: "Error: error 99" })
  })

  it("does not know what is not said, and leaves it to nft", () => {
    assert.equal(resultOf([]), undefined)
    assert.equal(resultOf([answer(2, 0)]), undefined)
    assert.equal(resultOf(["lost"]), undefined)
    assert.equal(resultOf([answer(3, 0)], [], false), undefined)
    assert.equal(resultOf([], [answer(3, 0)]), undefined)
    assert.equal(resultOf([new DataView(new ArrayBuffer(7))]), undefined)
  })

  it("closes both", () => {
    const closed: string[] = []
    const socket = { send: () => true, receive: () => undefined, close: () => closed.push("socket") }
    withElements({ ...bare, close: () => closed.push("nft") }, socket).close()
    assert.deepEqual(closed, ["socket", "nft"])
  })
})
