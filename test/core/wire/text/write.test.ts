import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import type { Address } from "../../../../core/wire/index.ts"
import { formatAddress } from "../../../../core/wire/index.ts"
import type { PcapOptions, PcapPacket } from "../../../../core/wire/text/index.ts"
import { read, toHex, toHexdump, toPcap } from "../../../../core/wire/text/index.ts"
import { hex } from "../hex.ts"
import { address } from "../vectors.ts"
import { DUMPS, NATPMP, REQUEST, RESPONSE } from "./printed.ts"

test("toHex: plain, spaced, with prefixes and separators, in capitals", () => {
  const bytes = hex("0201ff")
  assert.equal(toHex(bytes), "0201ff")
  assert.equal(toHex(bytes, { spaced: true }), "02 01 ff")
  assert.equal(toHex(bytes, { separator: ":", upper: true }), "02:01:FF")
  assert.equal(toHex(bytes, { prefix: "0x", separator: ", " }), "0x02, 0x01, 0xff")
  assert.equal(toHex(bytes, { prefix: "\\x" }), "\\x02\\x01\\xff")
  assert.equal(toHex(new Uint8Array()), "")
})

test("toHexdump prints what hexdump -C prints", () => {
  for (const command of ["hexdump -C req.bin", "hexdump -C odd.bin"]) {
    const printed = DUMPS.find((p) => p.command === command)
    assert.ok(printed !== undefined)
    assert.equal(toHexdump(hex(printed.packets[0])), `${printed.lines.join("\n")}\n`)
  }
  assert.equal(toHexdump(new Uint8Array()), "")
})

test("toPcap: one packet, octet for octet", () => {
  const file = toPcap([{ bytes: hex(NATPMP), at: { seconds: 1, nanoseconds: 2000 } }])
  assert.equal(
    toHex(file),
    toHex(
      hex(`
        a1b2c3d4 0002 0004 00000000 00000000 00040000 00000065 | file header, LINKTYPE_RAW
        00000001 00000002 0000001e 0000001e                    | 1 s and 2 µs, 30 octets
        45 00 001e 0000 4000 40 11 b6cb c0000202 c0000201      | IPv4, 192.0.2.2 to 192.0.2.1
        c000 14e7 000a a6ee 0000                               | UDP, 49152 to 5351
      `),
    ),
  )
})

test("toPcap: a response goes from server to client, and what a packet brings comes before the options", () => {
  const options: PcapOptions = {
    client: { address: address("198.51.100.7"), port: 1234 },
    server: { address: address("198.51.100.1"), port: 5351 },
    at: { seconds: 7, nanoseconds: 0 },
  }
  const packets: readonly PcapPacket[] = [
    { bytes: hex(REQUEST) },
    { bytes: hex(RESPONSE) },
    { bytes: hex(RESPONSE), direction: "request" },
    { bytes: hex(RESPONSE), destination: address("224.0.0.1"), destinationPort: 5350 },
  ]
  const reading = read(toPcap(packets, options))
  assert.ok(reading.ok)
  const text = (a: Address | undefined): string => (a === undefined ? "" : formatAddress(a))
  assert.deepEqual(
    reading.packets.map((p) => `${text(p.source)} ${p.sourcePort} > ${text(p.destination)} ${p.destinationPort}`),
    [
      "198.51.100.7 1234 > 198.51.100.1 5351",
      "198.51.100.1 5351 > 198.51.100.7 1234",
      "198.51.100.7 1234 > 198.51.100.1 5351",
      "198.51.100.1 5351 > 224.0.0.1 5350",
    ],
  )
  assert.deepEqual(
    reading.packets.map((p) => p.at?.seconds),
    [7, 7, 7, 7],
  )
})

const tshark = (file: Uint8Array, fields: readonly string[]): string[][] | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-"))
  const path = join(folder, "written.pcap")
  writeFileSync(path, file)
  const checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
  const wanted = ["-T", "fields", ...fields.flatMap((f) => ["-e", f])]
  const run = spawnSync("tshark", ["-r", path, ...checks, ...wanted], { encoding: "utf8" })
  rmSync(folder, { recursive: true })
  if (run.error !== undefined) return undefined
  assert.equal(run.status, 0, run.stderr)
  return run.stdout
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.split("\t"))
}

test("tshark reads what toPcap writes: addresses, ports, times, checksums, payload", (t) => {
  const six = address("2001:db8::1")
  const packets: readonly PcapPacket[] = [
    { bytes: hex(REQUEST), at: { seconds: 1700000000, nanoseconds: 123456789 } },
    { bytes: hex(RESPONSE), source: six, destination: address("ff02::1"), destinationPort: 5350 },
    { bytes: hex("0201ff"), source: six, sourcePort: 65535, destination: address("2001:db8::2") },
    // IPv4 to IPv6: the IPv4 end shows as its mapped address.
    { bytes: hex(NATPMP), destination: six },
    { bytes: new Uint8Array() },
    // A payload whose checksum comes out as zero, which is sent as ones (RFC 768).
    { bytes: hex("a6ee") },
    { bytes: new Uint8Array(1100).fill(0xff) },
  ]
  const fields = ["ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport", "udp.length"]
  const status = ["ip.checksum.status", "udp.checksum.status", "frame.time_epoch", "udp.payload"]
  for (const link of ["raw", "ethernet"] as const)
    for (const precision of ["microseconds", "nanoseconds"] as const) {
      const rows = tshark(toPcap(packets, { link, precision }), [...fields, ...status])
      if (rows === undefined) {
        assert.notEqual(process.env.CI, "true", "tshark is missing")
        t.skip("tshark is missing: apt-get install tshark")
        return
      }
      const fraction = precision === "nanoseconds" ? "123456789" : "123456000"
      const large = "ff".repeat(1100)
      const mapped = "::ffff:192.0.2.2"
      assert.deepEqual(rows, [
        ["192.0.2.2", "192.0.2.1", "", "", "49152", "5351", "68", "1", "1", `1700000000.${fraction}`, REQUEST],
        ["", "", "2001:db8::1", "ff02::1", "5351", "5350", "68", "", "1", "0.000000000", RESPONSE],
        ["", "", "2001:db8::1", "2001:db8::2", "65535", "5351", "11", "", "1", "0.000000000", "0201ff"],
        ["", "", mapped, "2001:db8::1", "49152", "5351", "10", "", "1", "0.000000000", NATPMP],
        ["192.0.2.2", "192.0.2.1", "", "", "49152", "5351", "8", "1", "1", "0.000000000", ""],
        ["192.0.2.1", "192.0.2.2", "", "", "5351", "49152", "10", "1", "1", "0.000000000", "a6ee"],
        ["192.0.2.1", "192.0.2.2", "", "", "5351", "49152", "1108", "1", "1", "0.000000000", large],
      ])
    }
})

test("a UDP checksum of zero is written as ones", () => {
  const file = toPcap([{ bytes: hex("a6ee"), direction: "request" }])
  assert.equal(toHex(file.subarray(24 + 16 + 26, 24 + 16 + 28)), "ffff")
})

test("a payload longer than UDP carries is cut at its limit, and the record says how long it was", () => {
  const file = toPcap([{ bytes: new Uint8Array(70000) }])
  assert.equal(
    toHex(file.subarray(32, 40)),
    "0000ffff0001118c".replace("0001118c", (70028).toString(16).padStart(8, "0")),
  )
  const reading = read(file)
  assert.ok(reading.ok)
  assert.equal(reading.packets[0].bytes.length, 65507)
})
