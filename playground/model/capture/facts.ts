import type { Apart } from "../../../core/decode/index.ts"
import { errorNameOf, FIRST_FORM_PORT, type FlowPorts, parseFlow } from "../../../core/flow/index.ts"
import {
  type Address,
  formatNonce,
  isAny,
  NATPMP_VERSION,
  natPmpOpcodeName,
  natPmpResultName,
  opcodeName,
  opcodeOf,
  type Packet,
  type Parsed,
  PCP_VERSION,
  type PcpOption,
  type PcpRequest,
  type PcpResponse,
  Protocol,
  parse,
  resultName,
} from "../../../core/wire/index.ts"

/** What the list, the filter and the pairing need of a packet; -1 and "" stand for what it has not. */
export interface Facts {
  readonly protocol: "PCP" | "NAT-PMP" | "flow" | "overlay" | "other"
  readonly response: boolean
  /** Without the response bit. */
  readonly opcode: number
  /** `MAP`, `map UDP`. */
  readonly opcodeName: string
  /** Of a response. */
  readonly result: number
  readonly resultName: string
  /** 24 hex digits; of flow allocation the requester's endpoint id, 8 of them. */
  readonly nonce: string
  /** IANA number of the transport that is mapped. */
  readonly transport: number
  readonly internalPort: number
  readonly externalPort: number
  readonly remotePort: number
  readonly lifetime: number
  /** Seconds. */
  readonly epoch: number
  /** All addresses in it but all-zeros ones. */
  readonly addresses: readonly Address[]
  /** Options by their names. */
  readonly options: readonly string[]
}

const NOTHING: Facts = {
  protocol: "other",
  response: false,
  opcode: -1,
  opcodeName: "",
  result: -1,
  resultName: "",
  nonce: "",
  transport: -1,
  internalPort: -1,
  externalPort: -1,
  remotePort: -1,
  lifetime: -1,
  epoch: -1,
  addresses: [],
  options: [],
}

/** What a packet says, read once. Of what cannot be parsed, its first octets say what it was meant to be. */
export const factsOf = (bytes: Uint8Array, parsed: Parsed = parse(bytes)): Facts =>
  parsed.ok ? factsOfPacket(parsed.packet) : factsOfHeader(bytes)

/** The same of flow allocation. */
export const factsOfFlow = (bytes: Uint8Array, { destinationPort }: FlowPorts): Facts => {
  const flow = (opcodeName: string, more: Partial<Facts> = {}): Facts => ({
    ...NOTHING,
    protocol: "flow",
    opcodeName,
    ...more,
  })
  if (destinationPort === FIRST_FORM_PORT) return flow("flow request of 2016")
  const parsed = parseFlow(bytes)
  if (!parsed.ok) return flow("flow management")
  const { message } = parsed
  if (message.kind === "flow-data") return flow(message.data.length === 0 ? "flow keep-alive" : "flow message")
  const nonce = message.requester.toString(16).padStart(8, "0")
  if (message.kind === "flow-request") return flow("FLOW_REQ", { opcode: 1, nonce })
  const { response } = message
  const resultName = response === 0 ? "accepted" : (errorNameOf(response) ?? `refused ${response}`)
  return flow("FLOW_REPLY", { opcode: 1, nonce, response: true, result: Math.abs(response), resultName })
}

/** The same of a frame of an overlay, or of SVP. */
export const factsOfOverlay = ({ dissection, describe }: Apart): Facts => ({
  ...NOTHING,
  protocol: "overlay",
  opcodeName: describe(dissection.root),
})

const factsOfHeader = (bytes: Uint8Array): Facts => {
  if (bytes.length < 2) return NOTHING
  const response = bytes[1] > 127
  const opcode = bytes[1] & 127
  if (bytes[0] === NATPMP_VERSION)
    return { ...NOTHING, protocol: "NAT-PMP", response, opcode, opcodeName: natPmpOpcodeName(opcode) }
  if (bytes[0] !== PCP_VERSION) return { ...NOTHING, response, opcode, opcodeName: `version ${bytes[0]}` }
  const result = response && bytes.length >= 4 ? bytes[3] : -1
  const name = result < 0 ? "" : resultName(result)
  return { ...NOTHING, protocol: "PCP", response, opcode, opcodeName: opcodeName(opcode), result, resultName: name }
}

const factsOfPacket = (packet: Packet): Facts => {
  switch (packet.kind) {
    case "pcp-request":
    case "pcp-response":
      return factsOfPcp(packet)
    case "other-version":
      return { ...NOTHING, response: packet.response, opcode: packet.opcode, opcodeName: `version ${packet.version}` }
    case "natpmp-address-request":
      return natPmp(0, {})
    case "natpmp-address-response":
      return natPmp(0, { ...resultOf(packet.result), epoch: packet.epoch, addresses: real([packet.external]) })
    case "natpmp-map-request":
    case "natpmp-map-response": {
      const { internalPort, externalPort, lifetime } = packet
      const udp = packet.protocol === "udp"
      const response = packet.kind === "natpmp-map-response"
      return natPmp(udp ? 1 : 2, {
        transport: udp ? Protocol.UDP : Protocol.TCP,
        internalPort,
        externalPort,
        lifetime,
        ...(response ? { ...resultOf(packet.result), epoch: packet.epoch } : {}),
      })
    }
    case "natpmp-version-error":
      return natPmp(packet.opcode & 127, { ...resultOf(1), epoch: packet.epoch, opcodeName: "version error" })
    case "natpmp-other-request":
      return natPmp(packet.opcode, {})
    case "natpmp-other-response":
      return natPmp(packet.opcode, resultOf(packet.result))
  }
}

const natPmp = (opcode: number, more: Partial<Facts>): Facts => ({
  ...NOTHING,
  protocol: "NAT-PMP",
  opcode,
  opcodeName: natPmpOpcodeName(opcode),
  ...more,
})

const resultOf = (result: number): Partial<Facts> => ({
  response: true,
  result,
  resultName: natPmpResultName(result),
})

const real = (addresses: readonly Address[]): readonly Address[] => addresses.filter((address) => !isAny(address))

/** In one literal: a capture has a hundred thousand of them. */
const factsOfPcp = (packet: PcpRequest | PcpResponse): Facts => {
  const { body, options, lifetime } = packet
  const opcode = opcodeOf(body)
  const mapping = body.kind === "map" || body.kind === "peer" ? body : undefined
  const peer = body.kind === "peer" ? body : undefined
  const answer = packet.kind === "pcp-response" ? packet : undefined
  const addresses: Address[] = []
  if (packet.kind === "pcp-request") addresses.push(packet.client)
  if (mapping !== undefined && !isAny(mapping.external)) addresses.push(mapping.external)
  if (peer !== undefined) addresses.push(peer.remote)
  for (const option of options) addresses.push(...addressesOf(option))
  return {
    protocol: "PCP",
    response: answer !== undefined,
    opcode,
    opcodeName: opcodeName(opcode),
    result: answer?.result ?? -1,
    resultName: answer === undefined ? "" : resultName(answer.result),
    nonce: mapping === undefined ? "" : formatNonce(mapping.nonce),
    transport: mapping?.protocol ?? -1,
    internalPort: mapping?.internalPort ?? -1,
    externalPort: mapping?.externalPort ?? -1,
    remotePort: peer?.remotePort ?? -1,
    lifetime,
    epoch: answer?.epoch ?? -1,
    addresses: addresses.some(isAny) ? addresses.filter((address) => !isAny(address)) : addresses,
    options: options.length === 0 ? NOTHING.options : options.map(optionNameOf),
  }
}

const optionNameOf = (option: PcpOption): string => (option.kind === "unknown" ? `option ${option.code}` : option.kind)

const addressesOf = (option: PcpOption): readonly Address[] =>
  option.kind === "THIRD_PARTY" ? [option.internal] : option.kind === "FILTER" ? [option.remote] : []
