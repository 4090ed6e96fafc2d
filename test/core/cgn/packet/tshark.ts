/** tshark as the judge of translated packets: a capture of raw IP, with every checksum check on. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { octets, w32 } from "./build.ts"

/** The first line of `tshark --version`, or nothing when it cannot be run. */
export const tsharkVersion = (): string | undefined => {
  try {
    const stdout = execFileSync("tshark", ["--version"], { stdio: ["ignore", "pipe", "ignore"] })
    return stdout.toString().split("\n", 1)[0]
  } catch {
    return undefined
  }
}

/** What tshark says of one packet; of an ICMP error, of the packet in it too. */
export interface Judgement {
  /** Of IPv4, ICMP and ICMPv6, by Wireshark's names: 0 bad, 1 good, 2 not to be verified, 3 not there. */
  readonly network: readonly string[]
  /** Of transport protocols. */
  readonly transport: readonly string[]
  /** `ip:icmp:ip:udp`. */
  readonly protocols: string
}

const STATUS = ["ip", "icmp", "icmpv6", "tcp", "udp", "sctp", "dccp"].map((name) => `${name}.checksum.status`)
const CHECKS = [
  "ip.check_checksum",
  "tcp.check_checksum",
  "udp.check_checksum",
  "udplite.check_checksum",
  "dccp.check_checksum",
]

/** Runs tshark once over all packets; `defragment`: the last of a packet's fragments is judged as the whole packet. */
export const judge = (packets: readonly Uint8Array[], defragment = false): Judgement[] => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-packets-"))
  try {
    const file = join(folder, "packets.pcap")
    // draft-ietf-opsawg-pcap: LINKTYPE_RAW, big-endian.
    const head = [0xa1b2c3d4, 0x00020004, 0, 0, 262144, 101].flatMap(w32)
    writeFileSync(
      file,
      octets(head, ...packets.map((bytes, i) => octets(w32(i), w32(0), w32(bytes.length), w32(bytes.length), bytes))),
    )
    const options = [
      ...CHECKS.map((name) => `${name}:TRUE`),
      "sctp.checksum:CRC 32c",
      "udplite.ignore_checksum_coverage:FALSE",
    ]
    const fields = ["frame.protocols", ...STATUS]
    const args = [
      ...["-n", "-r", file, "-T", "fields", "-E", "aggregator=|", "-E", "separator=/t"],
      ...["-o", "tcp.analyze_sequence_numbers:FALSE"],
      ...["ip", "ipv6"].flatMap((name) => ["-o", `${name}.defragment:${defragment ? "TRUE" : "FALSE"}`]),
      ...options.flatMap((option) => ["-o", option]),
      ...fields.flatMap((field) => ["-e", field]),
    ]
    const stdout = execFileSync("tshark", args, { stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28 }).toString()
    return stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => {
        const [protocols, ...columns] = line.split("\t")
        const values = columns.map((text) => (text === "" ? [] : text.split("|")))
        return { protocols, network: values.slice(0, 3).flat(), transport: values.slice(3).flat() }
      })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
