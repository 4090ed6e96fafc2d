import { isIpv4 } from "../../core/wire/index.ts"
import { bsdGateway } from "./bsd-gateway.ts"
import type { Gateway } from "./gateway.ts"
import { linesOf } from "./lines.ts"

/** What to run for each family, on macOS, FreeBSD, OpenBSD and NetBSD. */
export const ROUTE_GET = { 4: ["-n", "get", "default"], 6: ["-n", "get", "-inet6", "default"] } as const

/** How the default destination and its mask are printed, and of which families. */
const DEFAULT: Readonly<Record<string, readonly (4 | 6)[]>> = { default: [4, 6], "0.0.0.0": [4], "::": [6] }

const FIELD = /^\s*([a-z][a-z ]*):(.*)$/

/**
 * The gateway in what `route -n get default` or `route -n get -inet6 default` prints on macOS, FreeBSD, OpenBSD and NetBSD; none,
 * or one. The command shows the route that a packet to 0.0.0.0 would take, and where a VPN has split the default in halves that is
 * `destination: default` with the mask 128.0.0.0: no default route. The metric is OpenBSD's priority, or 0. Text of any other
 * form has no gateways.
 */
export const parseRouteGet = (text: string): readonly Gateway[] => {
  const fields = new Map<string, string>()
  for (const line of linesOf(text)) {
    const [, name, value] = FIELD.exec(line) ?? []
    if (name !== undefined && !fields.has(name)) fields.set(name, value.trim())
  }
  const families = familiesOf(fields.get("destination")).filter((family) =>
    familiesOf(fields.get("mask")).includes(family),
  )
  const flags = (/^<(.*)>$/.exec(fields.get("flags") ?? "")?.[1] ?? "").split(",")
  if (!flags.includes("UP") || !flags.includes("GATEWAY")) return []
  if (flags.includes("REJECT") || flags.includes("BLACKHOLE")) return []
  const metric = Number(/^(\d{1,3})\b/.exec(fields.get("priority") ?? "")?.[1] ?? 0)
  const gateway = bsdGateway({ text: fields.get("gateway") ?? "", interfaceName: fields.get("interface"), metric })
  return gateway !== undefined && families.includes(isIpv4(gateway.address) ? 4 : 6) ? [gateway] : []
}

const familiesOf = (text: string | undefined): readonly (4 | 6)[] =>
  text !== undefined && Object.hasOwn(DEFAULT, text) ? DEFAULT[text] : []
