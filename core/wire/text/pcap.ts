import type { Address } from "../address.ts"
import { addressFromIpv4, addressWord, isIpv4 } from "../address.ts"
import { putU16, putU32, u16, u32 } from "../octets.ts"
import { SERVER_PORT } from "../registry.ts"
import type { Datagram } from "./datagram.ts"
import { headerLength, payloadLimit, putDatagram } from "./datagram.ts"
import type { Form, Timestamp } from "./reading.ts"
import type { CaptureEnd, CaptureItem } from "./record.ts"
import { readFrame } from "./record.ts"

/** One end of a datagram. */
export type Endpoint = { readonly address: Address; readonly port: number }

/** A UDP payload to write; what is left out comes from the options of {@link toPcap}. */
export type PcapPacket = {
  /** The UDP payload. */
  readonly bytes: Uint8Array
  /** Which way it goes when its ends are not given. Left out: by the R bit, the top bit of octet 1 (RFC 6887 section 7, RFC 6886 section 3). */
  readonly direction?: "request" | "response"
  /** Where it came from; left out, the client's or the server's end. */
  readonly source?: Address
  /** 0 to 65535. */
  readonly sourcePort?: number
  /** Where it went to; left out, the other end. */
  readonly destination?: Address
  /** 0 to 65535. */
  readonly destinationPort?: number
  /** When it was seen; left out, the time of the options. */
  readonly at?: Timestamp
}

/** How a pcap file is written, and what packets have that do not say it themselves. */
export type PcapOptions = {
  /** `raw`: LINKTYPE_RAW 101, each record starts with its IP header (the default). `ethernet`: LINKTYPE_ETHERNET 1. */
  readonly link?: "raw" | "ethernet"
  /** Resolution of the times; `microseconds` by default. */
  readonly precision?: "microseconds" | "nanoseconds"
  /** The end that sends requests; 192.0.2.2 port 49152 by default. */
  readonly client?: Endpoint
  /** The end that answers; 192.0.2.1 port 5351 by default. */
  readonly server?: Endpoint
  /** The time of a packet that brings none; 1970-01-01 by default. */
  readonly at?: Timestamp
}

const CLIENT: Endpoint = { address: addressFromIpv4(0xc0000202), port: 49152 }
const SERVER: Endpoint = { address: addressFromIpv4(0xc0000201), port: SERVER_PORT }
const EPOCH: Timestamp = { seconds: 0, nanoseconds: 0 }
const FILE_HEADER = 24
const RECORD_HEADER = 16
const ETHERNET_HEADER = 14
const SNAPLEN = 262144

/**
 * A pcap file (draft-ietf-opsawg-pcap), big-endian, of UDP payloads wrapped in IP and UDP headers with valid checksums:
 *
 *     file    a1b2c3d4 (µs) or a1b23c4d (ns), version 2.4, 0, 0, snaplen, link type       24 octets
 *     record  seconds, µs or ns, captured length, original length, then the packet        16 octets + packet
 *
 * A payload longer than UDP can carry (65507 octets over IPv4, 65527 over IPv6) is cut there, and the record's original
 * length says by how much. Seconds past 2106 wrap: the field has 32 bits.
 *
 * @example
 * ```ts
 * import { read, toPcap } from "sallyport"
 *
 * const file = toPcap([{ bytes: Uint8Array.of(0, 0) }, { bytes: Uint8Array.of(0, 128, 0, 0, 0, 0, 0, 1, 203, 0, 113, 7) }])
 * const reading = read(file)
 * if (reading.ok) console.log(reading.packets.map(({ sourcePort }) => sourcePort).join(" ")) // 49152 5351
 * ```
 */
export const toPcap = (packets: readonly PcapPacket[], options: PcapOptions = {}): Uint8Array => {
  const ethernet = options.link === "ethernet"
  const nano = options.precision === "nanoseconds"
  const link = ethernet ? ETHERNET_HEADER : 0
  const datagrams = packets.map((packet) => between(packet, options))
  let size = FILE_HEADER
  for (const d of datagrams) size += RECORD_HEADER + link + headerLength(d) + Math.min(d.bytes.length, payloadLimit(d))
  const out = new Uint8Array(size)
  putU32(out, 0, nano ? 0xa1b23c4d : 0xa1b2c3d4)
  putU32(out, 4, 0x00020004)
  putU32(out, 16, SNAPLEN)
  putU32(out, 20, ethernet ? 1 : 101)
  let o = FILE_HEADER
  for (let i = 0; i < datagrams.length; i++) {
    const d = datagrams[i]
    const at = packets[i].at ?? options.at ?? EPOCH
    const headers = link + headerLength(d)
    const length = Math.min(d.bytes.length, payloadLimit(d))
    putU32(out, o, at.seconds)
    putU32(out, o + 4, nano ? at.nanoseconds : Math.floor(at.nanoseconds / 1000))
    putU32(out, o + 8, headers + length)
    putU32(out, o + 12, headers + d.bytes.length)
    o += RECORD_HEADER
    if (ethernet) putEthernet(out, o, d)
    putDatagram(out, o + link, d, length)
    o += headers + length
  }
  return out
}

const between = (packet: PcapPacket, options: PcapOptions): Datagram => {
  const client = options.client ?? CLIENT
  const server = options.server ?? SERVER
  const response = packet.direction === undefined ? (packet.bytes[1] ?? 0) >= 128 : packet.direction === "response"
  const from = response ? server : client
  const to = response ? client : server
  return {
    bytes: packet.bytes,
    source: packet.source ?? from.address,
    sourcePort: packet.sourcePort ?? from.port,
    destination: packet.destination ?? to.address,
    destinationPort: packet.destinationPort ?? to.port,
  }
}

/** Destination, source, EtherType. Ends get locally administered addresses that hold their last 32 bits. */
const putEthernet = (out: Uint8Array, o: number, d: Datagram): void => {
  putStation(out, o, d.destination)
  putStation(out, o + 6, d.source)
  putU16(out, o + 12, isIpv4(d.source) && isIpv4(d.destination) ? 0x0800 : 0x86dd)
}

/** Multicast addresses map by RFC 1112 section 6.4 and RFC 2464 section 7: the all-hosts announcements go there. */
const putStation = (out: Uint8Array, o: number, address: Address): void => {
  const low = addressWord(address, 3)
  if (isIpv4(address) && low >>> 28 === 14) {
    putU16(out, o, 0x0100)
    putU32(out, o + 2, 0x5e000000 | (low & 0x7fffff))
  } else {
    putU16(out, o, !isIpv4(address) && address.charCodeAt(0) >>> 8 === 0xff ? 0x3333 : 0x0200)
    putU32(out, o + 2, low)
  }
}

type PcapHeader = Form & { readonly kind: "pcap" }

const MAGICS: ReadonlyMap<number, Omit<PcapHeader, "linkType"> & { readonly record: number }> = new Map([
  [0xa1b2c3d4, { kind: "pcap", order: "big", resolution: "microseconds", record: 16 }],
  [0xd4c3b2a1, { kind: "pcap", order: "little", resolution: "microseconds", record: 16 }],
  [0xa1b23c4d, { kind: "pcap", order: "big", resolution: "nanoseconds", record: 16 }],
  [0x4d3cb2a1, { kind: "pcap", order: "little", resolution: "nanoseconds", record: 16 }],
  // Kuznetzov's libpcap of the 1990s, which editcap still writes: interface, protocol and packet type follow each header.
  [0xa1b2cd34, { kind: "pcap", order: "big", resolution: "microseconds", record: 24 }],
  [0x34cdb2a1, { kind: "pcap", order: "little", resolution: "microseconds", record: 24 }],
])

/** Does a pcap file start here? */
export const isPcap = (bytes: Uint8Array): boolean => bytes.length >= 4 && MAGICS.has(u32(bytes, 0))

/** Steps through a pcap file of either byte order; see {@link toPcap} for its layout. */
export function* readPcap(bytes: Uint8Array, ports?: ReadonlySet<number>): Generator<CaptureItem, CaptureEnd> {
  const magic = MAGICS.get(u32(bytes, 0))
  if (magic === undefined || bytes.length < FILE_HEADER)
    return { ok: false, code: "capture-header", text: "the pcap file header is cut", offset: bytes.length }
  const little = magic.order === "little"
  const word = little ? (o: number) => u32le(bytes, o) : (o: number) => u32(bytes, o)
  const version = little ? bytes[4] | (bytes[5] << 8) : u16(bytes, 4)
  if (version !== 2) return { ok: false, code: "capture-header", text: `pcap version ${version} is not 2`, offset: 4 }
  // The upper 16 bits tell of frame check sequences; the IP lengths leave those out anyway.
  const linkType = word(20) & 0xffff
  const longest = Math.max(word(16), SNAPLEN)
  const scale = magic.resolution === "nanoseconds" ? 1 : 1000
  let o = FILE_HEADER
  while (o < bytes.length) {
    const from = o + magic.record
    const length = from <= bytes.length ? word(o + 8) : 0
    const end = from + length
    if (length > longest) {
      const text = `a record claims ${length} octets, the file allows ${longest}`
      yield { kind: "problem", severity: "warning", code: "file-corrupt", text, offset: o, end: bytes.length }
      break
    }
    if (end > bytes.length) {
      const text = `the file ends ${end - bytes.length} octets before its last record does`
      yield { kind: "problem", severity: "warning", code: "file-truncated", text, offset: o, end: bytes.length }
      break
    }
    const at = o
    const time = (): Timestamp => timeOf(word(at), word(at + 4) * scale)
    yield readFrame(bytes, { linkType, offset: o, from, to: end, end, time }, ports)
    o = end
  }
  return { ok: true, form: { kind: "pcap", order: magic.order, resolution: magic.resolution, linkType } }
}

/** Fractions of a second and more are the mark of a broken writer; they carry over. */
const timeOf = (seconds: number, nanoseconds: number): Timestamp =>
  nanoseconds < 1e9
    ? { seconds, nanoseconds }
    : { seconds: seconds + Math.floor(nanoseconds / 1e9), nanoseconds: nanoseconds % 1e9 }

const u32le = (bytes: Uint8Array, o: number): number =>
  (bytes[o] | (bytes[o + 1] << 8) | (bytes[o + 2] << 16) | (bytes[o + 3] << 24)) >>> 0
