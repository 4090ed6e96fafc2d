import { type Command, Option } from "commander"
import { Protocol } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import { readEndpoint } from "./endpoint.ts"
import { once, type Read } from "./read.ts"

/** The options of `who` as commander hands them over; what is `undefined` was not given. */
export interface WhoOptions {
  readonly at?: number
  readonly protocol?: number
  readonly config?: string
  readonly log?: string
  readonly json?: boolean
}

const NAMES: ReadonlyMap<string, number> = new Map([
  ["udp", Protocol.UDP],
  ["tcp", Protocol.TCP],
  ["sctp", Protocol.SCTP],
  ["icmp", Protocol.ICMP],
])

const readProtocol = (text: string): Read<number> => {
  const number = NAMES.get(text.toLowerCase()) ?? (/^\d{1,3}$/.test(text) ? Number(text) : 256)
  return number > 255
    ? { ok: false, text: `"${text}" is no protocol: expected ${[...NAMES.keys()].join(", ")}, or a number.` }
    : { ok: true, value: number }
}

/** Reads an RFC 3339 time, with a space for its T or a `Z` left out as well: UTC. Milliseconds since 1970. */
export const readTime = (text: string): Read<number> => {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?$/i.exec(text)
  const time = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}${match[3] ?? "Z"}`)
  return Number.isNaN(time)
    ? { ok: false, text: `"${text}" is no time: expected 2026-11-21T08:00:00Z, or with an offset such as +01:00.` }
    : { ok: true, value: time }
}

const readEnd = (text: string): Read<Endpoint> => {
  const end = readEndpoint(text, 0)
  return end.ok && end.value.port === 0 ? { ok: false, text: `"${text}" has no port: expected 192.0.2.1:2001.` } : end
}

const NOTES = `
A log is what 'serve --json' prints; with "log": "assignments" in its settings it
has nothing else than what this needs. A configuration file alone answers for
static mappings and a deterministic assignment; with a log, it holds until the
log has settings of its own. Times in a log are those of the server's clock.

Exit code 4: nobody had it. 5: lines of the log could not be read.

Examples:
  sallyport who 192.0.2.1:2001 --config serve.jsonc
  sallyport who 192.0.2.1:58204 --at 2026-11-21T08:00:00Z --log events.ndjson`

export const whoCommand = (command: Command): Command =>
  command
    .argument("<address:port>", "the external end; for icmp, the identifier", once(readEnd))
    .addOption(
      new Option("--at <time>", "when, in RFC 3339 (default: at the end of the log)").argParser(once(readTime)),
    )
    .addOption(
      new Option("--protocol <protocol>", "udp, tcp, sctp, icmp or a number (default: udp and tcp)").argParser(
        once(readProtocol),
      ),
    )
    .option("-c, --config <file>", "the server's configuration file")
    .option("-l, --log <file>", "the server's events, one JSON object a line; - for standard input")
    .option("--json", "one JSON object a line")
    .addHelpText("after", NOTES)
    .action(async (end: Endpoint, options: WhoOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { who } = await import("./who-run.ts")
      process.exitCode = await who(end, options)
    })
