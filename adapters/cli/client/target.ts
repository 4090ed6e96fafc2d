import { hasPorts, Protocol } from "../../../core/wire/index.ts"
import type { Read } from "../read.ts"
import { protocolText, readProtocol } from "./protocol.ts"

/** What is mapped: a protocol's port, or all that it has. */
export interface Target {
  /** IANA protocol number; 0 is all protocols. */
  readonly protocol: number
  /** 0 is all ports. */
  readonly port: number
}

const EXPECTED = "expected 8080/tcp, 53/udp, all/tcp, or a protocol alone such as gre or all"

/**
 * Reads `8080/tcp`: a port or `all`, and a protocol by name or number. A protocol alone is all of it. The other way round,
 * `tcp/8080`, means the same where one part is a name.
 */
export const readTarget = (text: string): Read<Target> => {
  const parts = text.split("/")
  if (parts.length > 2 || parts.some((part) => part === "")) return { ok: false, text: `"${text}": ${EXPECTED}.` }
  const [first, second] = parts
  if (second === undefined)
    return /^\d+$/.test(first)
      ? { ok: false, text: `"${text}" has no protocol: expected ${text}/tcp or ${text}/udp.` }
      : targetOf("all", first)
  return isPorts(second) && !isPorts(first) ? targetOf(second, first) : targetOf(first, second)
}

/** A number, or all of them. */
const isPorts = (text: string): boolean => /^(\d+|all)$/i.test(text)

const targetOf = (portText: string, protocolName: string): Read<Target> => {
  const all = portText.toLowerCase() === "all"
  if (!all && (!/^\d{1,5}$/.test(portText) || Number(portText) > 65535))
    return { ok: false, text: `"${portText}" is no port: expected 0 to 65535, or all; 0 is all ports.` }
  const protocol = readProtocol(protocolName)
  if (!protocol.ok) return protocol
  const port = all ? 0 : Number(portText)
  if (port !== 0 && !hasPorts(protocol.value))
    return {
      ok: false,
      text:
        protocol.value === Protocol.ALL
          ? `"${portText}/${protocolName}": all protocols have all ports, not one.`
          : `"${portText}/${protocolName}": ${protocolText(protocol.value)} has no ports; leave them out.`,
    }
  return { ok: true, value: { protocol: protocol.value, port } }
}

/** `8080/tcp`, `all/tcp`; `gre` and `all` where there are no ports to tell apart. */
export const targetText = ({ protocol, port }: Target): string => {
  const name = protocolText(protocol)
  if (port !== 0) return `${port}/${name}`
  return hasPorts(protocol) || /^\d/.test(name) ? `all/${name}` : name
}
