import { CGN_DEFAULTS, type CgnChangeable } from "../../core/cgn/index.ts"
import { type Address, addressFromIpv4, formatAddress, ipv4Value } from "../../core/wire/index.ts"
import { formatPrefix } from "./entry-json.ts"

/** The settings that say whose an external port is, as RFC 7422 section 3 wants them logged: I, O, C, D, M, A and R. */
export const assignmentRecord = (settings: CgnChangeable): object => {
  const { assignment = CGN_DEFAULTS.assignment, subscriberPrefix = CGN_DEFAULTS.subscriberPrefix } = settings
  const { external, ports } = settings
  const common = { external: spansText(external), ports: `${ports.first}-${ports.last}`, subscriberPrefix }
  if (assignment.kind !== "deterministic") return { ...assignment, ...common }
  const internal = assignment.internal.map(({ address, prefixLength }) => formatPrefix(address, prefixLength))
  return { ...assignment, algorithm: 0, internal, ...common }
}

/** A pool as text, in its order: `203.0.113.0-203.0.113.7,198.51.100.1`. */
const spansText = (pool: readonly Address[]): string => {
  const spans: { first: number; last: number }[] = []
  for (const address of pool) {
    const value = ipv4Value(address)
    const span = spans.at(-1)
    if (span !== undefined && span.last + 1 === value) span.last = value
    else spans.push({ first: value, last: value })
  }
  const text = (value: number): string => formatAddress(addressFromIpv4(value))
  return spans.map(({ first, last }) => (first === last ? text(first) : `${text(first)}-${text(last)}`)).join()
}
