import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { describe, test } from "node:test"
import { Command } from "commander"
import fc from "fast-check"
import { mapCommand } from "../../adapters/cli/client/map.ts"
import type { InboundOptions } from "../../adapters/cli/client/mapping-options.ts"
import { inboundOf } from "../../adapters/cli/client/mapping-request.ts"
import { readTarget } from "../../adapters/cli/client/target.ts"
import { VECTOR_FILE } from "../../adapters/conformance/schema.ts"
import { fill, match } from "../../adapters/conformance/template.ts"
import { createClient, step } from "../../core/client/index.ts"
import { toHex, toHexdump } from "../../core/wire/text/index.ts"
import { build } from "../../playground/model/edit/index.ts"
import {
  EXPORTS,
  exportCapture,
  exportPacket,
  literal,
  requestCommand,
  vectorFile,
} from "../../playground/model/export/index.ts"
import { shellWord } from "../../playground/model/export/shell.ts"
import { open } from "../../playground/model/open/index.ts"
import { canonicalBytes } from "../core/wire/arbitrary.ts"
import { address, hex, MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST, NATPMP_MAP_RESPONSE } from "./packets.ts"

const packet = (bytes: Uint8Array) => ({ bytes, direction: undefined })

/** What a shell makes of a line: its words. */
const words = (line: string): readonly string[] => {
  const run = spawnSync("sh", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" })
  assert.equal(run.status, 0, run.stderr)
  return run.stdout.split("\0").slice(0, -1)
}

const lineOf = (bytes: Uint8Array): string => requestCommand(bytes)?.line ?? assert.fail("no command")

describe("exporting a packet", () => {
  test("each language's own form", () => {
    const bytes = hex("020100ff")
    assert.equal(literal(bytes, "c"), "static const unsigned char packet[4] = {\n    0x02, 0x01, 0x00, 0xff,\n};\n")
    assert.equal(literal(bytes, "go"), "var packet = []byte{\n\t0x02, 0x01, 0x00, 0xff,\n}\n")
    assert.equal(literal(bytes, "python"), 'packet = bytes.fromhex(\n    "02 01 00 ff "\n)\n')
    assert.equal(
      literal(bytes, "typescript"),
      "export const packet = new Uint8Array([\n  0x02, 0x01, 0x00, 0xff,\n])\n",
    )
  })

  test("whatever is exported opens as the same packet", () => {
    fc.assert(
      fc.property(canonicalBytes, (bytes) => {
        for (const format of ["hex", "hexdump", "c", "typescript", "python", "go", "pcap"] as const) {
          const exported = exportPacket(packet(bytes), format)
          assert.ok(exported.ok)
          const opened = open(exported.content)
          assert.deepEqual(
            opened.packets.map((one) => toHex(one.bytes)),
            [toHex(bytes)],
            format,
          )
        }
      }),
      { numRuns: 50 },
    )
  })

  test("a capture keeps ends and times to the nanosecond", () => {
    const given = {
      bytes: MAP_REQUEST,
      direction: "request" as const,
      at: { seconds: 1700000000, nanoseconds: 123456789 },
      source: { address: address("2001:db8::1"), port: 40000 },
      destination: { address: address("2001:db8::2"), port: 5351 },
    }
    const [{ bytes, at, source, destination }] = open(exportCapture([given])).packets
    assert.deepEqual({ bytes, direction: "request", at, source, destination }, given)
  })

  test("every format of the menu has something to say of every packet", () => {
    for (const { format } of EXPORTS)
      for (const bytes of [MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST, new Uint8Array(0), hex("07")]) {
        const exported = exportPacket(packet(bytes), format)
        if (!exported.ok) assert.ok(exported.text.length > 10)
      }
    const dump = exportPacket(packet(MAP_REQUEST), "hexdump")
    assert.ok(dump.ok && dump.content === toHexdump(MAP_REQUEST))
  })
})

describe("a test vector", () => {
  test("is one that the schema takes, whose request and answer are the packets", () => {
    const vector = vectorFile(MAP_REQUEST, MAP_RESPONSE)
    assert.ok(vector.ok)
    const file = VECTOR_FILE.parse(JSON.parse(vector.text))
    const [one] = file.cases
    const [ask] = one.steps
    assert.ok("send" in ask && typeof ask.expect === "string")
    const client = new Map([["client", MAP_REQUEST.slice(8, 24)]])
    const sent = fill(ask.send, client)
    assert.ok(sent.ok && "bytes" in sent)
    assert.equal(toHex(sent.bytes), toHex(MAP_REQUEST))
    assert.ok(match(ask.expect, MAP_RESPONSE, client).ok)
    const later = MAP_RESPONSE.slice()
    later.set([1, 2, 3, 4], 8)
    later.set([9, 9], 42)
    assert.ok(match(ask.expect, later, client).ok, "another epoch and port")
    later[3] = 8
    assert.ok(!match(ask.expect, later, client).ok, "another result")
  })

  test("NAT-PMP, an answer that is not known, and a response alone", () => {
    const natPmp = vectorFile(NATPMP_MAP_REQUEST, NATPMP_MAP_RESPONSE)
    assert.ok(natPmp.ok)
    VECTOR_FILE.parse(JSON.parse(natPmp.text))
    const open = vectorFile(MAP_REQUEST)
    assert.ok(open.ok)
    const [one] = VECTOR_FILE.parse(JSON.parse(open.text)).cases[0].steps
    assert.ok("expect" in one && typeof one.expect === "string" && match(one.expect, MAP_RESPONSE, new Map()).ok)
    assert.ok(!vectorFile(MAP_RESPONSE).ok)
  })

  test("any request gives a file that the schema takes", () => {
    fc.assert(
      fc.property(canonicalBytes, canonicalBytes, (request, answer) => {
        const vector = vectorFile(request, answer)
        if (vector.ok) VECTOR_FILE.parse(JSON.parse(vector.text))
      }),
    )
  })
})

describe("a command line", () => {
  /** What the command would send: its own reading of the line, given to the client machine. */
  const sentBy = (line: string): Uint8Array => {
    const [name, command, ...args] = words(line)
    assert.deepEqual([name, command], ["sallyport", "map"])
    const map = new Command("map")
    mapCommand(map)
    const { operands, unknown } = map.parseOptions([...args])
    assert.deepEqual(unknown, [])
    const target = readTarget(operands[0])
    assert.ok(target.ok)
    const options: InboundOptions = map.opts()
    const wanted = inboundOf(target.value, options)
    assert.ok(wanted.ok, wanted.ok ? "" : wanted.text)
    const servers = [
      { name: "s", protocol: "pcp" as const, ends: [{ address: address("10.0.0.254"), client: address("10.0.0.1") }] },
    ]
    const made = createClient({ seed: new Uint8Array(32), now: 0, servers })
    assert.ok(made.ok)
    const { request } = wanted.value
    const [, effects] = step(made.state, { type: "request", now: 0, id: "m", request, nonce: options.nonce })
    const sent = effects.find((effect) => effect.type === "send")
    return sent?.type === "send" ? sent.bytes : assert.fail(JSON.stringify(effects))
  }

  test("map with every option that it has asks for the same packet", () => {
    assert.equal(toHex(sentBy(lineOf(MAP_REQUEST)).subarray(0, 60)), toHex(MAP_REQUEST.subarray(0, 60)))
    const options = [
      { kind: "PREFER_FAILURE" as const, values: {} },
      { kind: "FILTER" as const, values: { prefix: "2001:db8::/32", remotePort: "443" } },
      { kind: "DESCRIPTION" as const, values: { text: 'it\'s $HOME; `rm` \\ "%s"' } },
    ]
    const built = build("map-request", { lifetime: "600", externalPort: "41000", external: "203.0.113.9" }, options)
    assert.ok(built.ok)
    const [asked, wanted] = [sentBy(lineOf(built.bytes)), built.bytes].map((bytes) => toHex(bytes))
    // The client puts options in an order of its own.
    assert.equal(asked.slice(0, 120), wanted.slice(0, 120))
    assert.equal([...asked].sort().join(""), [...wanted].sort().join(""))
  })

  test("each request's own command", () => {
    const line = (name: Parameters<typeof build>[0], values = {}) => {
      const built = build(name, values)
      assert.ok(built.ok)
      return lineOf(built.bytes)
    }
    assert.equal(
      line("peer-request"),
      "sallyport peer 8080/tcp 198.51.100.7:443 --external-port 0 --lifetime 7200 --nonce 6e6f6e63652d6f6e652d3131 --pcp",
    )
    assert.equal(line("announce-request"), "sallyport announce --pcp")
    assert.equal(
      line("map-request", { lifetime: "0" }),
      "sallyport unmap 8080/tcp --nonce 6e6f6e63652d6f6e652d3131 --pcp",
    )
    assert.equal(line("natpmp-address-request"), "sallyport external --nat-pmp")
    assert.equal(line("natpmp-map-request"), "sallyport map 8080/tcp --external-port 8080 --lifetime 7200 --nat-pmp")
    assert.match(line("map-request", { protocol: "all", internalPort: "0" }), /^sallyport map all --/)
    assert.match(line("map-request", { protocol: "gre", internalPort: "0" }), /^sallyport map gre --/)
    assert.equal(requestCommand(MAP_RESPONSE), undefined)
  })

  test("what the command cannot say is said", () => {
    const built = build("map-request", {}, [
      { kind: "unknown", values: {} },
      { kind: "FILTER", values: { prefix: "none" } },
    ])
    assert.ok(built.ok)
    const exported = exportPacket(packet(built.bytes), "request")
    assert.ok(exported.ok && exported.note === "the command has no option for option 200, FILTER")
  })

  test("any text is one word of the shell, and no control character is in the line", () => {
    const texts = fc
      .string({ unit: "grapheme", maxLength: 12 })
      .filter((text) => !text.includes("\0") && !text.endsWith("\n"))
    const awkward = fc.constantFrom("'", "''", "a b", "\u001b[2J", "\n'x", "$(id)", "`id`", "!", "%d", "\\n", "é")
    fc.assert(
      fc.property(fc.oneof(texts, awkward), (text) => {
        const word = shellWord(text)
        assert.deepEqual(words(word), [text])
        assert.doesNotMatch(word, /[\p{Cc}]/u)
      }),
      { numRuns: 60 },
    )
  })
})
