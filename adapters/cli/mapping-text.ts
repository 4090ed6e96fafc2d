import type { Mapping } from "../../core/cgn/index.ts"
import { Protocol } from "../../core/wire/index.ts"
import { formatEndpoint } from "./endpoint.ts"

const SHORT: ReadonlyMap<number, string> = new Map([
  [Protocol.ALL, "all"],
  [Protocol.TCP, "TCP"],
  [Protocol.UDP, "UDP"],
  [Protocol.SCTP, "SCTP"],
  [Protocol.DCCP, "DCCP"],
])

/** `UDP`, or the number of a protocol that is rarely mapped: short, for a column. */
export const shortProtocol = (protocol: number): string => SHORT.get(protocol) ?? `${protocol}`

/** Which protocol, or what else, made it: `PCP`, `NAT-PMP`, `traffic`. */
export const shortOrigin = ({ origin }: Pick<Mapping, "origin">): string => {
  switch (origin) {
    case "pcp":
      return "PCP"
    case "nat-pmp":
      return "NAT-PMP"
    case "traffic":
      return "traffic"
    case "administrator":
      return "static"
  }
}

/** Its three ends as text; an end that it has not is empty. */
export const mappingEnds = (mapping: Mapping) => ({
  internal: formatEndpoint({ address: mapping.internal, port: mapping.internalPort }),
  external: formatEndpoint({ address: mapping.external, port: mapping.externalPort }),
  remote: mapping.remote === undefined ? "" : formatEndpoint({ address: mapping.remote, port: mapping.remotePort }),
})

/** Whole seconds until it ends; `undefined` if it does not end. The server keeps whole seconds and ends a mapping late, never early. */
export const secondsLeft = (mapping: Mapping, now: number): number | undefined =>
  mapping.expires === Number.POSITIVE_INFINITY ? undefined : Math.max(0, Math.floor((mapping.expires - now) / 1000))

/** `1:59:59`, `59:59`, `0:07`: a countdown. */
export const formatCountdown = (seconds: number | undefined): string => {
  if (seconds === undefined) return "no end"
  const two = (n: number): string => `${n}`.padStart(2, "0")
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
