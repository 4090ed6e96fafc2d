import type { Change, Mapping } from "../../../core/cgn/index.ts"
import { type Address, formatAddress, isIpv4, protocolName } from "../../../core/wire/index.ts"

/** One line of the change list. */
export interface ChangeLine {
  /** `+` came, `~` changed, `−` went. */
  readonly sign: "+" | "~" | "−"
  readonly text: string
  /** Of the mapping that it is about, as {@link mappingKey}; `undefined`: of none. */
  readonly mapping: string | undefined
}

/** What tells mappings apart, over their whole life. */
export const mappingKey = (m: Mapping): string =>
  [m.kind, m.protocol, m.internal, m.internalPort, m.realm ?? "", m.remote ?? "", m.remotePort].join("|")

/** `10.0.0.1:8080`, `[2001:db8::1]:8080`; without a port where it stands for all. */
export const endText = (address: Address, port: number): string => {
  const host = formatAddress(address)
  if (port === 0) return host
  return isIpv4(address) ? `${host}:${port}` : `[${host}]:${port}`
}

/** `TCP 10.0.0.1:8080 → 203.0.113.1:41000`. */
export const mappingText = ({
  protocol,
  internal,
  internalPort,
  external,
  externalPort,
  remote,
  remotePort,
}: Mapping): string => {
  const ends = `${endText(internal, internalPort)} → ${endText(external, externalPort)}`
  return `${protocolName(protocol)} ${ends}${remote === undefined ? "" : ` for ${endText(remote, remotePort)}`}`
}

/** Changes as lines for people; what was counted is left out, it stands among the counters. */
export const changeLines = (changes: readonly Change[]): readonly ChangeLine[] => changes.flatMap(linesOf)

const linesOf = (change: Change): readonly ChangeLine[] => {
  const line = (sign: ChangeLine["sign"], text: string, mapping?: Mapping): readonly ChangeLine[] => [
    { sign, text, mapping: mapping && mappingKey(mapping) },
  ]
  switch (change.type) {
    case "created":
      return line("+", `${change.mapping.kind} mapping ${mappingText(change.mapping)}`, change.mapping)
    case "renewed":
      return line("~", `renewed ${mappingText(change.mapping)}`, change.mapping)
    case "deleted":
      return line("−", `deleted ${mappingText(change.mapping)}`, change.mapping)
    case "expired":
      return line("−", `ran out ${mappingText(change.mapping)}`, change.mapping)
    case "moved":
      return line(
        "~",
        `moved from ${endText(change.external, change.externalPort)}: ${mappingText(change.mapping)}`,
        change.mapping,
      )
    case "held":
      return line("~", `${endText(change.external, change.externalPort)} is held for ${formatAddress(change.internal)}`)
    case "freed":
      return line("−", `${endText(change.external, change.externalPort)} is free again`)
    case "block":
      return line(
        "+",
        `ports ${change.firstPort} to ${change.lastPort} of ${formatAddress(change.external)} for ${formatAddress(change.internal)}`,
      )
    case "block-over":
      return line(
        "−",
        `ports ${change.firstPort} to ${change.lastPort} of ${formatAddress(change.external)} are free again`,
      )
    case "filtered": {
      const { filters, internal, internalPort } = change
      const what =
        filters.length === 0 ? "no filters" : `${filters.length} ${filters.length === 1 ? "filter" : "filters"}`
      return line("~", `${endText(internal, internalPort)} has ${what} now`)
    }
    case "session":
      return line(
        "+",
        `session ${endText(change.mapped.internal, change.internalPort)} with ${endText(change.remote, change.remotePort)}`,
      )
    case "session-over":
      return line(
        "−",
        `session ${endText(change.mapped.internal, change.internalPort)} with ${endText(change.remote, change.remotePort)}`,
      )
    case "epoch-reset":
      return line("~", "Epoch Time begins again at 0 (RFC 6887 section 8.5)")
    case "subscriber-reset":
      return line("~", `Epoch Time of ${formatAddress(change.internal)} begins again at 0`)
    case "counted":
      return []
  }
}
