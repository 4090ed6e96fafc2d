import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { parseAddress } from "../../../core/wire/index.ts"
import { toPcap } from "../../../core/wire/text/index.ts"
import { FLOW_REQUEST, OECHO_HASH } from "../../core/flow/vectors.ts"
import { hex, toHex } from "../../core/wire/hex.ts"
import { records, sallyport } from "./command.ts"

describe("sallyport decode of flow allocation", () => {
  let folder = ""
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sallyport-"))
  })
  after(() => rm(folder, { recursive: true }))

  it("A5: knows a management message by its octets", async () => {
    const { code, stdout } = await sallyport(["decode", toHex(FLOW_REQUEST)])
    assert.equal(code, 0)
    assert.match(stdout, /Ouroboros FLOW_REQ, 63 octets/)
    assert.match(stdout, /^002c {2}01 +Code: FLOW_REQ \(1\)$/m)
    assert.ok(stdout.includes(OECHO_HASH))
    assert.match(stdout, /No findings/)
  })

  it("A2, A5: knows both forms by their ports in a capture, and PCP beside them", async () => {
    const [source, destination] = [parseAddress("192.0.2.2"), parseAddress("192.0.2.1")]
    const between = (sourcePort: number, destinationPort: number, bytes: Uint8Array) => ({
      bytes,
      source: source ?? assert.fail(),
      sourcePort,
      destination: destination ?? assert.fail(),
      destinationPort,
    })
    const path = join(folder, "flows.pcap")
    const packets = [
      between(40000, 3359, new TextEncoder().encode("oecho")),
      between(3435, 3435, FLOW_REQUEST),
      between(3435, 3435, hex("00000041 6869")),
      between(40000, 5351, hex("0002 0000 1f90 1f90 0000 0e10")),
      between(40000, 53, hex("00")),
    ]
    await writeFile(path, toPcap(packets))
    const { code, stdout, stderr } = await sallyport(["decode", "--json", path])
    assert.equal(code, 0)
    assert.deepEqual(
      records(stdout).map(({ tree }) => (typeof tree === "object" && tree !== null && "text" in tree ? tree.text : "")),
      [
        "Ouroboros flow request of the first form, 5 octets",
        "Ouroboros FLOW_REQ, 63 octets",
        "Ouroboros flow message, 6 octets",
        "NAT-PMP map TCP request, 12 octets",
      ],
    )
    assert.match(stderr, /left out 1 packet/)
    const columns = await sallyport(["decode", path, "--fields", "frame.number,udp.dstport,nat-pmp.opcode"])
    assert.deepEqual(columns.stdout, "1\t3359\t\n2\t3435\t\n3\t3435\t\n4\t5351\t2\n")
  })
})
