import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { fieldAt, inspect, PROFILE_NAMES, pathTo } from "../../playground/model/inspect/index.ts"
import { referenceOf } from "../../playground/model/inspect/reference.ts"
import { anyBytes } from "../core/wire/arbitrary.ts"
import { address, hex, MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST, PORT_SET_REQUEST } from "./packets.ts"

const leavesOf = (bytes: Uint8Array) => inspect(bytes).fields.filter(({ children }) => children.length === 0)

describe("inspecting a packet", () => {
  test("a MAP request's leaves with class, octets and Wireshark's name", () => {
    const seen = leavesOf(MAP_REQUEST).map(({ name, class: own, offset, length, wireshark }) =>
      [name, own, offset, length, wireshark?.replace("portcontrol.", "")].join(),
    )
    // RFC 6887 sections 7.1, 11.1, 7.3 and 13.3; peers.md section 3.1.
    assert.deepEqual(seen, [
      "Version,version,0,1,version",
      "R,version,1,1,r",
      "Opcode,version,1,1,opcode",
      "Reserved,reserved,2,2,reserved",
      "Requested Lifetime,lifetime,4,4,lifetime_req",
      "PCP Client's IP Address,address,8,16,client_ip",
      "Mapping Nonce,nonce,24,12,map.nonce",
      "Protocol,port,36,1,map.protocol",
      "Reserved,reserved,37,3,map.reserved",
      "Internal Port,port,40,2,map.internal_port",
      "Suggested External Port,port,42,2,map.req_sug_external_port",
      "Suggested External IP Address,address,44,16,map.req_sug_external_ip",
      "Option Code,option,60,1,option.code",
      "Reserved,reserved,61,1,option.reserved",
      "Option Length,option,62,2,option.length",
      "Reserved,reserved,64,1,option.filter.reserved",
      "Prefix Length,address,65,1,option.filter.prefix_length",
      "Remote Peer Port,port,66,2,option.filter.remote_peer_port",
      "Remote Peer IP Address,address,68,16,option.filter.remote_peer_ip",
      "Option Code,option,84,1,option.code",
      "Reserved,reserved,85,1,option.reserved",
      "Option Length,option,86,2,option.length",
      "Description,option,88,5,option.description",
      "Padding,reserved,93,3,option.padding",
    ])
  })

  test("numbers have their registry, addresses both forms, fields their RFC", () => {
    const { fields, title, direction } = inspect(MAP_REQUEST)
    assert.equal(title, "PCP MAP request, 96 octets")
    assert.equal(direction, "request")
    const client = fields.find(({ name }) => name.startsWith("PCP Client"))
    assert.deepEqual(client?.address, { plain: "10.0.0.1", mapped: "::ffff:10.0.0.1" })
    assert.deepEqual(client?.rfc, {
      text: "RFC 6887 section 7.1",
      href: "https://www.rfc-editor.org/rfc/rfc6887#section-7.1",
    })
    const protocol = fields.find(({ name }) => name === "Protocol")
    assert.deepEqual(protocol?.registry, { number: 17, registry: "Assigned Internet Protocol Numbers" })
    assert.equal(protocol?.binary, "00010001")
    const options = fields.filter(({ node }) => node.field.kind === "option")
    assert.deepEqual(
      options.map(({ name, registry }) => [name, registry?.number]),
      [
        ["FILTER option", 3],
        ["DESCRIPTION option", 128],
      ],
    )
  })

  test("clauses of findings and of fields become the same reference", () => {
    const wanted = { text: "RFC 6887 section 13.3", href: "https://www.rfc-editor.org/rfc/rfc6887#section-13.3" }
    assert.deepEqual(referenceOf("RFC 6887 13.3"), wanted)
    assert.deepEqual(referenceOf("RFC 6887 section 13.3"), wanted)
    assert.equal(
      referenceOf("RFC 6887 section 11.1, figure 9").href,
      "https://www.rfc-editor.org/rfc/rfc6887#section-11.1",
    )
  })

  test("the diagram draws rows of 32 bits as RFC 6887 figure 2 does", () => {
    const { diagram, fields } = inspect(MAP_REQUEST)
    assert.equal(diagram.rows, 24)
    const first = diagram.cells.filter(({ row }) => row === 0)
    assert.deepEqual(
      first.map(({ field, bit, bits }) => [fields[field].name, bit, bits]),
      [
        ["Version", 0, 8],
        ["R", 8, 1],
        ["Opcode", 9, 7],
        ["Reserved", 16, 16],
      ],
    )
    const client = diagram.cells.filter(({ field }) => fields[field].name.startsWith("PCP Client"))
    assert.deepEqual(client, [
      {
        field: client[0].field,
        row: 2,
        rows: 4,
        bit: 0,
        bits: 32,
        begins: true,
        ends: true,
        labelled: true,
        present: true,
      },
    ])
    // Five octets of text: a whole row, and a quarter of the next.
    const text = diagram.cells.filter(({ field }) => fields[field].name === "Description")
    assert.deepEqual(
      text.map(({ row, rows, bit, bits, begins, ends, labelled }) => [row, rows, bit, bits, begins, ends, labelled]),
      [
        [22, 1, 0, 32, true, false, true],
        [23, 1, 0, 8, false, true, false],
      ],
    )
  })

  test("octets that are missing are drawn as such", () => {
    const { diagram, fields } = inspect(MAP_REQUEST.subarray(0, 26))
    const nonce = diagram.cells.filter(({ field }) => fields[field].name === "Mapping Nonce")
    assert.deepEqual(
      nonce.map(({ row, rows, bit, bits, present }) => [row, rows, bit, bits, present]),
      [
        [6, 1, 0, 16, true],
        [6, 1, 16, 16, false],
        [7, 2, 0, 32, false],
      ],
    )
  })

  test("an octet of two fields is shared out by bits, both ways", () => {
    const inspection = inspect(PORT_SET_REQUEST)
    const { octets, fields } = inspection
    const names = (offset: number) =>
      octets[offset].parts.map(({ field, bit, bits }) => [fields[field].name, bit, bits])
    assert.deepEqual(names(1), [
      ["R", 0, 1],
      ["Opcode", 1, 7],
    ])
    assert.deepEqual(names(68), [
      ["Reserved", 0, 7],
      ["P (parity bit)", 7, 1],
    ])
    assert.equal(fields[fieldAt(inspection, 68, 7) ?? 0].name, "P (parity bit)")
    assert.equal(fieldAt(inspection, 72), undefined)
    assert.deepEqual(
      pathTo(inspection, fieldAt(inspection, 64) ?? 0).map((id) => fields[id].name),
      ["Port Control Protocol", "PCP Options", "PORT_SET option", "Port Set Size"],
    )
  })

  test("findings stand at the octets that they speak of", () => {
    const wrong = MAP_REQUEST.slice()
    wrong[65] = 33
    wrong[61] = 9
    const { findings, fields } = inspect(wrong)
    const seen = findings.map(({ code, offset, length, field }) => [code, offset, length, fields[field].name])
    assert.ok(
      seen.some((one) => one.join() === "filter-prefix,65,1,Prefix Length"),
      JSON.stringify(seen),
    )
    assert.ok(
      seen.some((one) => one.join() === "reserved-nonzero,61,1,Reserved"),
      JSON.stringify(seen),
    )
  })

  test("direction, profile and source decide what is a fault", () => {
    const codes = (choice: Parameters<typeof inspect>[1]) =>
      inspect(MAP_REQUEST, choice).findings.map(({ code }) => code)
    assert.ok(!codes({}).includes("role"))
    assert.ok(codes({ role: "client" }).includes("role"))
    assert.ok(codes({ source: address("10.0.0.9") }).includes("address-mismatch"))
    assert.ok(codes({ profile: "nat64" }).includes("client-family"))
    const role = inspect(MAP_RESPONSE, { role: "server" }).findings.find(({ code }) => code === "role")
    assert.equal(inspect(MAP_RESPONSE).fields[role?.field ?? 0].name, "R")
  })

  test("NAT-PMP, and nothing at all", () => {
    assert.deepEqual(
      leavesOf(NATPMP_MAP_REQUEST).map(({ class: own }) => own),
      ["version", "version", "reserved", "port", "port", "lifetime"],
    )
    const nothing = inspect(new Uint8Array(0))
    assert.equal(nothing.direction, undefined)
    assert.deepEqual(nothing.octets, [])
    assert.equal(nothing.findings[0].code, "too-short")
  })

  test("any octets: every bit is one leaf's, in octets and diagram alike, and every finding has a place", () => {
    fc.assert(
      fc.property(anyBytes, fc.constantFrom(...PROFILE_NAMES), (bytes, profile) => {
        const { octets, diagram, fields, findings } = inspect(bytes, { profile })
        for (const { parts } of octets) {
          assert.equal(
            parts.reduce((sum, { bits }) => sum + bits, 0),
            8,
          )
          for (const [i, { bit }] of parts.entries())
            assert.equal(bit, i === 0 ? 0 : parts[i - 1].bit + parts[i - 1].bits)
        }
        const drawn = diagram.cells.filter(({ present }) => present)
        assert.equal(
          drawn.reduce((sum, { bits, rows }) => sum + bits * rows, 0),
          8 * bytes.length,
        )
        for (const { row, rows, bit, bits } of diagram.cells) {
          assert.ok(bit + bits <= 32 && row + rows <= diagram.rows)
          assert.ok(rows === 1 || bits === 32)
        }
        for (const [id, field] of fields.entries()) {
          assert.equal(field.id, id)
          for (const child of field.children) assert.equal(fields[child].parent, id)
        }
        for (const { field, offset, length } of findings) {
          assert.ok(fields[field] !== undefined)
          assert.ok(offset + length <= Math.max(offset, bytes.length))
        }
      }),
    )
  })

  test("a hostile option list is cut where it would hold things up", () => {
    const many = new Uint8Array(65527)
    many.set(MAP_REQUEST.subarray(0, 60))
    const { fields, bytes, cut } = inspect(many)
    assert.ok(fields.length < 12000)
    assert.equal(bytes.length + cut, 65527)
    assert.deepEqual(inspect(hex("02 81 00 01")).findings[0].severity, "warning")
  })
})
