import {
  formatAddress,
  formatNonce,
  hasPorts,
  isAny,
  isIpv4,
  type MapBody,
  type PcpOption,
  type PcpRequest,
  type PeerBody,
  Protocol,
  parse,
  protocolName,
} from "../../../core/wire/index.ts"
import { protocolNumber, toHex } from "../../../core/wire/text/index.ts"
import { shellWord } from "./shell.ts"

/** A line for a shell. `without`: what of the packet the command has no option for. */
export interface CommandLine {
  readonly line: string
  readonly without: readonly string[]
}

/** The command that takes the packet apart. */
export const decodeCommand = (bytes: Uint8Array): CommandLine => ({
  line: `sallyport decode ${toHex(bytes)}`,
  without: [],
})

/** The command that sends such a request from this host; `undefined` where there is none, as for a response. */
export const requestCommand = (bytes: Uint8Array): CommandLine | undefined => {
  const parsed = parse(bytes)
  if (!parsed.ok) return undefined
  const { packet } = parsed
  switch (packet.kind) {
    case "pcp-request":
      return pcpCommand(packet)
    case "natpmp-address-request":
      return line(["external", "--nat-pmp"])
    case "natpmp-map-request": {
      const { protocol, internalPort, externalPort, lifetime } = packet
      const target = `${internalPort === 0 ? "all" : internalPort}/${protocol}`
      if (lifetime === 0)
        return internalPort === 0 ? line(["unmap", "--all", "--nat-pmp"]) : line(["unmap", target, "--nat-pmp"])
      return line(["map", target, "--external-port", `${externalPort}`, "--lifetime", `${lifetime}`, "--nat-pmp"])
    }
    default:
      return undefined
  }
}

const line = (words: readonly string[], without: readonly string[] = []): CommandLine => ({
  line: ["sallyport", ...words].map(shellWord).join(" "),
  without,
})

const pcpCommand = ({ body, options, lifetime }: PcpRequest): CommandLine | undefined => {
  const { words, without } = optionWords(options)
  switch (body.kind) {
    case "announce":
      return line(
        ["announce", "--pcp"],
        options.map(({ kind }) => kind),
      )
    case "map":
      return lifetime === 0
        ? line(["unmap", targetOf(body), "--nonce", formatNonce(body.nonce), "--pcp", ...words], without)
        : line(["map", targetOf(body), ...endWords(body, lifetime), ...words], without)
    case "peer": {
      const { remote, remotePort } = body
      const host = formatAddress(remote)
      const end = isIpv4(remote) ? `${host}:${remotePort}` : `[${host}]:${remotePort}`
      return line(["peer", targetOf(body), end, ...endWords(body, lifetime), ...words], without)
    }
    default:
      return undefined
  }
}

/** `8080/tcp`, `all/tcp`, `gre`, `all`. */
const targetOf = ({ protocol, internalPort }: MapBody | PeerBody): string => {
  const known = protocolName(protocol).toLowerCase()
  const name =
    protocol === Protocol.ALL
      ? "all"
      : protocolNumber(known) === protocol && /^[a-z0-9-]+$/.test(known)
        ? known
        : `${protocol}`
  if (internalPort !== 0) return `${internalPort}/${name}`
  return hasPorts(protocol) || /^\d/.test(name) ? `all/${name}` : name
}

const endWords = ({ externalPort, external, nonce }: MapBody | PeerBody, lifetime: number): readonly string[] => [
  ...["--external-port", `${externalPort}`],
  ...(isAny(external) ? [] : ["--external", formatAddress(external)]),
  ...["--lifetime", `${lifetime}`, "--nonce", formatNonce(nonce), "--pcp"],
]

const optionWords = (options: readonly PcpOption[]) => {
  const words: string[] = []
  const without: string[] = []
  for (const option of options) {
    const own = wordsOf(option)
    if (own === undefined) without.push(option.kind === "unknown" ? `option ${option.code}` : option.kind)
    else words.push(...own)
  }
  return { words, without }
}

const wordsOf = (option: PcpOption): readonly string[] | undefined => {
  switch (option.kind) {
    case "THIRD_PARTY":
      return ["--third-party", formatAddress(option.internal)]
    case "THIRD_PARTY_ID":
      return ["--third-party-id", toHex(option.id)]
    case "PREFER_FAILURE":
      return ["--prefer-failure"]
    case "DESCRIPTION":
      return ["--description", option.text]
    case "PREFIX64":
      return ["--prefix64"]
    case "PORT_SET":
      return ["--port-set", `${option.size}`, ...(option.parity ? ["--parity"] : [])]
    case "FILTER": {
      const { remote, remotePort, prefixLength } = option
      const bits = isIpv4(remote) ? prefixLength - 96 : prefixLength
      // The command has no word for removing filters.
      if (bits < 1) return undefined
      const prefix = `${formatAddress(remote)}/${bits}`
      if (remotePort === 0) return ["--filter", prefix]
      return ["--filter", isIpv4(remote) ? `${prefix}:${remotePort}` : `[${prefix}]:${remotePort}`]
    }
    default:
      return undefined
  }
}
