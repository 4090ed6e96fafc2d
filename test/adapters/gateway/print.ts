/** Routing tables as systems print them: the printers of the round trip, written from the recordings and not from the parsers. */
import { type Address, formatAddress, writeAddress } from "../../../core/wire/index.ts"
import type { Table, TableRoute } from "./table.ts"

const octets = (address: Address): readonly number[] => {
  const bytes = new Uint8Array(16)
  writeAddress(bytes, 0, address)
  return [...bytes]
}
const hex = (bytes: readonly number[]): string => bytes.map((octet) => octet.toString(16).padStart(2, "0")).join("")
const zoned = ({ family, router }: TableRoute, zone: string): string => {
  const text = formatAddress(router)
  return family === 6 && text.startsWith("fe80:") ? `${text}%${zone}` : text
}
const of = (table: Table, family: 4 | 6): Table => table.filter((route) => route.family === family)

/** `/proc/net/route`. */
export const procRoute = (table: Table, endian: "little" | "big"): string => {
  const word = (bytes: readonly number[]): string => hex(endian === "little" ? bytes.toReversed() : bytes).toUpperCase()
  const mask = (length: number): readonly number[] =>
    [0, 8, 16, 24].map((at) => (0xff00 >> Math.min(Math.max(length - at, 0), 8)) & 0xff)
  const lines = of(table, 4).map((route) => {
    const flags = { router: "0003", link: "0001", reject: "0201" }[route.to]
    const gateway = route.to === "router" ? octets(route.router).slice(12) : [0, 0, 0, 0]
    const name = route.to === "reject" ? "*" : route.interface.name
    const destination = word(octets(route.destination).slice(12))
    return `${name}\t${destination}\t${word(gateway)}\t${flags}\t0\t0\t${route.metric}\t${word(mask(route.length))}\t0\t0\t0`
  })
  // The kernel fills lines up with blanks.
  return ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT", ...lines]
    .map((line) => `${line.padEnd(127)}\n`)
    .join("")
}

/** `/proc/net/ipv6_route`. */
export const procRoute6 = (table: Table): string =>
  of(table, 6)
    .map((route) => {
      const zero = "0".repeat(32)
      const flags = { router: "00000003", link: "00000001", reject: "00200200" }[route.to]
      const gateway = route.to === "router" ? hex(octets(route.router)) : zero
      const name = route.to === "reject" ? "lo" : route.interface.name
      const length = route.length.toString(16).padStart(2, "0")
      const metric = route.metric.toString(16).padStart(8, "0")
      const destination = hex(octets(route.destination))
      return `${destination} ${length} ${zero} 00 ${gateway} ${metric} 00000001 00000000 ${flags} ${name.padStart(8)}\n`
    })
    .join("")

type System = "macos" | "freebsd" | "openbsd" | "netbsd"

const HEADINGS: Readonly<Record<System, string>> = {
  macos: "Flags               Netif Expire",
  freebsd: "Flags     Netif Expire",
  openbsd: "Flags   Refs      Use   Mtu  Prio Iface",
  netbsd: "Flags    Refs      Use    Mtu Interface",
}

/** `netstat -rn`. */
export const netstat = (table: Table, system: System): string => {
  const section = (family: 4 | 6): readonly string[] => {
    const [destination, gateway] = family === 4 ? [19, 19] : [40, 40]
    const rows = of(table, family).map((route) => {
      const name = route.interface.name
      const to = { router: zoned(route, name), link: `link#${route.interface.index}`, reject: "::1" }[route.to]
      const scope = system === "macos" && route.scoped ? "I" : ""
      const flags = `${{ router: "UGS", link: "UCS", reject: "UGRS" }[route.to]}${scope}`
      const prefix = formatAddress(route.destination).replace(/(\.0)+$/, "")
      const where = route.length === 0 ? "default" : `${prefix}/${route.length}`
      const rest: Readonly<Record<System, string>> = {
        macos: `${flags.padEnd(16)}${name.padStart(9)}       `,
        freebsd: `${flags.padEnd(8)}${name.padStart(7)}`,
        // Every other MTU is locked.
        openbsd: `${flags.padEnd(9)}  0      112 ${route.metric % 2 === 0 ? "    -  " : " 1350 L"} ${`${priority(route)}`.padStart(3)} ${name.padEnd(5)}`,
        netbsd: `${flags.padEnd(9)}  -        -   1500  ${name}`,
      }
      return `${where.padEnd(destination)}${to.padEnd(gateway - 1)} ${rest[system]}`
    })
    const heading = `${"Destination".padEnd(destination)}${"Gateway".padEnd(gateway)}${HEADINGS[system]}`
    return ["", family === 4 ? "Internet:" : "Internet6:", heading, ...rows]
  }
  return ["Routing tables", ...section(4), ...section(6), ""].join("\n")
}

/** OpenBSD has 1 to 63. */
export const priority = ({ metric }: TableRoute): number => (metric % 63) + 1

/** `route -n get default`, of a route that may be any. */
export const routeGet = (route: TableRoute): string => {
  const name = route.interface.name
  const whole = route.length === 0
  const mask = route.family === 4 ? "128.0.0.0" : "8000::"
  const to = { router: zoned(route, name), link: "", reject: "127.0.0.1" }[route.to]
  return [
    "   route to: default",
    `destination: ${whole ? "default" : formatAddress(route.destination)}`,
    `       mask: ${whole ? "default" : mask}`,
    ...(route.to === "link" ? [] : [`    gateway: ${to}`]),
    `  interface: ${name}`,
    `      flags: <UP,${{ router: "GATEWAY,", link: "", reject: "GATEWAY,REJECT," }[route.to]}DONE,STATIC>`,
    " recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire",
    "       0         0         0         0         0         0      1500         0 ",
    "",
  ].join("\n")
}

const LANGUAGES = {
  english: ["Active Routes:", "Persistent Routes:", "On-link", "None"],
  german: ["Aktive Routen:", "Ständige Routen:", "Auf Verbindung", "Keine"],
  chinese: ["活动路由:", "永久路由:", "在链路上", "无"],
  mojibake: ["\ufffd\ufffd\ufffd:", "\ufffd\ufffd:", "\ufffd\ufffd \ufffd", "\ufffd"],
} as const

export const languages = ["english", "german", "chinese", "mojibake"] as const

/** `route print`, with persistent routes `kept`. What rejects has no row. */
export const routePrint = (table: Table, kept: Table, language: (typeof languages)[number]): string => {
  const [active, persistent, onLink, none] = LANGUAGES[language]
  const rule = "=".repeat(75)
  const mask = (length: number): string => (length === 0 ? "0.0.0.0" : "128.0.0.0")
  const printed = (rows: Table, family: 4 | 6): Table => of(rows, family).filter(({ to }) => to !== "reject")
  const four = (route: TableRoute, isKept: boolean): string => {
    const gateway = route.to === "router" ? formatAddress(route.router) : onLink
    const own = isKept ? [] : ["192.0.2.77".padStart(17)]
    const metric = isKept ? "Default" : `${route.metric}`
    const columns = [formatAddress(route.destination), mask(route.length), gateway].map((text) => text.padStart(16))
    return [...columns, ...own, metric.padStart(7)].join(" ")
  }
  const six = (route: TableRoute, isKept: boolean): string => {
    const gateway = route.to === "router" ? formatAddress(route.router) : onLink
    const [index, metric] = isKept ? [0, 4294967295] : [route.interface.index, route.metric]
    const destination = `${formatAddress(route.destination)}/${route.length}`
    return `${`${index}`.padStart(3)} ${`${metric}`.padStart(6)} ${destination.padEnd(24)} ${gateway}`
  }
  const part = (title: string, rows: readonly string[]): readonly string[] =>
    rows.length === 0 ? [title, `  ${none}`] : [title, ...rows, rule]
  return [
    rule,
    " 14...00 1c 42 98 16 7d ......Intel(R) PRO/1000 MT #2",
    "  1...........................Software Loopback Interface 1",
    rule,
    "",
    "IPv4",
    rule,
    ...part(
      active,
      printed(table, 4).map((route) => four(route, false)),
    ),
    ...part(
      persistent,
      printed(kept, 4).map((route) => four(route, true)),
    ),
    "",
    "IPv6",
    rule,
    ...part(
      active,
      printed(table, 6).map((route) => six(route, false)),
    ),
    ...part(
      persistent,
      printed(kept, 6).map((route) => six(route, true)),
    ),
    "",
  ].join("\r\n")
}

/** `Get-NetRoute | ConvertTo-Json`: an array, but of one route that alone. What rejects is not listed. */
export const powershell = (table: Table): string => {
  const routes = table
    .filter(({ to }) => to !== "reject")
    .map((route) => {
      const nothing = route.family === 4 ? "0.0.0.0" : "::"
      const own = Math.min(route.metric, 20)
      return {
        DestinationPrefix: `${formatAddress(route.destination)}/${route.length}`,
        NextHop: route.to === "router" ? formatAddress(route.router) : nothing,
        InterfaceAlias: `Verbindung ${route.interface.name}`,
        InterfaceIndex: route.interface.index,
        RouteMetric: route.metric - own,
        InterfaceMetric: own,
      }
    })
  return routes.length === 0 ? "" : JSON.stringify(routes.length === 1 ? routes[0] : routes)
}
