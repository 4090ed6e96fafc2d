import { isIpv4 } from "../../core/wire/index.ts"
import { bsdGateway } from "./bsd-gateway.ts"
import { type Gateway, inOrder } from "./gateway.ts"
import { linesOf, wordsOf } from "./lines.ts"

/** What to run, on macOS, FreeBSD, OpenBSD and NetBSD: both families, in numbers. */
export const NETSTAT = ["-rn"] as const

/** The columns of one table. */
interface Columns {
  readonly names: readonly string[]
  readonly interfaceAt: number
  /** Characters between the beginnings of the gateway and of what follows. */
  readonly room: number
}

const INTERFACE = ["Netif", "Iface", "Interface"]

/**
 * The gateways of both families in what `netstat -rn` prints on macOS, FreeBSD, OpenBSD and NetBSD: a table after `Internet:` and
 * one after `Internet6:`, under a line of headings that each of them has its own. Default routes are the rows `default`; `0/1` of
 * a VPN and the like are not.
 *
 * OpenBSD's `Prio` is the metric. The others have none: theirs are 0, and 1 for the routes of macOS that hold only for who asks
 * for that interface (flag `I`). Text of any other form has no gateways.
 */
export const parseNetstat = (text: string): readonly Gateway[] => {
  let family: 4 | 6 | undefined
  let columns: Columns | undefined
  const found: Gateway[] = []
  for (const line of linesOf(text)) {
    const words = wordsOf(line)
    if (words.length === 1 && words[0].endsWith(":")) {
      family = words[0] === "Internet:" ? 4 : words[0] === "Internet6:" ? 6 : undefined
      columns = undefined
    } else if (words[0] === "Destination") columns = columnsOf(line, words)
    else if (columns !== undefined && words[0] === "default") {
      const gateway = gatewayIn(words, columns)
      if (gateway !== undefined && (isIpv4(gateway.address) ? 4 : 6) === family) found.push(gateway)
    }
  }
  return inOrder(found)
}

const columnsOf = (line: string, names: readonly string[]): Columns | undefined => {
  if (names[1] !== "Gateway" || names[2] !== "Flags") return undefined
  const interfaceAt = names.findIndex((name) => INTERFACE.includes(name))
  return { names, interfaceAt, room: line.indexOf("Flags") - line.indexOf("Gateway") - 1 }
}

const gatewayIn = (words: readonly string[], { names, interfaceAt, room }: Columns): Gateway | undefined => {
  const [, text, flags] = words
  if (flags === undefined || !/^\w+$/.test(flags) || !flags.includes("U") || !flags.includes("G")) return undefined
  // Rejected and blackholed.
  if (/[RB]/.test(flags)) return undefined
  // Counted from the end where nothing may be missing there: before it OpenBSD has an `L` for a locked MTU, or hasn't.
  const fromEnd = names.length - interfaceAt
  const at = fromEnd === 1 ? words.length - 1 : interfaceAt
  const interfaceName = interfaceAt < 0 || at <= 2 ? undefined : words[at]
  const priority = names.at(-2) === "Prio" ? words.at(-2) : undefined
  const metric = priority !== undefined && /^\d{1,3}$/.test(priority) ? Number(priority) : flags.includes("I") ? 1 : 0
  return bsdGateway({ text, interfaceName, metric, room })
}
