import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  detectFlow,
  encodeFirst,
  encodeFlow,
  errorNameOf,
  FIRST_FORM_PORT,
  FLOW_ERRORS,
  FLOW_PORT,
  type FlowMessage,
  labelOfName,
  parseFirst,
  parseFlow,
  QOS_CUBES,
  responseOf,
} from "../../../core/flow/index.ts"
import { hex, toHex } from "../wire/hex.ts"
import { flowMessage, octets } from "./arbitrary.ts"
import { FLOW_REPLY, FLOW_REQUEST, OECHO_HASH } from "./vectors.ts"

const NOTHING = new Uint8Array(0)
const isVector = (bytes: Uint8Array, message: FlowMessage): void => {
  assert.deepEqual(parseFlow(bytes), { ok: true, message })
  const encoded = encodeFlow(message)
  assert.ok(encoded.ok, encoded.ok ? "" : encoded.text)
  assert.equal(toHex(encoded.bytes), toHex(bytes))
}
const codeOf = (bytes: Uint8Array): string => {
  const parsed = parseFlow(bytes)
  return parsed.ok ? "read" : `${parsed.error.code} ${parsed.error.offset}`
}
const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice()
  copy[at] = value
  return copy
}

describe("today's form on the wire", () => {
  test("A5: FLOW_REQ of 63 octets", () => {
    assert.equal(FLOW_REQUEST.length, 63)
    isVector(FLOW_REQUEST, {
      kind: "flow-request",
      requester: 64,
      qos: {
        delay: 4294967295,
        bandwidth: 0n,
        availability: 0,
        loss: 1,
        ber: 1,
        inOrder: false,
        maxGap: 4294967295,
        timeout: 120000,
      },
      hash: hex(OECHO_HASH),
      data: NOTHING,
    })
  })

  test("A5: FLOW_REPLY of 47 octets", () => {
    assert.equal(FLOW_REPLY.length, 47)
    isVector(FLOW_REPLY, { kind: "flow-reply", requester: 64, responder: 65, response: 0, data: NOTHING })
  })

  test("A5: a refusal is a negated error number, 32 bits signed", () => {
    const refused = hex(
      `00000000 00000040 00000000 fffffc11 0000000000000000 00000000 00000000 00000000 00000000 00000000 02 00 00`,
    )
    isVector(refused, { kind: "flow-reply", requester: 64, responder: 0, response: -1007, data: NOTHING })
    assert.equal(responseOf("ENAME"), -1007)
    assert.equal(errorNameOf(-1007), "ENAME")
    assert.equal(errorNameOf(0), undefined)
    assert.equal(errorNameOf(-5), undefined)
  })

  test("A5: every field of the spec has its place, and piggyback data is all that follows", () => {
    const bytes = hex(`
      00000000 01020304 00000000 00000000 1112131415161718 21222324 31323334 41424344 51525354 61626364 01 71 01
      ${OECHO_HASH} aabbcc
    `)
    isVector(bytes, {
      kind: "flow-request",
      requester: 0x01020304,
      qos: {
        bandwidth: 0x1112131415161718n,
        delay: 0x21222324,
        loss: 0x31323334,
        ber: 0x41424344,
        maxGap: 0x51525354,
        timeout: 0x61626364,
        availability: 0x71,
        inOrder: true,
      },
      hash: hex(OECHO_HASH),
      data: hex("aabbcc"),
    })
  })

  test("A5: a data packet is the receiver's endpoint id and the octets", () => {
    isVector(hex("00000041 68656c6c6f"), { kind: "flow-data", eid: 65, data: new TextEncoder().encode("hello") })
    isVector(hex("ffffffff"), { kind: "flow-data", eid: 0xffffffff, data: NOTHING })
  })

  test("A5: what is shorter than an endpoint id, a management message or its hash is a runt", () => {
    for (let length = 0; length < 4; length++)
      assert.equal(codeOf(FLOW_REQUEST.subarray(0, length)), `too-short ${length}`)
    for (let length = 4; length < 63; length++)
      assert.equal(codeOf(FLOW_REQUEST.subarray(0, length)), `too-short ${length}`, `${length}`)
    for (let length = 4; length < 47; length++)
      assert.equal(codeOf(FLOW_REPLY.subarray(0, length)), `too-short ${length}`, `${length}`)
  })

  test("A5: unknown codes, s_eid 0, an acceptance without d_eid, and more than 8980 octets are refused", () => {
    for (const code of [0, 3, 255]) assert.equal(codeOf(changed(FLOW_REQUEST, 44, code)), "unknown-code 44")
    assert.equal(codeOf(changed(FLOW_REQUEST, 7, 0)), "no-requester 4")
    assert.equal(codeOf(changed(FLOW_REPLY, 11, 0)), "no-responder 8")
    assert.equal(codeOf(new Uint8Array(8980).fill(1)), "read")
    assert.equal(codeOf(new Uint8Array(8981).fill(1)), "too-long 8980")
  })

  test("what does not fit has no octets, and says why", () => {
    const request = {
      kind: "flow-request",
      requester: 64,
      qos: QOS_CUBES.raw,
      hash: hex(OECHO_HASH),
      data: NOTHING,
    } as const
    const wrong: readonly FlowMessage[] = [
      { ...request, requester: 0 },
      { ...request, requester: 2 ** 32 },
      { ...request, hash: NOTHING },
      { ...request, data: new Uint8Array(8980) },
      { ...request, qos: { ...QOS_CUBES.raw, delay: -1 } },
      { ...request, qos: { ...QOS_CUBES.raw, availability: 256 } },
      { ...request, qos: { ...QOS_CUBES.raw, bandwidth: 2n ** 64n } },
      { kind: "flow-reply", requester: 64, responder: 0, response: 0, data: NOTHING },
      { kind: "flow-reply", requester: 64, responder: 65, response: 2 ** 31, data: NOTHING },
      { kind: "flow-data", eid: 0, data: NOTHING },
      { kind: "flow-data", eid: 65, data: new Uint8Array(8977) },
    ]
    for (const message of wrong) {
      const encoded = encodeFlow(message)
      assert.equal(
        encoded.ok,
        false,
        JSON.stringify(message, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
      )
    }
  })

  test("A5: whatever is encoded reads back the same", () => {
    fc.assert(
      fc.property(flowMessage, (message) => {
        const encoded = encodeFlow(message)
        if (encoded.ok) assert.deepEqual(parseFlow(encoded.bytes), { ok: true, message })
        else assert.ok(message.kind === "flow-reply" && message.response === 0)
      }),
    )
  })

  test("A5: any octets are read or refused within them, none throws, and what is read encodes to what was significant", () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        const before = bytes.slice()
        const parsed = parseFlow(bytes)
        assert.deepEqual(bytes, before)
        if (!parsed.ok) {
          assert.ok(parsed.error.offset >= 0 && parsed.error.offset <= bytes.length)
          return
        }
        const again = encodeFlow(parsed.message)
        assert.ok(again.ok)
        assert.deepEqual(parseFlow(again.bytes), parsed)
      }),
      { numRuns: 3000 },
    )
  })
})

describe("the first form on the wire", () => {
  test("A2, A1: a request is the name's octets, without a length and without a NUL", () => {
    assert.equal(toHex(encodeFirst("oecho") ?? NOTHING), "6f6563686f")
    assert.deepEqual(parseFirst(hex("6f6563686f")), { ok: true, name: hex("6f6563686f") })
  })

  test("A2: names have 255 octets at most, of UTF-8, and one at least", () => {
    assert.equal(encodeFirst("x".repeat(255))?.length, 255)
    assert.equal(encodeFirst("x".repeat(256)), undefined)
    assert.equal(encodeFirst("é".repeat(127))?.length, 254)
    assert.equal(encodeFirst("é".repeat(128)), undefined)
    assert.equal(encodeFirst(""), undefined)
    assert.equal(encodeFirst("a\0b"), undefined)
    const refused = (bytes: Uint8Array): string | undefined => {
      const parsed = parseFirst(bytes)
      return parsed.ok ? undefined : `${parsed.error.code} ${parsed.error.offset}`
    }
    assert.equal(refused(NOTHING), "name 0")
    assert.equal(refused(new Uint8Array(256).fill(65)), "name 255")
    assert.equal(refused(hex("6100")), "name 1")
  })

  test("A2: any octets are a name or none, and none throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const fits = bytes.length > 0 && bytes.length <= 255 && !bytes.includes(0)
        assert.equal(parseFirst(bytes).ok, fits)
      }),
    )
  })
})

describe("names and numbers", () => {
  test("A7: a name's DNS label is its MD5 in 32 lower-case hex digits", () => {
    assert.equal(labelOfName("oecho"), OECHO_HASH)
    for (const name of ["a", "sallyport", "héllo", "x".repeat(255)])
      assert.equal(labelOfName(name), createHash("md5").update(name).digest("hex"))
    assert.equal(labelOfName("x".repeat(256)), undefined)
  })

  test("A9: the cubes are those of qos.h", () => {
    const MAX32 = 4294967295
    const rows = Object.entries(QOS_CUBES).map(([name, q]) => [
      name,
      ...[q.delay, q.bandwidth, q.availability, q.loss, q.ber, Number(q.inOrder), q.maxGap, q.timeout],
    ])
    assert.deepEqual(rows, [
      ["raw", MAX32, 0n, 0, 1, 1, 0, MAX32, 120000],
      ["rawNoErrors", MAX32, 0n, 0, 1, 0, 0, MAX32, 120000],
      ["bestEffort", MAX32, 0n, 0, 1, 0, 1, MAX32, 120000],
      ["video", 100, 18446744073709551615n, 3, 1, 0, 1, 100, 120000],
      ["voice", 50, 100000n, 5, 1, 0, 1, 50, 120000],
      ["data", 1000, 0n, 0, 0, 0, 1, 2000, 120000],
    ])
  })

  test("A9: Ouroboros' own errors are numbered from 1000", () => {
    const own = Object.entries(FLOW_ERRORS).filter(([, number]) => number >= 1000)
    assert.deepEqual(own, [
      ["ENOTALLOC", 1000],
      ["EIPCPTYPE", 1001],
      ["EIRMD", 1002],
      ["EIPCP", 1003],
      ["EIPCPSTATE", 1004],
      ["EFLOWDOWN", 1005],
      ["EFLOWPEER", 1006],
      ["ENAME", 1007],
      ["ECRYPT", 1008],
      ["EAUTH", 1009],
    ])
  })

  test("A1: 0x0D1F is the first form's port, 3435 today's", () => {
    assert.deepEqual([FIRST_FORM_PORT, FLOW_PORT], [0x0d1f, 3435])
  })
})

describe("which form a datagram has", () => {
  test("its ports say it first", () => {
    assert.equal(detectFlow(hex("6f6563686f"), { sourcePort: 40000, destinationPort: 3359 }), "first-request")
    assert.equal(detectFlow(NOTHING, { sourcePort: 40000, destinationPort: 3359 }), undefined)
    assert.equal(detectFlow(hex("00000041"), { sourcePort: 3435, destinationPort: 3435 }), "data")
    assert.equal(detectFlow(FLOW_REQUEST, { sourcePort: 3435, destinationPort: 3435 }), "management")
    assert.equal(detectFlow(hex("0000"), { sourcePort: 3435, destinationPort: 3435 }), "management")
    assert.equal(detectFlow(FLOW_REQUEST, { sourcePort: 40000, destinationPort: 5351 }), undefined)
  })

  test("without ports a management message proves itself, and nothing else does", () => {
    assert.equal(detectFlow(FLOW_REQUEST), "management")
    assert.equal(detectFlow(FLOW_REPLY), "management")
    assert.equal(detectFlow(FLOW_REQUEST.subarray(0, 62)), undefined)
    assert.equal(detectFlow(FLOW_REPLY.subarray(0, 46)), undefined)
    assert.equal(detectFlow(changed(FLOW_REQUEST, 44, 3)), undefined)
    // NAT-PMP and PCP.
    assert.equal(detectFlow(hex("0002 0000 1f90 1f90 0000 0e10")), undefined)
    assert.equal(detectFlow(new Uint8Array(60).fill(2)), undefined)
  })
})
