import { formatAddress } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { formatMac, type Mac, parseMac } from "../mac.ts"
import { isPoint, type TargetPoint } from "../point.ts"
import { isObject, parseJson } from "./files-table.ts"

/** The name by which the flow directory has a host's end: `overlay/23/de:ad:be:ef:00:01`. */
export const portmapName = (prefix: string, vnetid: number, mac: Mac): string => `${prefix}/${vnetid}/${formatMac(mac)}`

/**
 * The text of a file of ends with one host's end put in: the external address and port that its host has from its gateway, and the second
 * since 1970 at which its mapping ends. What else is said of the host and of others stays; `undefined`: the end is gone. An empty
 * text is a file without hosts. EINVAL: the file is no such object, or no frame can be sent to the end; EPROTO: it is no JSON.
 */
export const publishEnd = (
  text: string,
  mac: Mac,
  end: (TargetPoint & { readonly expires?: number | undefined }) | undefined,
): Outcome<string> => {
  const root = text.trim() === "" ? done({}) : parseJson(text)
  if (!root.ok) return root
  if (!isObject(root.value)) return failed("EINVAL", "the file is no object")
  if (end !== undefined && !isPoint(end)) return failed("EINVAL", "no frame can be sent to the end")
  const entries = Object.entries(root.value)
  const before = entries.filter(([key]) => parseMac(key) === mac).at(-1)?.[1]
  const { ip: _, port: __, expires: ___, ...rest } = isObject(before) ? before : {}
  const others = entries.filter(([key]) => parseMac(key) !== mac)
  const own = end === undefined ? rest : { ...rest, ...membersOf(end) }
  const all = Object.keys(own).length === 0 ? others : [...others, [formatMac(mac), own] as const]
  return done(`${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`)
}

const membersOf = ({ address, port, expires }: TargetPoint & { readonly expires?: number | undefined }) => ({
  ip: formatAddress(address),
  port,
  ...(expires === undefined ? {} : { expires }),
})
