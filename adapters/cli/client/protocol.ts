import { Protocol, protocolName } from "../../../core/wire/index.ts"
import { protocolNumber } from "../../../core/wire/text/index.ts"
import type { Read } from "../read.ts"

/** Reads the name of an IANA protocol, in any case, or its number, 0 to 255; `all` and 0 are all protocols (RFC 6887 section 11.1). */
export const readProtocol = (text: string): Read<number> => {
  const number = text.toLowerCase() === "all" ? Protocol.ALL : protocolNumber(text)
  return number === undefined
    ? { ok: false, text: `"${text}" is no protocol: expected tcp, udp, sctp, all, or an IANA number from 0 to 255.` }
    : { ok: true, value: number }
}

/** `tcp`, `all`, or a number: what {@link readProtocol} reads. */
export const protocolText = (protocol: number): string => {
  if (protocol === Protocol.ALL) return "all"
  const name = protocolName(protocol).toLowerCase()
  return protocolNumber(name) === protocol && /^[a-z0-9-]+$/.test(name) ? name : `${protocol}`
}
