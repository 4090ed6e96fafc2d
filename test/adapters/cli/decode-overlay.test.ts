import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { parseAddress } from "../../../core/wire/index.ts"
import { toPcap } from "../../../core/wire/text/index.ts"
import { hex, toHex } from "../../core/wire/hex.ts"
import { records, sallyport } from "./command.ts"

const ARP = "ffffffffffff deadbeef0001 0806 0001 0800 06 04 0001 deadbeef0001 0a373703 000000000000 0a373702"
const VXLAN = hex(`08000000 00001700 ${ARP}`)
const VL2 = "00010003 0000000c 00000001 12bb7dbf deadbeef00000000 00000017"

describe("sallyport decode of overlays", () => {
  let folder = ""
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sallyport-"))
  })
  after(() => rm(folder, { recursive: true }))

  it("B8: knows VXLAN by its octets, and takes the frame inside apart", async () => {
    const { code, stdout } = await sallyport(["decode", toHex(VXLAN)])
    assert.equal(code, 0)
    assert.match(stdout, /Virtual eXtensible Local Area Network, 50 octets/)
    assert.match(stdout, /^0004 {2}00 00 17 +VXLAN Network Identifier: 23$/m)
    assert.match(stdout, /^0014 {2}08 06 +Type: 0x0806 \(ARP\)$/m)
    assert.match(stdout, /10\.55\.55\.2/)
    assert.match(stdout, /No findings/)
  })

  it("B6: knows SVP by its CRC", async () => {
    const { code, stdout } = await sallyport(["decode", VL2])
    assert.equal(code, 0)
    assert.match(stdout, /SVP/)
    assert.match(stdout, /de:ad:be:ef:00:00/)
    assert.match(stdout, /No findings/)
    const wrong = await sallyport(["decode", VL2.replace("12bb7dbf", "12bb7dbe")])
    assert.doesNotMatch(wrong.stdout, /SVP/)
  })

  it("knows VXLAN by its port in a capture, whatever it is, and says what is wrong with it", async () => {
    const [source, destination] = [parseAddress("192.0.2.2"), parseAddress("192.0.2.1")]
    const to = (destinationPort: number, bytes: Uint8Array) => ({
      bytes,
      source: source ?? assert.fail(),
      sourcePort: 40000,
      destination: destination ?? assert.fail(),
      destinationPort,
    })
    const path = join(folder, "overlay.pcap")
    const bad = [VXLAN.with(0, 0), VXLAN.with(7, 1), VXLAN.subarray(0, 12), VXLAN.subarray(0, 5)]
    await writeFile(
      path,
      toPcap([to(4789, VXLAN), to(5351, hex("0002 0000 1f90 1f90 0000 0e10")), ...bad.map((one) => to(4789, one))]),
    )
    const { code, stdout } = await sallyport(["decode", "--json", path])
    assert.equal(code, 0)
    assert.deepEqual(
      records(stdout).map(({ tree, findings }) => [
        typeof tree === "object" && tree !== null && "text" in tree ? tree.text : "",
        Array.isArray(findings) ? findings.map((one: { readonly code: unknown }) => one.code) : [],
      ]),
      [
        ["Virtual eXtensible Local Area Network, 50 octets", []],
        ["NAT-PMP map TCP request, 12 octets", []],
        ["Virtual eXtensible Local Area Network, 50 octets", ["value"]],
        ["Virtual eXtensible Local Area Network, 50 octets", ["vxlan-reserved"]],
        ["Virtual eXtensible Local Area Network, 12 octets", ["vxlan-frame"]],
        ["Virtual eXtensible Local Area Network, 5 octets", ["too-short"]],
      ],
    )
  })
})
