import { NATPMP_VERSION, Opcode, opcodeName, PCP_VERSION } from "../../../core/wire/index.ts"
import { toHex } from "../../../core/wire/text/index.ts"
import { directionOf } from "../open/index.ts"

export type Vector = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly text: string }

/** Where an address of the client stands in a PCP request, and an external end in MAP and PEER (RFC 6887 sections 7.1 and 11.1). */
const CLIENT = { from: 8, to: 24 }
const EPOCH = { from: 8, to: 12 }
const EXTERNAL_PORT = { from: 42, to: 44 }
const EXTERNAL = { from: 44, to: 60 }

/**
 * A file of test vectors, as `test/vectors/README.md` has them, with one case: the request and, where there is one, its answer. What
 * another server may answer otherwise is left free: epoch times, and the assigned external end.
 */
export const vectorFile = (request: Uint8Array, answer?: Uint8Array): Vector => {
  if (directionOf(request) !== "request")
    return { ok: false, text: "a vector begins with a request: a response alone says nothing about a server" }
  const natPmp = request[0] === NATPMP_VERSION
  const name = natPmp
    ? `nat-pmp-${request[1]}`
    : opcodeName(request[1])
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
  const send = natPmp || request[0] !== PCP_VERSION ? toHex(request) : sendTemplate(request)
  const test = {
    id: `captured-${name}`,
    title: `${natPmp ? "NAT-PMP" : "PCP"} request and answer as captured`,
    requirements: [natPmp ? "S-22" : "S-01"],
    clause: natPmp ? "RFC 6886 3" : "RFC 6887 8",
    steps: [{ send, expect: answer === undefined ? anyAnswer(request) : expectTemplate(answer) }],
  }
  const file = { $schema: "./schema.json", title: "From the playground", cases: [test] }
  return { ok: true, text: `${JSON.stringify(file, null, 2)}\n` }
}

const hexOf = (bytes: Uint8Array, from: number, to = bytes.length): string => toHex(bytes.subarray(from, to))

/** The runner's own address stands for the client's: with another one every answer is ADDRESS_MISMATCH. */
const sendTemplate = (bytes: Uint8Array): string =>
  bytes.length < CLIENT.to
    ? toHex(bytes)
    : [hexOf(bytes, 0, CLIENT.from), "{client}", hexOf(bytes, CLIENT.to)].filter((part) => part !== "").join(" ")

const expectTemplate = (bytes: Uint8Array): string => {
  if (bytes[0] === NATPMP_VERSION)
    return bytes.length < 8 ? toHex(bytes) : [hexOf(bytes, 0, 4), "?4", hexOf(bytes, 8)].join(" ").trim()
  if (bytes[0] !== PCP_VERSION || bytes.length < EPOCH.to) return toHex(bytes)
  const opcode = bytes[1] & 127
  const head = `${hexOf(bytes, 0, EPOCH.from)} ?4`
  const assigned = bytes[3] === 0 && (opcode === Opcode.MAP || opcode === Opcode.PEER) && bytes.length >= EXTERNAL.to
  if (!assigned) return `${head} ${hexOf(bytes, EPOCH.to)}`.trim()
  const body = hexOf(bytes, EPOCH.to, EXTERNAL_PORT.from)
  return `${head} ${body} {externalPort:2} {external:16} ${hexOf(bytes, EXTERNAL.to)}`.trim()
}

const anyAnswer = (request: Uint8Array): string => {
  const opcode = (request[1] | 128).toString(16).padStart(2, "0")
  return request[0] === NATPMP_VERSION ? `00 ${opcode} ...` : `02 ${opcode} ?1 ?1 ?4 ?4 ?12 ...`
}
