import { isIpv4, parseAddress } from "../../core/wire/index.ts"
import { type Gateway, gatewayOf, inOrder } from "./gateway.ts"
import { linesOf, wordsOf } from "./lines.ts"

/** What to run on Windows: both families. */
export const ROUTE_PRINT = ["print"] as const

const NUMBER = /^\d{1,10}$/
/** Lines of `=` stand around the routes of one kind. */
const RULE = /^\s*={10,}\s*$/

/**
 * The gateways in what `route print`, also with `-4` or `-6`, prints on Windows, in whatever language: rows are known by their
 * numbers alone. An IPv4 row that is active has five columns, `0.0.0.0 0.0.0.0 gateway interface metric`; one that is persistent
 * has no interface. An IPv6 row has `interface metric ::/0 gateway`, the interface by its index; persistent ones have the same
 * columns, but come after a line of `=` or on an interface 0. What is reached without a gateway has words in its place.
 *
 * `zone` is the index of the interface, and its name is not in the text. Text of any other form has no gateways.
 */
export const parseRoutePrint = (text: string): readonly Gateway[] => {
  const found: (Gateway | undefined)[] = []
  let six: "before" | "active" | "after" = "before"
  for (const line of linesOf(text)) {
    if (RULE.test(line)) {
      if (six === "active") six = "after"
      continue
    }
    const words = wordsOf(line)
    if (NUMBER.test(words[0] ?? "") && words[2]?.includes(":")) {
      if (six === "before") six = "active"
      if (six === "active") found.push(route6(words))
    } else found.push(route4(words))
  }
  return inOrder(found.filter((gateway) => gateway !== undefined))
}

const route4 = (words: readonly string[]): Gateway | undefined => {
  const [destination, mask, gateway, own, metric] = words
  if (words.length !== 5 || destination !== "0.0.0.0" || mask !== "0.0.0.0" || !NUMBER.test(metric)) return undefined
  const [address, ownAddress] = [parseAddress(gateway), parseAddress(own)]
  if (address === undefined || ownAddress === undefined || !isIpv4(address) || !isIpv4(ownAddress)) return undefined
  // Before Vista what is reached without a gateway has the interface's own address in its place.
  if (address === ownAddress) return undefined
  return gatewayOf({ address, interfaceName: undefined, zone: undefined, metric: Number(metric) })
}

const route6 = (words: readonly string[]): Gateway | undefined => {
  const [index, metric, destination, gateway] = words
  if (words.length !== 4 || destination !== "::/0" || Number(index) === 0 || !NUMBER.test(metric)) return undefined
  const address = parseAddress(gateway)
  if (address === undefined || isIpv4(address)) return undefined
  return gatewayOf({ address, interfaceName: undefined, zone: index, metric: Number(metric) })
}
