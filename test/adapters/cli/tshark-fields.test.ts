import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { WIRESHARK_NAMES } from "../../../adapters/cli/wireshark-names.ts"
import { toPcap } from "../../../core/wire/text/index.ts"
import { mapRequest, octets, sallyport } from "./command.ts"

const tshark = (...args: readonly string[]): string =>
  execFileSync("tshark", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 })

const isInstalled = (): boolean => {
  try {
    tshark("--version")
    return true
  } catch {
    assert.notEqual(process.env.CI, "true", "tshark is missing: install Debian's package tshark")
    return false
  }
}

const skip = isInstalled() ? false : "tshark is missing: install Debian's package tshark"

const PACKETS = [
  mapRequest(5000, 7200),
  mapRequest(0, 0, "ff".repeat(12), 0),
  octets(
    "02810000 00000e10 00000005 000000000000000000000000 0102030405060708090a0b0c 06000000 0050 1f90 00000000000000000000ffffcb007101",
  ),
  octets(
    "02010000 00000e10 00000000000000000000ffff7f000001 0102030405060708090a0b0c 06000000 0050 1f90 00000000000000000000ffffcb007101 03000014 0080 01bb 00000000000000000000ffffc0000201 02000000",
  ),
  octets("0000"),
  octets("0002 0000 1f90 1f90 0000 0e10"),
  octets("0081 0000 0000 0005 1388 1389 00001c20"),
]

describe("decode --fields beside tshark -T fields", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-"))
  after(() => rmSync(folder, { recursive: true }))

  it("knows the names that tshark knows, and no others", () => {
    const names = tshark("-G", "fields")
      .split("\n")
      .map((line) => line.split("\t"))
      .filter(([kind, , name]) => kind === "F" && /^(portcontrol|nat-pmp)\./.test(name))
      .map(([, , name]) => name)
    assert.deepEqual([...WIRESHARK_NAMES].sort(), names.sort())
  })

  it("prints the same lines", async () => {
    const names = [
      ...["frame.number", "frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "udp.srcport", "udp.dstport"],
      ...["portcontrol.version", "portcontrol.opcode", "portcontrol.lifetime_req", "portcontrol.lifetime_rsp"],
      ...["portcontrol.client_ip", "portcontrol.epoch_time", "portcontrol.map.nonce", "portcontrol.map.protocol"],
      ...["portcontrol.map.internal_port", "portcontrol.map.rsp_assigned_ext_ip", "portcontrol.option.code"],
      ...["portcontrol.option.filter.prefix_length", "portcontrol.option.filter.remote_peer_ip"],
      ...["nat-pmp.version", "nat-pmp.opcode", "nat-pmp.internal_port", "nat-pmp.pml", "nat-pmp.sssoe"],
    ]
    const path = join(folder, "packets.pcap")
    const at = { seconds: 1_795_000_000, nanoseconds: 123_456_000 }
    writeFileSync(path, toPcap(PACKETS.map((bytes) => ({ bytes, at }))))
    const expected = tshark("-r", path, "-T", "fields", ...names.flatMap((name) => ["-e", name]))
    const { code, stdout } = await sallyport(["decode", path, "--fields", names.join(",")])
    assert.equal(code, 0)
    assert.equal(stdout, expected)
  })
})
