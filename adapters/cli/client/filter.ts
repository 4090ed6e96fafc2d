import type { RemoteFilter } from "../../../core/client/index.ts"
import { formatAddress, isIpv4, parseAddress } from "../../../core/wire/index.ts"
import type { Read } from "../read.ts"

const refused = (text: string): Read<RemoteFilter> => ({
  ok: false,
  text: `"${text}" is no filter: expected 192.0.2.0/24:443, 192.0.2.7, [2001:db8::/32]:443 or 2001:db8::/32.`,
})

/**
 * Reads which remote peers may come in: an address, or a prefix of them, and a port. Without a length it is that host alone, and
 * without a port, or with 0, all ports. An IPv6 one with a port stands in brackets, its length within or behind them.
 */
export const readFilter = (text: string): Read<RemoteFilter> => {
  const match = /^\[([^\]/]+)(?:\/(\d{1,3})\]|\](?:\/(\d{1,3}))?)(?::(\d{1,5}))?$/.exec(text)
  const plain = /^([\d.]+)(?:\/(\d{1,3}))?(?::(\d{1,5}))?$/.exec(text) ?? /^([^[\]/]+)(?:\/(\d{1,3}))?$/.exec(text)
  const [host, length, port] =
    match === null ? [plain?.[1], plain?.[2], plain?.[3]] : [match[1], match[2] ?? match[3], match[4]]
  const remote = host === undefined ? undefined : parseAddress(host)
  if (remote === undefined) return refused(text)
  const bits = isIpv4(remote) ? 32 : 128
  const prefixLength = length === undefined ? bits : Number(length)
  // A length of 0 removes all filters (RFC 6887 section 13.3): without --filter there are none.
  if (prefixLength < 1 || prefixLength > bits)
    return { ok: false, text: `"${text}": expected a prefix length from 1 to ${bits}.` }
  const remotePort = port === undefined ? 0 : Number(port)
  if (remotePort > 65535) return { ok: false, text: `"${text}": expected a port from 0 to 65535.` }
  return { ok: true, value: { remote, prefixLength, remotePort } }
}

/** `192.0.2.0/24:443`, `[2001:db8::/32]:443`; without the port where it is all of them. */
export const filterText = ({ remote, prefixLength, remotePort }: RemoteFilter): string => {
  const prefix = `${formatAddress(remote)}/${prefixLength}`
  if (remotePort === 0) return prefix
  return isIpv4(remote) ? `${prefix}:${remotePort}` : `[${prefix}]:${remotePort}`
}
