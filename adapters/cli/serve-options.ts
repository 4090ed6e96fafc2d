import { type Command, Option } from "commander"
import type { ServerSettingsError } from "../../core/server/index.ts"
import { parseAddress, SERVER_PORT } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import { readEndpoint } from "./endpoint.ts"
import { readPool, readPorts, type Span } from "./pool.ts"
import { once, type Read, repeated, wholeNumber } from "./read.ts"

/** The options of `serve` as commander hands them over; what is `undefined` was not given. */
export interface ServeOptions {
  readonly listen?: readonly Endpoint[]
  readonly external?: readonly Span[]
  readonly ports?: { readonly first: number; readonly last: number }
  readonly minLifetime?: number
  readonly maxLifetime?: number
  readonly quota?: number
  readonly thirdParty?: boolean
  readonly pcp: boolean
  readonly natPmp: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Loopback of both families. */
export const defaultListen = (): readonly Endpoint[] =>
  ["127.0.0.1", "::1"].flatMap((text) => {
    const address = parseAddress(text)
    return address === undefined ? [] : [{ address, port: SERVER_PORT }]
  })

const LIFETIME = wholeNumber(0, 0xffffffff)

const listed = (text: string): Read<readonly Endpoint[]> => {
  const endpoint = readEndpoint(text)
  return endpoint.ok ? { ok: true, value: [endpoint.value] } : endpoint
}

export const addServeOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "-l, --listen <address[:port]>",
        "where to listen; repeatable (default: 127.0.0.1 and ::1, port 5351)",
      ).argParser(repeated(listed)),
    )
    .addOption(
      new Option(
        "-e, --external <addresses>",
        "pool of external IPv4 addresses: prefixes, ranges, addresses, with commas; repeatable (default: 203.0.113.0/29)",
      ).argParser(repeated(readPool)),
    )
    .addOption(
      new Option("-p, --ports <first-last>", "external ports to assign (default: 1024-65535)").argParser(
        once(readPorts),
      ),
    )
    .addOption(
      new Option("--min-lifetime <seconds>", "least lifetime of a PCP mapping (default: 120)").argParser(
        once(LIFETIME),
      ),
    )
    .addOption(
      new Option("--max-lifetime <seconds>", "most lifetime of any mapping (default: 86400)").argParser(once(LIFETIME)),
    )
    .addOption(
      new Option("-q, --quota <mappings>", "most mappings of one subscriber, 0 for no limit (default: 1024)").argParser(
        once(wholeNumber(0, 0x7fffffff)),
      ),
    )
    .option("--third-party", "allow the THIRD_PARTY option: only where everybody inside is trusted")
    .option("--no-pcp", "answer NAT-PMP alone")
    .option("--no-nat-pmp", "answer PCP alone")
    .option("--quiet", "no line for each event")
    .option("--json", "events and mappings as JSON, one object a line")

/** Which options a setting that the server refuses came from. */
export const optionOf = (code: ServerSettingsError["code"]): string => {
  switch (code) {
    case "empty-pool":
    case "pool-too-large":
    case "bad-address":
      return "'--external'"
    case "bad-ports":
      return "'--ports'"
    case "bad-quota":
      return "'--quota'"
    case "bad-lifetime":
      return "'--min-lifetime' and '--max-lifetime'"
    case "bad-protocols":
      return "'--no-pcp' and '--no-nat-pmp'"
    default:
      return "settings"
  }
}
