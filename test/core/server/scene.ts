/**
 * A server on a stage of its own: requests are put together octet by octet from the RFCs' figures, not by the code under
 * test, and replies are read the same way.
 */
import assert from "node:assert/strict"
import { type CgnProfile, type CgnState, createProfile, type Mapping, noteOutbound } from "../../../core/cgn/index.ts"
import {
  advance,
  counters,
  createServer,
  mappings,
  process,
  type Response,
  type ServerOptions,
  type ServerState,
} from "../../../core/server/index.ts"
import { type Address, parseAddress } from "../../../core/wire/index.ts"

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

/** 16 octets of `a.b.c.d` (IPv4-mapped) or of 32 hexadecimal digits. */
export const octets = (text: string): number[] => {
  if (text.includes(".")) return [...new Array<number>(10).fill(0), 255, 255, ...text.split(".").map(Number)]
  return Array.from({ length: 16 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))
}

const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255]
const u32 = (value: number): number[] => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]

export const NONCE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
export const OTHER_NONCE = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]

export interface Fields {
  client?: string
  lifetime?: number
  nonce?: readonly number[]
  protocol?: number
  port?: number
  suggestedPort?: number
  suggested?: string
  remotePort?: number
  remote?: string
  options?: readonly number[]
}

const header = (opcode: number, fields: Fields): number[] => [
  2,
  opcode,
  0,
  0,
  ...u32(fields.lifetime ?? 7200),
  ...octets(fields.client ?? "10.0.0.1"),
]

const mapData = (fields: Fields): number[] => [
  ...(fields.nonce ?? NONCE),
  fields.protocol ?? 17,
  0,
  0,
  0,
  ...u16(fields.port ?? 4000),
  ...u16(fields.suggestedPort ?? 0),
  ...octets(fields.suggested ?? "0.0.0.0"),
]

/** RFC 6887 figure 9. */
export const map = (fields: Fields = {}): number[] => [
  ...header(1, fields),
  ...mapData(fields),
  ...(fields.options ?? []),
]

/** RFC 6887 figure 11. */
export const peer = (fields: Fields = {}): number[] => [
  ...header(2, fields),
  ...mapData(fields),
  ...u16(fields.remotePort ?? 443),
  0,
  0,
  ...octets(fields.remote ?? "198.51.100.7"),
  ...(fields.options ?? []),
]

/** RFC 6887 figure 14. */
export const announce = (fields: Fields = {}): number[] => [
  ...header(0, { lifetime: 0, ...fields }),
  ...(fields.options ?? []),
]

/** An option with its padding (RFC 6887 figure 4). */
export const option = (code: number, data: readonly number[] = []): number[] => [
  code,
  0,
  ...u16(data.length),
  ...data,
  ...new Array<number>((4 - (data.length % 4)) % 4).fill(0),
]

export const thirdParty = (text: string): number[] => option(1, octets(text))
export const preferFailure = (): number[] => option(2)
export const filter = (prefixLength: number, remotePort: number, remote: string): number[] =>
  option(3, [0, prefixLength, ...u16(remotePort), ...octets(remote)])

/** RFC 6886 section 3.3. */
export const natPmpMap = (opcode: 1 | 2, port: number, suggested: number, lifetime: number): number[] => [
  0,
  opcode,
  0,
  0,
  ...u16(port),
  ...u16(suggested),
  ...u32(lifetime),
]

/** A reply's fields, read by the figures of RFC 6887 sections 7.2, 11.1 and 12.1. */
export const read = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const long = bytes.length >= 60
  return {
    version: bytes[0],
    response: bytes[1] >> 7,
    opcode: bytes[1] & 127,
    reserved: bytes[2],
    result: bytes[3],
    lifetime: view.getUint32(4),
    epoch: view.getUint32(8),
    reserved96: [...bytes.subarray(12, 24)],
    nonce: [...bytes.subarray(24, 36)],
    protocol: long ? bytes[36] : -1,
    port: long ? view.getUint16(40) : -1,
    externalPort: long ? view.getUint16(42) : -1,
    external: long ? [...bytes.subarray(44, 60)] : [],
    length: bytes.length,
  }
}

export type Reply = ReturnType<typeof read>

/** A NAT44's profile with some switches set otherwise. */
export const profileWith = (switches: Partial<Omit<CgnProfile, "kind">>): CgnProfile => {
  const made = createProfile("nat444", switches)
  assert.ok(made.ok)
  return made.profile
}

/** What allows THIRD_PARTY: the profile has it, and the threat model is not the simple one (RFC 6887 section 18.1). */
export const THIRD_PARTY: Partial<ServerOptions> = {
  threatModel: "advanced",
  profile: profileWith({ thirdParty: true }),
}

export const POOL = ["203.0.113.1", "203.0.113.2"]

/** The server, its clock at 0 and its state; `send` goes on from the newest state, `state` can be set back. */
export class Scene {
  state: ServerState<CgnState>
  now = 0
  last: Response | undefined

  constructor(options: Partial<ServerOptions> = {}) {
    const made = createServer({
      external: POOL.map(address),
      secret: new Uint8Array(32).fill(7),
      now: 0,
      ...options,
    })
    assert.ok(made.ok)
    this.state = made.state
  }

  /** Sends octets from `source` (the client of the request when not given) and returns the whole response. */
  raw(bytes: readonly number[], source = "10.0.0.1", side: "inside" | "outside" = "inside"): Response {
    const request = { bytes: Uint8Array.from(bytes), now: this.now, source: address(source), sourcePort: 40000, side }
    const [state, response] = process(this.state, request)
    this.state = state
    this.last = response
    return response
  }

  /** The reply's fields; fails when there is none. */
  send(bytes: readonly number[], source = "10.0.0.1"): Reply {
    return read(this.reply(bytes, source))
  }

  reply(bytes: readonly number[], source = "10.0.0.1"): Uint8Array {
    const { reply } = this.raw(bytes, source)
    assert.ok(reply !== undefined, "dropped")
    return reply
  }

  /** The last response's changes but for the counters. */
  get changes() {
    return (this.last?.changes ?? []).filter((change) => change.type !== "counted")
  }

  get mappings(): readonly Mapping[] {
    return mappings(this.state, this.now).mappings
  }

  get counters() {
    return counters(this.state)
  }

  /** An outbound packet from an internal end passes. */
  outbound(internal: string, protocol: number, internalPort: number): void {
    const { state } = noteOutbound(
      this.state.cgnState,
      { protocol, internal: address(internal), internalPort },
      this.now,
    )
    this.state = { ...this.state, cgnState: state }
  }

  /** Lets `seconds` pass and has what ran out taken away. */
  wait(seconds: number) {
    this.now += seconds * 1000
    const [state, advanced] = advance(this.state, this.now)
    this.state = state
    return advanced
  }
}
