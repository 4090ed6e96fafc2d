import { createHash } from "node:crypto"
import {
  askedByArp,
  askedByNdp,
  crc32,
  createSvpRemote,
  createSvpServer,
  describeOverlay,
  dissectFrame,
  dissectSvp,
  dissectVxlan,
  encodeArp,
  encodeDhcp,
  encodeEthernet,
  encodeInstance,
  encodeNeighbor,
  encodeSvp,
  encodeUdp4,
  encodeVxlan,
  INSTANCE_HEADER,
  isDhcpBroadcast,
  macOf,
  type OverlayParsed,
  parseArp,
  parseDhcp,
  parseEthernet,
  parseInstance,
  parseNeighbor,
  parseSvp,
  parseUdp4,
  parseVxlan,
  publishEnd,
  queryOf,
  readFilesTable,
  readSvpHosts,
  receiveSvp,
  replyToArp,
  replyToNdp,
  type SvpBody,
  stepSvp,
  stepSvpServer,
  takeOverlayApart,
  unpackNvlist,
} from "../../core/overlay/index.ts"
import { type Dissection, type Encoded, walk } from "../../core/wire/index.ts"
import { hexAt } from "../core/server/model-message.ts"
import { address, type Target } from "./target.ts"

const octets = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

const mac = macOf(0xdeadbeef0001)
const target = { address: address("10.88.88.69"), port: 4789 }
const bytesOf = (encoded: Encoded): Uint8Array => (encoded.ok ? encoded.bytes : new Uint8Array(0))
const svp = (body: SvpBody, version = 1): Uint8Array => bytesOf(encodeSvp({ version, id: 1, body }))

const ARP = octets("ffffffffffff deadbeef0001 0806 0001 0800 06 04 0001 deadbeef0001 0a373703 000000000000 0a373702")
const NDP = octets(
  "3333ff000003 deadbeef0001 86dd 6000000000203aff fe800000000000000000000000000004 ff0200000000000000000001ff000003" +
    "8700 0000 00000000 fe800000000000000000000000000003 0101 deadbeef0001",
)
const DHCP = Uint8Array.of(
  ...octets(
    "ffffffffffff deadbeef0001 0800 4500014800000000 4011 79a6 00000000 ffffffff 0044 0043 0134 0000 01010600 00000001",
  ),
  ...new Uint8Array(228),
  ...octets("63825363 350101 ff"),
  ...new Uint8Array(56),
)
const TAGGED = octets(`deadbeef0002 deadbeef0001 8100 0005 0800 ${"45".repeat(46)}`)
const TEXTS = [
  '{"de:ad:be:ef:0:1":{"ip":"10.88.88.69","port":4789,"arp":"10.55.55.2","ndp":"fe80::3","dhcp-proxy":"2:0:0:0:0:1","expires":9}}',
  '{"23":{"de:ad:be:ef:0:1":{"ip":"10.88.88.69","port":4789,"vlan":5}}}',
].map((text) => new TextEncoder().encode(text))

const FRAMES = [ARP, NDP, DHCP, TAGGED]
const VXLANS = FRAMES.map((frame) => bytesOf(encodeVxlan({ vnetid: 23, frame })))
const uuid = "0123456789abcdef".repeat(2)
const SVPS = [
  svp({ kind: "ping" }),
  svp({ kind: "pong" }, 2),
  svp({ kind: "vl2-request", mac, pad: 0, vnetid: 23 }),
  svp({ kind: "vl2-ack", status: 0, ...target }),
  svp({ kind: "vl3-request", address: address("fe80::3"), type: 2, vnetid: 23 }),
  svp({ kind: "vl3-ack", status: 0, mac, ...target }),
  svp({ kind: "bulk-request", type: 1 }),
  svp({ kind: "log-request", count: 1024, address: target.address }),
  svp({
    kind: "log-ack",
    status: 0,
    records: [
      { kind: "vl2", uuid, mac, pad: 0, vnetid: 23 },
      { kind: "vl3", uuid, address: address("10.55.55.2"), pad: 0, vlan: 5, vnetid: 23 },
    ],
    rest: new Uint8Array(0),
  }),
  svp({ kind: "log-remove", uuids: [uuid, uuid] }),
  svp({ kind: "log-remove-ack", status: 0 }),
]
const FILE = bytesOf(
  encodeInstance({
    id: 7,
    link: 5,
    destination: 6,
    mode: "dynamic",
    plugin: "svp",
    saved: { "svp/host": "svp.example", "svp/port": 1296, "svp/underlay_ip": "::1" },
  }),
)
const SAMPLES: readonly Uint8Array[] = [...FRAMES, ...VXLANS, ...SVPS, FILE, ...TEXTS]

/** The input itself, or a sample with a few octets as the input says; every other one of those with its digest put right. */
const sampleOf = (bytes: Uint8Array, index: number): Uint8Array => {
  if (index % 4 === 0 || bytes.length < 3) return bytes
  const sample = SAMPLES[(index >> 2) % SAMPLES.length].slice(0, index % 5 === 0 ? (bytes[0] * 7) % 400 : undefined)
  if (sample.length === 0) return sample
  for (let at = 0; at + 3 <= bytes.length && at < 3 * (index % 9); at += 3)
    sample[(bytes[at] * 256 + bytes[at + 1]) % sample.length] = bytes[at + 2]
  if (index % 2 === 0) repair(sample)
  return sample
}

const repair = (bytes: Uint8Array): void => {
  if (bytes.length > INSTANCE_HEADER && bytes[0] === 0x76)
    bytes.set(createHash("md5").update(bytes.subarray(INSTANCE_HEADER)).digest(), 8)
  else if (bytes.length >= 16 && bytes[0] === 0) {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    view.setUint32(4, bytes.length - 16)
    view.setUint32(12, 0)
    view.setUint32(12, crc32(bytes))
  }
}

/** A reader, and the writer of what it reads. */
const PAIRS: readonly ((bytes: Uint8Array) => string | undefined)[] = [
  (bytes) => same("ethernet", bytes, parseEthernet(bytes), encodeEthernet),
  (bytes) => same("arp", bytes, parseArp(bytes), encodeArp),
  (bytes) => same("neighbor", bytes, parseNeighbor(bytes), encodeNeighbor),
  (bytes) => same("udp4", bytes, parseUdp4(bytes), encodeUdp4),
  (bytes) => same("dhcp", bytes, parseDhcp(bytes), encodeDhcp),
  (bytes) => same("vxlan", bytes, parseVxlan(bytes), encodeVxlan),
  (bytes) => same("svp", bytes, parseSvp(bytes), encodeSvp),
]

const same = <T>(
  name: string,
  bytes: Uint8Array,
  parsed: OverlayParsed<T>,
  encode: (value: T) => Encoded,
): string | undefined => {
  if (!parsed.ok) {
    const { offset } = parsed.error
    return offset >= 0 && offset <= bytes.length ? undefined : `${name} fails at ${offset}`
  }
  const encoded = encode(parsed.value)
  if (!encoded.ok) return `${name} is read and cannot be written: ${encoded.error.text}`
  return hexAt(encoded.bytes, 0, encoded.bytes.length) === hexAt(bytes, 0, bytes.length)
    ? undefined
    : `${name} is written in other octets`
}

const whole = (name: string, dissection: Dissection, index: number): string | undefined => {
  const { root, bytes } = dissection
  if (root.offset !== 0 || root.length !== bytes.length) return `${name} covers ${root.length} octets`
  if (index % 16 === 0)
    for (const node of walk(root)) if (/\p{Cc}/u.test(describeOverlay(dissection, node))) return `${name} has controls`
  return undefined
}

/** Every reader of overlays, the proxies, and SVP's two ends, which live on from input to input. */
export const overlayTarget = (): Target => {
  const made = createSvpRemote({ host: "h", port: 1, underlay: target.address, seed: Uint8Array.of(1), now: 0 })
  const [resolved] = stepSvp(made, { type: "resolved", addresses: [target.address], now: 0 })
  const fresh = stepSvp(resolved, { type: "connected", connection: 1, now: 0 })[0]
  const begun = createSvpServer({ seed: Uint8Array.of(2), now: 0 })
  const host = { vnetid: 23, mac, target, arp: address("10.55.55.2"), ndp: address("fe80::3"), vlan: 0 }
  const known = stepSvpServer(begun, { type: "put", host, now: 0 })[0]
  let [client, server] = [fresh, known]
  return (input, index) => {
    const bytes = sampleOf(input, index)
    for (const pair of PAIRS) {
      const wrong = pair(bytes)
      if (wrong !== undefined) return wrong
    }
    const wrong =
      whole("frame", dissectFrame(bytes), index) ??
      whole("vxlan", dissectVxlan(bytes), index) ??
      whole("svp", dissectSvp(bytes), index)
    if (wrong !== undefined) return wrong
    takeOverlayApart(bytes)?.findings()
    takeOverlayApart(bytes, { destinationPort: 4789 })?.findings()
    const file = parseInstance(bytes)
    if (!file.ok && file.error.offset > bytes.length) return `a file fails at ${file.error.offset}`
    unpackNvlist(bytes)
    const query = queryOf(bytes)
    if (query !== undefined) {
      if ((askedByArp(query, bytes) !== undefined) !== (replyToArp(query, bytes, mac) !== undefined))
        return "no ARP reply"
      if ((askedByNdp(query, bytes) !== undefined) !== (replyToNdp(query, bytes, mac) !== undefined))
        return "no NDP reply"
      isDhcpBroadcast(query, bytes)
    }
    // What is no text is read as such now and then.
    if (bytes[0] === 0x7b || index % 8 === 0) {
      const text = new TextDecoder().decode(bytes)
      readFilesTable(text)
      readSvpHosts(text)
      publishEnd(text, mac, target)
    }
    if (receiveSvp(new Uint8Array(0), bytes, 1024).held.length > 1040) return "SVP holds more than a message"
    if (index % 64 === 0) [client, server] = [fresh, known]
    if (client.connections.get(1)?.phase !== "active") client = fresh
    client = stepSvp(client, {
      type: "ask",
      query: index,
      question: { kind: "vl2", vnetid: 23, mac },
      now: index % 64,
    })[0]
    client = stepSvp(client, { type: "data", connection: 1, bytes, now: index % 64 })[0]
    if (!server.sessions.has(1)) server = stepSvpServer(server, { type: "accepted", connection: 1, now: 0 })[0]
    const [next, effects] = stepSvpServer(server, { type: "data", connection: 1, bytes, now: 0 })
    for (const effect of effects)
      if (effect.type === "send" && receiveSvp(new Uint8Array(0), effect.bytes, 1024).error !== undefined)
        return "the server's answer cannot be read"
    server = next
    return undefined
  }
}
