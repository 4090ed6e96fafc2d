import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  type Gateway,
  parseNetstat,
  parsePowershell,
  parseProcNetIpv6Route,
  parseProcNetRoute,
  parseRouteGet,
  parseRoutePrint,
} from "../../../adapters/gateway/index.ts"

/** The parser of each kind of recording, by the kind that its file's name has. */
export const PARSERS: Readonly<Record<string, (text: string) => readonly Gateway[]>> = {
  route: parseProcNetRoute,
  ipv6_route: parseProcNetIpv6Route,
  netstat: parseNetstat,
  "route-get": parseRouteGet,
  "route-print": parseRoutePrint,
  powershell: parsePowershell,
}

const FOLDER = join(import.meta.dirname, "recorded")

export interface Recording {
  /** Without its ending. */
  readonly name: string
  readonly kind: string
  readonly text: string
}

/** Everything in the folder `recorded`. */
export const RECORDINGS: readonly Recording[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".txt"))
  .sort()
  .map((file) => {
    const name = file.slice(0, -".txt".length)
    return { name, kind: name.slice(name.lastIndexOf(".") + 1), text: readFileSync(join(FOLDER, file), "utf8") }
  })
