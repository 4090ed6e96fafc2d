import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { readLine } from "../../../adapters/linux/conntrack-text.ts"
import {
  deleteMessage,
  dumpMessage,
  getMessage,
  readConnection,
  type Tuple,
  timeoutMessage,
  toldBy,
} from "../../../adapters/linux/ctnetlink.ts"
import { behind, errorOf, find, LITTLE, messageAt, valueEnd } from "../../../adapters/linux/netlink.ts"
import { type Address, addressFromIpv4, addressFromWords, parseAddress } from "../../../core/wire/index.ts"

const address = (text: string): Address => parseAddress(text) ?? assert.fail(text)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"))
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

const tuple: Tuple = {
  protocol: 17,
  source: address("127.0.0.1"),
  sourcePort: 4000,
  destination: address("127.0.0.1"),
  destinationPort: 5000,
}

// What conntrack 1.4.7 sent and was answered for UDP from 127.0.0.1 port 4000 to port 5000 (strace, x86-64), sequence number 1.
const TUPLE = `34000180 14000180 080001007f000001 080002007f000001
  1c000280 0500010011000000 060002000fa00000 0600030013880000`
const REPLY = `34000280 14000180 080001007f000001 080002007f000001
  1c000280 0500010011000000 0600020013880000 060003000fa00000`
const GET = `48000000 0101 0500 01000000 00000000 02000000 ${TUPLE}`
const UPDATE = `50000000 0001 0500 01000000 00000000 02000000 ${TUPLE} 080007000000004d`
const DUMP = "14000000 0101 0103 01000000 00000000 02000000"
const THERE = `a4000000 0001 0200 01000000 396f0000 02000000 ${TUPLE} ${REPLY}
  0800030000000008 0800080000000000 08000c00d07275f2 08000b0000000002 080007000000001d`
const ACKNOWLEDGED = "24000000 0200 0001 01000000 00000000 00000000 50000000000105000100000000000000"

const skip = LITTLE ? false : "the octets are those of little-endian machines"

describe("the kernel's table of connections in octets", { skip }, () => {
  it("questions and orders are those of the program conntrack", () => {
    // The program has an answer acknowledged as well: flag 4.
    const asked = bytesOf(GET)
    asked[6] = 1
    assert.equal(hex(getMessage(tuple, 1)), hex(asked))
    assert.equal(hex(timeoutMessage(tuple, 77, 1)), hex(bytesOf(UPDATE)))
    assert.equal(hex(dumpMessage(4, 1)), hex(bytesOf(DUMP)))
    const six = bytesOf(DUMP)
    six[16] = 10
    assert.equal(hex(dumpMessage(6, 1)), hex(six))
  })

  it("reads what the kernel answers, and ends that connection by its ends and its number", () => {
    const view = viewOf(bytesOf(THERE))
    const found = messageAt(view, 0) ?? assert.fail()
    assert.equal(toldBy(found, false), "there")
    assert.deepEqual(readConnection(view, found), {
      original: tuple,
      reply: { ...tuple, sourcePort: 5000, destinationPort: 4000 },
      status: 8,
      timeout: 29,
      tcpState: undefined,
    })
    const ended = `50000000 0201 0100 07000000 00000000 02000000 ${TUPLE} 08000c00d07275f2`
    assert.equal(hex(deleteMessage(view, found, 7)), hex(bytesOf(ended)))
    const error = viewOf(bytesOf(ACKNOWLEDGED))
    assert.equal(errorOf(error, messageAt(error, 0) ?? assert.fail()), 0)
  })

  it("IPv6 has attributes and a family of its own", () => {
    const of6: Tuple = { ...tuple, source: address("2001:db8::7"), destination: address("2001:db8::8") }
    const [from, to] = ["20010db8000000000000000000000007", "20010db8000000000000000000000008"]
    const attributes = `4c000180 2c000180 14000300${from} 14000400${to} 1c000280 0500010011000000 060002000fa00000 0600030013880000`
    assert.equal(hex(getMessage(of6, 1)), hex(bytesOf(`60000000 0101 0100 01000000 00000000 0a000000 ${attributes}`)))
  })

  it("events: made, changed and gone are told apart", () => {
    const event = (type: number, flags: number) => {
      const bytes = bytesOf(THERE)
      bytes.set([type, 1, flags & 255, flags >> 8], 4)
      return toldBy(messageAt(viewOf(bytes), 0) ?? assert.fail(), true)
    }
    // NLM_F_CREATE and NLM_F_EXCL.
    assert.equal(event(0, 0x600), "began")
    assert.equal(event(0, 0), "changed")
    assert.equal(event(2, 0), "ended")
    assert.equal(event(1, 0), undefined)
  })

  it("octets of any kind are read to their end and never beyond", () => {
    const golden = bytesOf(THERE)
    const mutated = fc
      .array(fc.tuple(fc.nat(golden.length - 1), fc.nat(255)), { maxLength: 8 })
      .map((places) => places.reduce((bytes, [at, value]) => bytes.with(at, value), golden))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), fc.nat(20), (bytes, cut) => {
        // Behind it lies what is not its own.
        const memory = new Uint8Array(bytes.length + 64).fill(0xff)
        memory.set(bytes)
        const view = new DataView(memory.buffer, 0, Math.max(0, bytes.length - cut))
        let at = 0
        for (let found = messageAt(view, at); found !== undefined; found = messageAt(view, at)) {
          assert.ok(found.to <= view.byteLength && behind(found) > at)
          toldBy(found, true)
          errorOf(view, found)
          const connection = readConnection(view, found)
          if (connection !== undefined)
            for (const { source, sourcePort, protocol } of [connection.original, connection.reply])
              assert.ok(source.length === 8 && sourcePort <= 0xffff && protocol <= 255)
          const value = find(view, found.from, found.to, 1, 0)
          assert.ok(value < 0 || (value >= found.from && valueEnd(view, value) <= found.to))
          at = behind(found)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it("a tuple of any ends comes back as it was asked for", () => {
    const four = fc.nat(0xffffffff).map(addressFromIpv4)
    const word = fc.nat(0xffffffff)
    const six = fc.tuple(word, word, word, word).map((words) => addressFromWords(...words))
    const ends = fc.oneof(fc.tuple(four, four), fc.tuple(six, six))
    fc.assert(
      fc.property(ends, fc.nat(255), fc.nat(0xffff), fc.nat(0xffff), ([source, destination], protocol, from, to) => {
        const asked: Tuple = { protocol, source, sourcePort: from, destination, destinationPort: to }
        const bytes = getMessage(asked, 1)
        const view = viewOf(bytes)
        const found = messageAt(view, 0) ?? assert.fail()
        // The same attribute twice, the second one as that of the answers.
        const reply = bytes.slice(found.from + 4)
        new DataView(reply.buffer).setUint16(2, 0x8002, LITTLE)
        const both = viewOf(Uint8Array.of(...bytes, ...reply))
        const whole = { ...found, to: both.byteLength }
        const read = readConnection(both, whole)
        // An IPv6 tuple with an IPv4-mapped source is IPv4's: there is no other way to write that address.
        if (read !== undefined) assert.deepEqual([read.original, read.reply], [asked, asked])
        else assert.notEqual(source.startsWith("\0\0\0\0\0\uffff"), destination.startsWith("\0\0\0\0\0\uffff"))
      }),
    )
  })
})

describe("the lines of the program conntrack", () => {
  it("reads what 1.4.7 printed, of a list and of events", () => {
    const udp =
      "src=127.0.0.1 dst=127.0.0.1 sport=4000 dport=5000 [UNREPLIED] src=127.0.0.1 dst=127.0.0.1 sport=5000 dport=4000"
    const reply = { ...tuple, sourcePort: 5000, destinationPort: 4000 }
    const connection = { original: tuple, reply, status: 0, timeout: 29, tcpState: undefined }
    assert.deepEqual(readLine(`udp      17 29 ${udp} mark=0 use=1`), { what: "there", connection })
    assert.deepEqual(readLine(`    [NEW] udp      17 29 ${udp}`), { what: "began", connection })
    const ended = readLine(`[DESTROY] udp      17 ${udp}`)
    assert.deepEqual(ended, { what: "ended", connection: { ...connection, timeout: undefined } })
    const tcp = `tcp      6 431999 ESTABLISHED ${udp.replace("[UNREPLIED] ", "")} [ASSURED] mark=0 use=1`
    const { original, ...rest } = readLine(tcp)?.connection ?? assert.fail()
    assert.deepEqual(rest, { reply: { ...reply, protocol: 6 }, status: 6, timeout: 431_999, tcpState: 3 })
    assert.equal(readLine("conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown."), undefined)
  })

  it("any text is a line or none", () => {
    const part = fc.constantFrom(
      "[NEW]",
      "[X]",
      "udp",
      "17",
      "999",
      "src=1.2.3.4",
      "dst=::1",
      "sport=1",
      "dport=70000",
      " ",
      "x",
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join(" ")),
        ),
        (text) => {
          const { connection } = readLine(text) ?? {}
          assert.ok(connection === undefined || connection.original.sourcePort <= 0xffff)
        },
      ),
    )
  })
})
