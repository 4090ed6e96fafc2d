import {
  type Address,
  ANY6,
  encode,
  type Nonce,
  type Packet,
  type PcpOption,
  type PcpRequest,
  type PcpResponse,
  parseAddress,
  parseNonce,
  ZERO_NONCE,
} from "../../../core/wire/index.ts"
import { directionOf, type OpenedPacket } from "../open/index.ts"
import type { Example, ExampleGroup } from "./example.ts"

export const address = (text: string): Address => parseAddress(text) ?? ANY6

export const CLIENT = address("10.0.0.1")
export const EXTERNAL = address("203.0.113.1")
export const NO_PREFERENCE = address("0.0.0.0")
export const NONCE: Nonce = parseNonce("6e6f6e63652d6f6e652d3131") ?? ZERO_NONCE

/** What every example's MAP and PEER have in common. */
export const MAP = {
  kind: "map",
  nonce: NONCE,
  protocol: 6,
  internalPort: 8080,
  externalPort: 0,
  external: NO_PREFERENCE,
} as const

export const ASSIGNED = { ...MAP, externalPort: 41000, external: EXTERNAL } as const

export const request = (
  body: PcpRequest["body"],
  options: readonly PcpOption[] = [],
  more: Partial<PcpRequest> = {},
): PcpRequest => ({ kind: "pcp-request", lifetime: 7200, client: CLIENT, body, options, ...more })

export const response = (
  body: PcpResponse["body"],
  options: readonly PcpOption[] = [],
  more: Partial<PcpResponse> = {},
): PcpResponse => ({
  kind: "pcp-response",
  result: 0,
  lifetime: 7200,
  epoch: 3600,
  clientTail: undefined,
  body,
  options,
  ...more,
})

const opened = (bytes: Uint8Array): OpenedPacket => ({ bytes, direction: directionOf(bytes) })

/** The octets of a packet; none for one that cannot be, which a test keeps from happening. */
export const octets = (packet: Packet): Uint8Array => {
  const encoded = encode(packet)
  return encoded.ok ? encoded.bytes : new Uint8Array(0)
}

/** Octets of hex digits, for packets that no encoder would write. */
export const hex = (digits: string): Uint8Array =>
  Uint8Array.from(digits.replace(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/** An example of packets: as values to encode, or as octets. */
export const example = (
  group: ExampleGroup,
  id: string,
  title: string,
  why: string,
  ...packets: readonly (Packet | Uint8Array)[]
): Example => ({
  id,
  group,
  title,
  why,
  kind: "packets",
  packets: () => packets.map((one) => opened(one instanceof Uint8Array ? one : octets(one))),
})
