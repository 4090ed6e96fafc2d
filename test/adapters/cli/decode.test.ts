import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import fc from "fast-check"
import { streamInput } from "../../../adapters/cli/input.ts"
import { toPcap } from "../../../core/wire/text/index.ts"
import { assertNoStack, COMMAND, mapRequest, octets, records, sallyport } from "./command.ts"

/** RFC 6886 section 3.3: map TCP 8080 for an hour. */
const NAT_PMP = "0002 0000 1f90 1f90 0000 0e10"

const NAT_PMP_TREE = `Packet 1
                               NAT-PMP map TCP request, 12 octets
0000  00                         Vers: 0 (NAT-PMP)
0001  02                         OP: 2 (map TCP request)
0002  00 00                      Reserved: zero
0004  1f 90                      Internal Port: 8080
0006  1f 90                      Suggested External Port: 8080
0008  00 00 0e 10                Requested Port Mapping Lifetime in Seconds:
                                   3600 s (1 h)
No findings.

`

describe("sallyport decode", { concurrency: 3 }, () => {
  let folder = ""
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sallyport-"))
  })
  after(() => rm(folder, { recursive: true }))
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }

  it("prints the tree beside the octets, from arguments", async () => {
    const { code, stdout, stderr } = await sallyport(["decode", ...NAT_PMP.split(" ")])
    assert.deepEqual([code, stdout, stderr], [0, NAT_PMP_TREE, "argument: read as hex digits\n"])
  })

  it("reads standard input in any form, with or without the dash", async () => {
    const dump = "00000000: 0002 0000 1f90 1f90 0000 0e10            ............\n"
    for (const [args, input] of [
      [[], dump],
      [["-"], octets(NAT_PMP)],
    ] as const) {
      const { code, stdout, stderr } = await sallyport(["decode", ...args], input)
      assert.deepEqual([code, stdout], [0, NAT_PMP_TREE])
      assert.match(stderr, /^standard input: read as (xxd|one message, octet for octet)\n$/)
    }
  })

  it("shows bits, long fields on several rows, and findings with their clause, within 80 columns", async () => {
    const request = mapRequest(5000, 7200)
    request[2] = 0x80
    const { code, stdout } = await sallyport(["decode", Buffer.from(request).toString("hex")])
    assert.equal(code, 0)
    assert.match(stdout, /^0001 {2}0\.\.\. \.\.\.\. +R: 0 \(request\)$/m)
    assert.match(stdout, /^0001 {2}\.000 0001 +Opcode: MAP \(1\)$/m)
    assert.match(
      stdout,
      /^0018 {2}01 02 03 04 05 06 07 08 +Mapping Nonce: 0102030405060708090a0b0c\n0020 {2}09 0a 0b 0c$/m,
    )
    assert.match(stdout, /^1 finding\n0002 {2}warning {2}RFC 6887 7\.1 {2}reserved bits are not zero$/m)
    assert.ok(stdout.split("\n").every((line) => line.length <= 80))
  })

  it("prints one JSON object a packet, whose leaves are all its octets", async () => {
    const path = await file("two.pcap", toPcap([{ bytes: mapRequest(1, 60) }, { bytes: octets(NAT_PMP) }]))
    const { code, stdout } = await sallyport(["decode", "--json", path])
    assert.equal(code, 0)
    const [map, natPmp] = records(stdout)
    assert.deepEqual([map.number, natPmp.number], [1, 2])
    assert.deepEqual(map.source, { address: "192.0.2.2", port: 49152 })
    assert.equal(natPmp.bytes, NAT_PMP.replaceAll(" ", ""))
    assert.ok(Array.isArray(natPmp.findings) && natPmp.findings.length === 0)
    const tree = natPmp.tree
    assert.ok(typeof tree === "object" && tree !== null && "children" in tree && Array.isArray(tree.children))
    const leaves: readonly { offset: number; length: number; value: number }[] = tree.children
    assert.deepEqual(
      leaves.map(({ offset, length, value }) => [offset, length, value]),
      [
        [0, 1, 0],
        [1, 1, 2],
        [2, 2, 0],
        [4, 2, 8080],
        [6, 2, 8080],
        [8, 4, 3600],
      ],
    )
  })

  it("prints values of Wireshark's fields with tabs between", async () => {
    const path = await file("fields.pcap", toPcap([{ bytes: mapRequest(5000, 60) }, { bytes: octets("0000") }]))
    const names = "frame.number,ip.src,udp.dstport,portcontrol.map.nonce,portcontrol.lifetime_req,nat-pmp.opcode"
    const { code, stdout } = await sallyport(["decode", path, "--fields", names])
    const lines = ["1\t192.0.2.2\t5351\t0102030405060708090a0b0c\t60\t", "2\t192.0.2.2\t5351\t\t\t0", ""]
    assert.deepEqual([code, stdout], [0, lines.join("\n")])
  })

  for (const [name, input, where] of [
    ["a word that is no octets", "00 02 hello", /cannot read argument: .*at line 1, column \d+\n$/],
    ["half an octet", "000", /cannot read argument: .*at line 1, column \d+\n$/],
    [
      "a file that is not there",
      "./nothing.pcap",
      /^sallyport: cannot read argument: "\.\/nothing\.pcap" is no file, and as text: .*\n$/,
    ],
    ["nothing", "", /cannot read argument: there is nothing in it/],
  ] as const) {
    it(`says what it can't read and where, and ends with 1: ${name}`, async () => {
      const { code, stdout, stderr } = await sallyport(["decode", input])
      assert.deepEqual([code, stdout], [1, ""])
      assert.match(stderr, where)
      assertNoStack(stderr)
    })
  }

  it("does not say of a file which is there that it is no file", async () => {
    const path = await file("cut.pcapng", octets("0a0d0d0a 1c000000"))
    const { code, stderr } = await sallyport(["decode", path])
    assert.equal(code, 1)
    assert.match(stderr, /cannot read .*cut\.pcapng: the pcapng section header is cut/)
  })

  it("gives up a stream without an end, and no memory with it", async () => {
    let given = 0
    async function* endless() {
      for (;;) {
        given++
        yield new Uint8Array(1000)
      }
    }
    const items = []
    for await (const item of streamInput("endless", endless(), 10_000).items()) items.push(item)
    assert.deepEqual(
      items.map(({ kind }) => kind),
      ["failure"],
    )
    assert.equal(given, 11)
  })

  it("prints what a cut capture holds, says where it ends, and ends with 5", async () => {
    const whole = toPcap([{ bytes: mapRequest(1, 60) }, { bytes: mapRequest(2, 60) }])
    const path = await file("cut.pcap", whole.subarray(0, whole.length - 7))
    for (const [args, input] of [
      [[path], ""],
      [[], whole.subarray(0, whole.length - 7)],
    ] as const) {
      const { code, stdout, stderr } = await sallyport(["decode", ...args, "--fields", "frame.number"], input)
      assert.deepEqual([code, stdout], [5, "1\n"])
      assert.match(
        stderr,
        /cannot read the rest of .*: the file ends 7 octets before its last record does, at octet 128\n$/,
      )
    }
  })

  it("says how many packets of a capture it left out, and why", async () => {
    const other = { sourcePort: 1000, destinationPort: 2000 }
    const path = await file("other.pcap", toPcap([{ bytes: octets("0000"), ...other }, { bytes: octets("0000") }]))
    const { code, stdout, stderr } = await sallyport(["decode", path, "--fields", "frame.number"])
    assert.deepEqual([code, stdout], [0, "1\n"])
    assert.match(stderr, /left out 1 packet: UDP, but neither from nor to port 5350, 5351, 3359, 3435 or 4789/)
  })

  it("ends quietly when nobody reads on", async () => {
    const path = await file("many.pcap", toPcap(Array.from({ length: 3000 }, () => ({ bytes: mapRequest(1, 60) }))))
    const child = spawn(COMMAND[0], [...COMMAND.slice(1), "decode", path], { stdio: ["ignore", "pipe", "pipe"] })
    let stderr = ""
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk)
    })
    child.stdout.once("data", () => child.stdout.destroy())
    await once(child, "close")
    assert.equal(child.exitCode, 0)
    assert.doesNotMatch(stderr, /EPIPE/)
    assertNoStack(stderr)
  })

  it("ends with 4 when its output can't be written", async () => {
    const child = spawn("sh", ["-c", 'exec "$@" > /dev/full', "sh", ...COMMAND, "decode", "0000"], { stdio: "pipe" })
    let stderr = ""
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk)
    })
    await once(child, "close")
    assert.equal(child.exitCode, 4)
    assert.match(stderr, /cannot write standard output: no space is left/)
  })

  it("ends with 0, 1 or 5 whatever it is given, and never shows a stack", async () => {
    const inputs = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: "binary", maxLength: 200 }))
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const { code, stderr } = await sallyport(["decode"], input)
        assert.ok(code === 0 || code === 1 || code === 5, `${code} ${stderr}`)
        assertNoStack(stderr)
      }),
      { numRuns: 5 },
    )
  })
})
