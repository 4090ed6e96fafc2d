/** tshark as a second reader of the frames that the overlay writes: addresses, tags, options, and that every checksum is right. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  encodeArp,
  encodeDhcp,
  encodeEthernet,
  encodeNeighbor,
  encodeUdp4,
  encodeVxlan,
  formatMac,
} from "../../core/overlay/index.ts"
import { formatAddress, formatMapped, joinOctets } from "../../core/wire/index.ts"
import { arp, bytesOf, dhcp, ethernet, neighbor, udp4 } from "../core/overlay/arbitrary.ts"
import { tsharkVersion } from "./tshark.ts"

const version = tsharkVersion()
const missing = "tshark is not installed (Debian package tshark)"
if (version === undefined && process.env.CI === "true") throw new Error(missing)

const EMPTY = new Uint8Array(0)

/** A capture of Ethernet frames. */
const pcap = (frames: readonly Uint8Array[]): Uint8Array => {
  const words = (...values: readonly number[]): Uint8Array => {
    const view = new DataView(new ArrayBuffer(4 * values.length))
    values.forEach((value, index) => {
      view.setUint32(4 * index, value)
    })
    return new Uint8Array(view.buffer)
  }
  const records = frames.flatMap((frame) => [words(0, 0, frame.length, frame.length), frame])
  return joinOctets([words(0xa1b2c3d4, 0x00020004, 0, 0, 65535, 1), ...records])
}

const columns = (frames: readonly Uint8Array[], names: readonly string[]): readonly (readonly string[])[] => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-overlay-"))
  try {
    const file = join(folder, "frames.pcap")
    writeFileSync(file, pcap(frames))
    const checks = ["ip", "udp"].flatMap((protocol) => ["-o", `${protocol}.check_checksum:TRUE`])
    const wanted = names.flatMap((name) => ["-e", name])
    const stdout = execFileSync("tshark", ["-n", ...checks, "-r", file, "-T", "fields", ...wanted], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 1 << 26,
    })
    return stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split("\t"))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const COUNT = 300
const GOOD = "1"

/** Writes samples, and holds what tshark names in each to what is wanted. */
const agrees = <T>(
  samples: readonly T[],
  frame: (value: T) => Uint8Array,
  names: readonly string[],
  wanted: (value: T) => readonly string[],
): void => {
  const seen = columns(samples.map(frame), names)
  assert.equal(seen.length, samples.length)
  samples.forEach((value, index) => {
    assert.deepEqual(seen[index], wanted(value))
  })
}

const inFrame = (type: number, payload: Uint8Array): Uint8Array => {
  const [base] = fc.sample(ethernet, 1)
  return bytesOf(encodeEthernet({ ...base, tags: [], type, payload }))
}

describe(`frames before ${version ?? "tshark"}`, { skip: version === undefined ? missing : false }, () => {
  test("Ethernet addresses and VLAN tags", () => {
    const one = fc.sample(ethernet, COUNT).map((frame) => ({ ...frame, type: 0x88b5, tags: frame.tags.slice(0, 1) }))
    agrees(
      one.map((frame) => ({ ...frame, tags: frame.tags.map((tag) => ({ ...tag, type: 0x8100 })) })),
      (frame) => bytesOf(encodeEthernet(frame)),
      ["eth.dst", "eth.src", "vlan.id", "vlan.priority"],
      ({ destination, source, tags }) => [
        formatMac(destination),
        formatMac(source),
        tags.map(({ id }) => `${id}`).join(),
        tags.map(({ priority }) => `${priority}`).join(),
      ],
    )
  })

  test("ARP", () => {
    agrees(
      // It knows other operations, whose addresses have other names.
      fc.sample(arp, COUNT).map((packet) => ({ ...packet, operation: 1 + (packet.operation & 1) })),
      (packet) => inFrame(0x0806, bytesOf(encodeArp(packet))),
      ["arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.hw_mac", "arp.dst.proto_ipv4"],
      ({ operation, senderMac, sender, targetMac, target }) => [
        `${operation}`,
        formatMac(senderMac),
        formatAddress(sender),
        formatMac(targetMac),
        formatAddress(target),
      ],
    )
  })

  test("neighbour messages: targets, link-layer addresses, checksums", () => {
    // Readers differ in how they print what starts with zeros and ends with 32 bits.
    const plain = neighbor.filter(({ target }) => !formatMapped(target).startsWith("::"))
    const samples = fc.sample(plain, COUNT).map((message) => {
      const options = message.options.filter(({ kind }) => kind !== "other")
      return { ...message, options, trailing: EMPTY }
    })
    agrees(
      samples,
      (message) => inFrame(0x86dd, bytesOf(encodeNeighbor(message))),
      [
        "icmpv6.type",
        "icmpv6.checksum.status",
        "icmpv6.nd.ns.target_address",
        "icmpv6.nd.na.target_address",
        "icmpv6.opt.linkaddr",
      ],
      ({ kind, target, options }) => {
        const isSolicitation = kind === "neighbor-solicitation"
        const text = formatMapped(target)
        return [
          isSolicitation ? "135" : "136",
          GOOD,
          isSolicitation ? text : "",
          isSolicitation ? "" : text,
          options.map((option) => ("mac" in option ? formatMac(option.mac) : "")).join(),
        ]
      },
    )
  })

  test("DHCPv4 in UDP in IPv4: the exchange, its options, both checksums", () => {
    const pairs = fc.sample(fc.tuple(udp4, dhcp), COUNT).map(([packet, message]) => ({
      packet: { ...packet, options: EMPTY, slack: EMPTY, trailing: EMPTY, sourcePort: 68, destinationPort: 67 },
      message: {
        ...message,
        operation: 1,
        hardware: 1,
        hardwareLength: 6,
        options: [{ code: 53, data: Uint8Array.of(1) }],
        ended: true,
        trailing: EMPTY,
      },
    }))
    agrees(
      pairs,
      ({ packet, message }) =>
        inFrame(0x0800, bytesOf(encodeUdp4({ ...packet, payload: bytesOf(encodeDhcp(message)) }))),
      ["ip.checksum.status", "udp.checksum.status", "dhcp.id", "dhcp.option.dhcp", "dhcp.ip.relay"],
      ({ message }) => [
        GOOD,
        GOOD,
        `0x${message.xid.toString(16).padStart(8, "0")}`,
        "1",
        formatAddress(message.relay),
      ],
    )
  })

  test("VXLAN with a frame in it", () => {
    const samples = fc.sample(fc.tuple(udp4, fc.nat(0xffffff), ethernet), COUNT).map(([packet, vnetid, inner]) => ({
      packet: { ...packet, options: EMPTY, slack: EMPTY, trailing: EMPTY, sourcePort: 50000, destinationPort: 4789 },
      vnetid,
      inner: { ...inner, tags: [], type: 0x88b5 },
    }))
    agrees(
      samples,
      ({ packet, vnetid, inner }) =>
        inFrame(
          0x0800,
          bytesOf(
            encodeUdp4({ ...packet, payload: bytesOf(encodeVxlan({ vnetid, frame: bytesOf(encodeEthernet(inner)) })) }),
          ),
        ),
      ["vxlan.vni", "udp.checksum.status"],
      ({ vnetid }) => [`${vnetid}`, GOOD],
    )
  })
})
