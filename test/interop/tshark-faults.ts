/**
 * Where tshark 4.0 and the RFCs part: each fault with the smallest packet that shows it, and what exactly it touches in
 * any other packet. What is touched is told from the octets alone, which are walked here once more: neither decoder's
 * tree is asked.
 */

import assert from "node:assert/strict"
import type { Seen } from "./tshark.ts"

/** What a fault makes of a packet. */
export type Touch = {
  /** The option, counted from 0; -1 for everything that is outside of options. */
  readonly segment: number
  /** All options after it as well. */
  readonly onward?: boolean
  /** The field; left out for all of them. */
  readonly name?: string
  /** The one field of the segment that is not touched. */
  readonly except?: string
  /** What tshark has in its place, where that can be said: then it is compared with this. Otherwise it is not compared. */
  readonly instead?: readonly string[]
}

export type Fault = {
  readonly name: string
  /** The packet that proves it, as hex. */
  readonly proof: string
  /** Asserts that tshark shows the fault in the proof. */
  readonly shows: (seen: Seen) => void
  readonly touches: (bytes: Uint8Array) => readonly Touch[]
}

const W = "portcontrol.option"
const OUTSIDE = -1

type Option = {
  readonly index: number
  readonly code: number
  readonly data: number
  readonly length: number
  /** Where the next one begins, past the end when this one is cut. */
  readonly next: number
}

const BODY_ENDS = [24, 60, 80]

/** The options of an ANNOUNCE, MAP or PEER message whose headers are whole (RFC 6887 section 7.3). */
const optionsOf = (bytes: Uint8Array): Option[] => {
  const options: Option[] = []
  if (bytes[0] !== 2 || bytes.length < 2) return options
  let at = BODY_ENDS[bytes[1] & 127] ?? bytes.length
  while (at + 4 <= bytes.length) {
    const length = bytes[at + 2] * 256 + bytes[at + 3]
    const next = at + 4 + Math.ceil(length / 4) * 4
    options.push({ index: options.length, code: bytes[at], data: at + 4, length, next })
    at = next
  }
  return options
}

/** Does a reader find more options, or the start of one, after this? */
const goesOn = (bytes: Uint8Array, option: Option): boolean => option.next < bytes.length

const unknownOptions: Touch = { segment: OUTSIDE, name: `${W}.unknown` }

const first = (seen: Seen, option: number, name: string): string | undefined => seen.options[option]?.get(name)?.[0]

/** Fields of fixed place: name, first octet in the data, octet after it. */
const SHORT_BODIES: ReadonlyMap<number, readonly (readonly [string, number])[]> = new Map([
  [1, [[`${W}.third_party.internal_ip`, 16]]],
  [
    3,
    [
      [`${W}.filter.reserved`, 1],
      [`${W}.filter.prefix_length`, 2],
      [`${W}.filter.remote_peer_port`, 4],
      [`${W}.filter.remote_peer_ip`, 20],
    ],
  ],
  [
    130,
    [
      [`${W}.portset.size`, 2],
      [`${W}.portset.req_sug_first_external_port`, 4],
      [`${W}.portset.rsp_assigned_first_external_port`, 4],
      [`${W}.portset.reserved`, 5],
      [`${W}.portset.parity`, 5],
    ],
  ],
])

const HEADER = "0201000000000e1000000000000000000000ffffc0000201"
const MAP = `${HEADER}0102030405060708090a0b0c110000001f901f9000000000000000000000ffff00000000`

export const FAULTS: readonly Fault[] = [
  {
    name: "portcontrol.response is 0 in every response",
    proof:
      "0281000000000e10000000050000000000000000000000000102030405060708090a0b0c110000001f901f9000000000000000000000ffffcb007101",
    shows: ({ outside }) => {
      assert.deepEqual(outside.get("portcontrol.r"), ["1"])
      assert.deepEqual(outside.get("portcontrol.response"), ["0"])
    },
    touches: (bytes) =>
      bytes[0] === 2 && bytes[1] > 127 ? [{ segment: OUTSIDE, name: "portcontrol.response", instead: ["0"] }] : [],
  },
  {
    name: "the padding of an option is taken off after the next option without padding as well",
    // DESCRIPTION of 3 octets, PREFER_FAILURE, THIRD_PARTY: one octet is lost after PREFER_FAILURE.
    proof: `${MAP}8000000361626300020000000100001020010db8000000000000000000000001`,
    shows: (seen) => {
      assert.equal(first(seen, 1, `${W}.code`), "2")
      assert.equal(first(seen, 1, `${W}.padding`), "01")
      assert.equal(first(seen, 2, `${W}.code`), "0")
    },
    touches: (bytes) => {
      const options = optionsOf(bytes)
      const padded = options.findIndex(({ length }) => length % 4 !== 0)
      const hit = options.find((option) => padded >= 0 && option.index > padded && option.length % 4 === 0)
      if (hit === undefined || !goesOn(bytes, hit)) return []
      return [{ segment: hit.index, name: `${W}.padding` }, { segment: hit.index + 1, onward: true }, unknownOptions]
    },
  },
  {
    name: "THIRD_PARTY, FILTER and PORT_SET are read past the end of a shorter option",
    // THIRD_PARTY of 4 octets, then a DESCRIPTION whose octets tshark reads as the rest of the address.
    proof: `${MAP}01000004c00002018000000c6162636465666768696a6b6c`,
    shows: (seen) => {
      assert.equal(first(seen, 0, `${W}.length`), "4")
      assert.equal(first(seen, 0, `${W}.third_party.internal_ip`), "c000:201:8000:c:6162:6364:6566:6768")
    },
    touches: (bytes) => {
      const touches: Touch[] = []
      for (const { index, code, data, length } of optionsOf(bytes)) {
        const fields = SHORT_BODIES.get(code)
        if (fields === undefined || length === 0) continue
        const beyond = fields.filter(([, end]) => end > length)
        for (const [name] of beyond) touches.push({ segment: index, name })
        // Past the end of the packet too: there tshark gives up, and names nothing more.
        if (beyond.some(([, end]) => data + end > bytes.length)) {
          touches.push({ segment: index, name: `${W}.padding` }, { segment: index + 1, onward: true }, unknownOptions)
        }
      }
      return touches
    },
  },
  {
    name: "a DESCRIPTION ends at its first NUL",
    proof: `${MAP}8000000461006263`,
    shows: (seen) => assert.equal(first(seen, 0, `${W}.description`), "a"),
    touches: (bytes) =>
      optionsOf(bytes).flatMap(({ index, code, data, length }) => {
        const nul = bytes.subarray(data, data + length).indexOf(0)
        if (code !== 128 || nul < 0 || data + length > bytes.length) return []
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(data, data + nul))
        const instead = text.replace(/[\b\t\n\f\r]/g, (c) => JSON.stringify(c).slice(1, -1))
        return [{ segment: index, name: `${W}.description`, instead: [instead] }]
      }),
  },
  {
    name: "a PREFIX64 of fewer than 14 octets has no Prefix64 even where it is whole",
    proof: `${MAP}81000008000420010db80000`,
    shows: (seen) => {
      assert.equal(first(seen, 0, `${W}.p64.length`), "4")
      assert.equal(first(seen, 0, `${W}.p64.prefix64`), undefined)
    },
    touches: (bytes) =>
      optionsOf(bytes)
        .filter(({ code, length }) => code === 129 && length >= 2 && length < 14)
        .flatMap(({ index }) => [
          { segment: index, name: `${W}.p64.prefix64` },
          { segment: index, name: `${W}.p64.suffix` },
        ]),
  },
  {
    name: "the options of RFC 7652 and RFC 7843 are unknown",
    proof: `${MAP}0d00000401020304`,
    shows: ({ outside }) => assert.deepEqual(outside.get(`${W}.unknown`), ["1"]),
    touches: (bytes) => (optionsOf(bytes).some(({ code }) => code >= 4 && code <= 13) ? [unknownOptions] : []),
  },
  {
    name: "an unknown option is reported only when its header is whole and its length is not 0",
    proof: `${MAP}c8000000`,
    shows: (seen) => {
      assert.equal(first(seen, 0, `${W}.code`), "200")
      assert.equal(seen.outside.get(`${W}.unknown`), undefined)
    },
    touches: (bytes) => {
      const options = optionsOf(bytes)
      const known = [1, 2, 3, 128, 129, 130]
      const empty = options.some(({ code, length }) => length === 0 && !known.includes(code))
      const end = options.at(-1)?.next ?? (bytes[0] === 2 ? BODY_ENDS[bytes[1] & 127] : undefined)
      const cut = end !== undefined && end < bytes.length && !known.includes(bytes[end])
      return empty || cut ? [unknownOptions] : []
    },
  },
  {
    name: "AUTHENTICATION (RFC 7652) is unknown, its options are not looked at",
    proof: `0203000e00000000${HEADER.slice(16)}00000001000000020400000401020304`,
    shows: (seen) => {
      assert.deepEqual(seen.outside.get("portcontrol.opcode.unknown"), ["1"])
      assert.equal(seen.options.length, 0)
    },
    touches: (bytes) =>
      bytes[0] === 2 && (bytes[1] & 127) === 3 && bytes.length >= 24
        ? [
            { segment: OUTSIDE, name: "portcontrol.opcode.unknown", instead: ["1"] },
            { segment: OUTSIDE, name: "portcontrol.options" },
            { segment: 0, onward: true },
            unknownOptions,
          ]
        : [],
  },
  {
    name: "an unknown opcode is reported only when the header is whole",
    proof: "02400000",
    shows: ({ outside }) => {
      assert.deepEqual(outside.get("portcontrol.opcode"), ["64"])
      assert.equal(outside.get("portcontrol.opcode.unknown"), undefined)
    },
    touches: (bytes) =>
      bytes[0] === 2 && (bytes[1] & 127) > 3 && bytes.length < 24
        ? [{ segment: OUTSIDE, name: "portcontrol.opcode.unknown", instead: [] }]
        : [],
  },
  {
    name: "version 1, which changed from draft to draft, is read as the one without a nonce",
    proof: `01${MAP.slice(2)}`,
    shows: ({ outside }) => {
      assert.deepEqual(outside.get("portcontrol.version"), ["1"])
      assert.deepEqual(outside.get("portcontrol.map.protocol"), ["1"])
    },
    touches: (bytes) =>
      bytes[0] === 1
        ? [
            { segment: OUTSIDE, except: "portcontrol.version" },
            { segment: 0, onward: true },
          ]
        : [],
  },
  {
    name: "the NAT-PMP version error without response bit is read as an external address request",
    proof: "0000000100000005",
    shows: ({ outside }) => assert.deepEqual([...outside.keys()], ["nat-pmp.version", "nat-pmp.opcode"]),
    touches: (bytes) =>
      bytes[0] === 0 && bytes[1] === 0 && bytes.length === 8 && bytes[2] === 0 && bytes[3] === 1
        ? [
            { segment: OUTSIDE, name: "nat-pmp.result_code", instead: [] },
            { segment: OUTSIDE, name: "nat-pmp.sssoe", instead: [] },
          ]
        : [],
  },
  {
    name: "the result code in the echo of an unsupported NAT-PMP opcode is not looked at",
    proof: "008500050102",
    shows: ({ outside }) => assert.equal(outside.get("nat-pmp.result_code"), undefined),
    touches: (bytes) =>
      bytes[0] === 0 && bytes[1] > 130
        ? [
            { segment: OUTSIDE, name: "nat-pmp.result_code", instead: [] },
            // The version error with response bit has the time as well.
            { segment: OUTSIDE, name: "nat-pmp.sssoe", instead: [] },
          ]
        : [],
  },
]
