import { type Command, Option } from "commander"
import { parseAddress, SERVER_PORT } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import { settingsHelp } from "./config/help.ts"
import { readEndpoint } from "./endpoint.ts"
import { readPool, readPorts, type Span } from "./pool.ts"
import { once, type Read, repeated, wholeNumber } from "./read.ts"

/** The options of `serve` as commander hands them over; what is `undefined` was not given. */
export interface ServeOptions {
  readonly config?: string
  readonly state?: string
  readonly metrics?: Endpoint
  /** A port on loopback; `true`: one that is free. */
  readonly playground?: number | true
  /** A path; `false`: no control socket. */
  readonly control?: string | false
  /** `auto`: one a core. */
  readonly workers?: number | "auto"
  readonly listen?: readonly Endpoint[]
  readonly external?: readonly Span[]
  readonly ports?: { readonly first: number; readonly last: number }
  readonly minLifetime?: number
  readonly maxLifetime?: number
  readonly quota?: number
  readonly thirdParty?: boolean
  readonly fast?: boolean
  readonly nftables?: boolean
  /** Names of interfaces. */
  readonly outside?: readonly string[]
  readonly implicitPorts?: { readonly first: number; readonly last: number }
  readonly keepRules?: boolean
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

/** Where metrics are told when no port is given. */
export const METRICS_PORT = 9351

const present = (text: string): Read<string> =>
  text === "" ? { ok: false, text: "Expected a path." } : { ok: true, value: text }

/** More threads than any machine here has cores for. */
export const MOST_WORKERS = 64

const workers = (text: string): Read<number | "auto"> => {
  const number = text === "auto" ? undefined : wholeNumber(1, MOST_WORKERS)(text)
  if (number === undefined) return { ok: true, value: "auto" }
  return number.ok ? number : { ok: false, text: `Expected a whole number from 1 to ${MOST_WORKERS}, or auto.` }
}

const listed = (text: string): Read<readonly Endpoint[]> => {
  const endpoint = readEndpoint(text)
  return endpoint.ok ? { ok: true, value: [endpoint.value] } : endpoint
}

const SIGNALS = `
Signals:
  SIGINT, SIGTERM  list the mappings and stop
  SIGUSR1          list the mappings
  SIGUSR2          write the state file now
  SIGHUP           read the configuration file again, a bad one changes nothing;
                   listen, interfaces, state, metrics, control and the kind of
                   the profile change at the next start alone;
                   without a file, stop`

export const addServeOptions = (command: Command): Command =>
  command
    .addOption(
      new Option("-c, --config <file>", "settings in JSON with comments; options here go before them").argParser(
        once(present),
      ),
    )
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
        once((text) => readPorts(text)),
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
      new Option(
        "-q, --quota <mappings>",
        "most mappings of one internal address, 0 for no limit (default: 1024)",
      ).argParser(once(wholeNumber(0, 0x7fffffff))),
    )
    .addOption(
      new Option(
        "-w, --workers <number>",
        "worker threads that share the load, or auto: one a core (default: none, the main thread serves)",
      ).argParser(once(workers)),
    )
    .option(
      "--fast",
      "on Linux: send and receive many datagrams a call of the system, by its C library (default: with --nftables)",
    )
    .option("--no-fast", "by the runtime's own sockets, with --nftables too")
    .option(
      "--nftables",
      "on Linux: have the kernel's NAT, firewall or prefix translation do what is mapped, by a table of nftables",
    )
    .addOption(
      new Option(
        "--outside <interface>",
        "with --nftables: what leads outside; repeatable (default: where the default routes lead)",
      ).argParser(repeated((text) => ({ ok: true, value: [text] }))),
    )
    .addOption(
      new Option(
        "--implicit-ports <first-last>",
        "with --nftables: external ports of connections without a mapping, apart from --ports (default: 32768-65535, and --ports 1024-32767)",
      ).argParser(once((text) => readPorts(text))),
    )
    .option("--keep-rules", "with --nftables: leave the table in the kernel when the server stops")
    .option("--third-party", "allow the THIRD_PARTY option: only where everybody inside is trusted")
    .option("--no-pcp", "answer NAT-PMP alone")
    .option("--no-nat-pmp", "answer PCP alone")
    .addOption(
      new Option("-s, --state <file>", "keep mappings and epoch over a restart in this file").argParser(once(present)),
    )
    .addOption(
      new Option(
        "-m, --metrics <address[:port]>",
        "Prometheus metrics and /healthz over HTTP (default port: 9351)",
      ).argParser(once((text) => readEndpoint(text, METRICS_PORT))),
    )
    .addOption(
      new Option(
        "--playground [port]",
        "show this server live in a page on 127.0.0.1, to whoever has its address (default port: one that is free)",
      ).argParser(once(wholeNumber(0, 65535))),
    )
    .addOption(
      new Option("--control <path>", "path of the control socket (default: one that the commands find)").argParser(
        once(present),
      ),
    )
    .option("--no-control", "no control socket")
    .option("--quiet", "no line for each event")
    .option("--json", "events and mappings as JSON, one object a line")
    .addHelpText("after", () => `${SIGNALS}\n\n${settingsHelp()}`)

/** Which options a setting came from, by its name in a configuration file. */
export const optionOf = (setting: string | number | undefined): string => {
  switch (setting) {
    case "external":
      return "'--external'"
    case "ports":
      return "'--ports'"
    case "quota":
      return "'--quota'"
    case "state":
      return "'--state'"
    case "lifetimes":
      return "'--min-lifetime' and '--max-lifetime'"
    case "pcp":
      return "'--no-pcp' and '--no-nat-pmp'"
    default:
      return "settings"
  }
}
