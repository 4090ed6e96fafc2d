import { isIpv4, parseAddress } from "../../core/wire/index.ts"
import { type Gateway, gatewayOf, inOrder } from "./gateway.ts"

const SCRIPT = [
  // Names of interfaces are in the system's language.
  "[Console]::OutputEncoding = [Text.Encoding]::UTF8",
  [
    "Get-NetRoute -DestinationPrefix 0.0.0.0/0,::/0 -ErrorAction SilentlyContinue",
    "Select-Object DestinationPrefix,NextHop,InterfaceAlias,InterfaceIndex,RouteMetric,InterfaceMetric",
    "ConvertTo-Json -Compress",
  ].join(" | "),
  // A prefix without a route is an error to the cmdlet, though a silent one.
  "exit 0",
].join("; ")

/** What to run on Windows 8 and later. */
export const POWERSHELL: readonly string[] = ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", SCRIPT]

/** Each default destination, and whether it is IPv4. */
const DEFAULT: ReadonlyMap<unknown, boolean> = new Map([
  ["0.0.0.0/0", true],
  ["::/0", false],
])

/**
 * The gateways in the JSON of `Get-NetRoute … | ConvertTo-Json`, one route or an array of them, with all their properties or those
 * that {@link POWERSHELL} selects. A next hop of all zeros means that there is no gateway. As Windows does, a route is weighed by
 * the sum of its own metric and its interface's; where one is missing, as the latter before Windows 10, it counts as 0. Text of any
 * other form has no gateways.
 */
export const parsePowershell = (text: string): readonly Gateway[] => {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""))
  } catch {
    return []
  }
  const routes: readonly unknown[] = Array.isArray(value) ? value : [value]
  return inOrder(routes.map(gatewayIn).filter((gateway) => gateway !== undefined))
}

const gatewayIn = (route: unknown): Gateway | undefined => {
  const family = DEFAULT.get(property(route, "DestinationPrefix"))
  const nextHop = property(route, "NextHop")
  const address = typeof nextHop === "string" ? parseAddress(nextHop) : undefined
  if (family === undefined || address === undefined || isIpv4(address) !== family) return undefined
  const name = property(route, "InterfaceAlias")
  // `ifIndex` is what the cmdlet's own view calls it.
  const index = whole(route, "InterfaceIndex") ?? whole(route, "ifIndex")
  return gatewayOf({
    address,
    interfaceName: typeof name === "string" && name !== "" ? name : undefined,
    zone: index === undefined ? undefined : `${index}`,
    metric: (whole(route, "RouteMetric") ?? 0) + (whole(route, "InterfaceMetric") ?? 0),
  })
}

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

const whole = (value: unknown, name: string): number | undefined => {
  const found = property(value, name)
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : undefined
}
