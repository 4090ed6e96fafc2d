/** What gateways send, octet by octet from the figures of RFC 6887 and RFC 6886; nothing here uses the encoder under test. */
import { put16, put32, putAddress, word16, word32 } from "../server/model-message.ts"

export interface PcpAnswer {
  readonly result?: number
  readonly lifetime?: number
  readonly epoch?: number
  readonly nonce?: Uint8Array
  readonly protocol?: number
  readonly internalPort?: number
  readonly externalPort?: number
  /** Dotted, or 32 hexadecimal digits. */
  readonly external?: string
  readonly options?: readonly number[]
}

/** A PCP server's answer to a MAP, PEER or ANNOUNCE request (RFC 6887 figures 2, 4, 10 and 12). */
export const pcpAnswer = (request: Uint8Array, answer: PcpAnswer = {}): Uint8Array => {
  const { result = 0, lifetime = word32(request, 4), epoch = 0, nonce, protocol, options = [] } = answer
  const opcode = request[1]
  const length = opcode === 1 ? 60 : opcode === 2 ? 80 : 24
  const bytes = new Uint8Array(length + options.length)
  bytes.set(request.subarray(0, length))
  bytes[1] = opcode | 128
  bytes[2] = 0
  bytes[3] = result
  put32(bytes, 4, lifetime)
  put32(bytes, 8, epoch)
  bytes.fill(0, 12, 24)
  bytes.set(options, length)
  if (opcode === 0) return bytes
  if (nonce !== undefined) bytes.set(nonce, 24)
  if (protocol !== undefined) bytes[36] = protocol
  if (answer.internalPort !== undefined) put16(bytes, 40, answer.internalPort)
  if (result === 0) {
    put16(bytes, 42, answer.externalPort ?? (word16(request, 42) || word16(request, 40)))
    putAddress(bytes, 44, answer.external ?? "203.0.113.7")
  }
  return bytes
}

/** An announcement (RFC 6887 section 14.1.2). */
export const pcpAnnounce = (epoch: number, result = 0): Uint8Array => {
  const bytes = new Uint8Array(24)
  bytes.set([2, 128, 0, result])
  put32(bytes, 8, epoch)
  return bytes
}

/** Version 0's error is NAT-PMP's of 8 octets, without the response bit (RFC 6886 section 3.5); others are as PCP's (RFC 6887 section 9). */
export const versionError = (version: number, request: Uint8Array, epoch = 0): Uint8Array => {
  if (version === 0) {
    const bytes = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0)
    put32(bytes, 4, epoch)
    return bytes
  }
  const bytes = new Uint8Array(Math.max(24, request.length))
  bytes.set(request)
  bytes[0] = version
  bytes[1] |= 128
  bytes[2] = 0
  bytes[3] = 1
  put32(bytes, 4, 1800)
  put32(bytes, 8, epoch)
  return bytes
}

export interface NatPmpAnswer {
  readonly result?: number
  readonly epoch?: number
  readonly internalPort?: number
  readonly externalPort?: number
  readonly lifetime?: number
  readonly external?: string
}

/** NAT-PMP's answer to any of its requests (RFC 6886 sections 3.2 and 3.3). */
export const natPmpAnswer = (request: Uint8Array, answer: NatPmpAnswer = {}): Uint8Array => {
  const { result = 0, epoch = 0, external = "203.0.113.7" } = answer
  const isMap = request[1] !== 0
  const bytes = new Uint8Array(isMap ? 16 : 12)
  bytes[1] = request[1] | 128
  put16(bytes, 2, result)
  put32(bytes, 4, epoch)
  if (!isMap) {
    if (result === 0) bytes.set(external.split(".").map(Number), 8)
    return bytes
  }
  put16(bytes, 8, answer.internalPort ?? word16(request, 4))
  if (result !== 0) return bytes
  put16(bytes, 10, answer.externalPort ?? (word16(request, 6) || word16(request, 4)))
  put32(bytes, 12, answer.lifetime ?? word32(request, 8))
  return bytes
}

/** A PCP server that grants what it is asked for, or speaks NAT-PMP alone; its Epoch Time is the clock's seconds. */
export const obliging =
  (speaks: "pcp" | "nat-pmp" = "pcp", answer: PcpAnswer & NatPmpAnswer = {}) =>
  ({ at, bytes }: { readonly at: number; readonly bytes: Uint8Array }): readonly Uint8Array[] => {
    const epoch = 1000 + Math.floor(at / 1000)
    if (speaks === "nat-pmp")
      return [bytes[0] === 0 ? natPmpAnswer(bytes, { epoch, ...answer }) : versionError(0, bytes, epoch)]
    return [bytes[0] === 2 ? pcpAnswer(bytes, { epoch, ...answer }) : versionError(2, bytes, epoch)]
  }
