import { type Address, formatAddress, isIpv4, parseAddress, SERVER_PORT } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import type { Read } from "./read.ts"

/** `127.0.0.1:5351`, `[::1]:5351`, `[fe80::1%eth0]:5351`. */
export const formatEndpoint = ({ address, port, zone }: Endpoint): string => {
  const host = zone === undefined ? formatAddress(address) : `${formatAddress(address)}%${zone}`
  return isIpv4(address) ? `${host}:${port}` : `[${host}]:${port}`
}

/** Reads an address with or without a port; an IPv6 one with a port stands in brackets (RFC 3986 section 3.2.2). */
export const readEndpoint = (text: string, defaultPort: number = SERVER_PORT): Read<Endpoint> => {
  const match = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? /^([^:]*)(?::([^:]*))?$/.exec(text)
  const [host, portText] = match === null ? [text, undefined] : [match[1], match[2]]
  const [addressText, zone, more] = host.split("%")
  const address: Address | undefined = parseAddress(addressText)
  const shown = defaultPort === 0 ? 80 : defaultPort
  if (address === undefined || more !== undefined || zone === "")
    return {
      ok: false,
      text: `"${text}" is no address: expected 192.0.2.1, 192.0.2.1:${shown}, ::1 or [::1]:${shown}.`,
    }
  if (portText === undefined) return { ok: true, value: { address, port: defaultPort, zone } }
  if (!/^\d{1,5}$/.test(portText) || Number(portText) > 65535)
    return { ok: false, text: `"${portText}" is no port: expected 0 to 65535.` }
  return { ok: true, value: { address, port: Number(portText), zone } }
}
