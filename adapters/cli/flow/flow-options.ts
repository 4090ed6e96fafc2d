import { type Command, Option } from "commander"
import type { DirectoryEnd } from "../../flow/index.ts"
import type { Endpoint } from "../../udp.ts"
import { readTimeout } from "../client/duration.ts"
import { readEndpoint } from "../endpoint.ts"
import { once, type Read, repeated, wholeNumber } from "../read.ts"

/** What all commands on flows take. `undefined` was not given. */
export interface FlowOptions {
  readonly form?: "first" | "current"
  /** Port -1: none was given. */
  readonly listen?: readonly Endpoint[]
  /** `name=end`. */
  readonly host?: readonly string[]
  readonly dns?: string
  readonly zone?: string
  readonly dnsKey?: string
  /** Milliseconds. */
  readonly timeout?: number
  readonly json?: boolean
}

/** What a command takes that asks for a flow. */
export interface DialOptions extends FlowOptions {
  readonly to?: DirectoryEnd
  /** Seconds. */
  readonly peerTimeout?: number
}

const UNSAID = 65536

/** Reads an end whose port may be left out. */
export const readEnd = (text: string): Read<DirectoryEnd> => {
  const read = readEndpoint(text, UNSAID)
  if (!read.ok) return { ok: false, text: read.text.replaceAll(`:${UNSAID}`, ":3435") }
  const { address, port, zone } = read.value
  return { ok: true, value: { address, port: port === UNSAID ? undefined : port, zone } }
}

const readListen = (text: string): Read<readonly Endpoint[]> => {
  const read = readEnd(text)
  return read.ok ? { ok: true, value: [{ ...read.value, port: read.value.port ?? -1 }] } : read
}

const readHost = (text: string): Read<readonly string[]> => {
  const at = text.lastIndexOf("=")
  const end = at < 1 ? undefined : readEnd(text.slice(at + 1))
  return end?.ok ? { ok: true, value: [text] } : { ok: false, text: `"${text}" is not NAME=ADDRESS[:PORT].` }
}

export const addFlowOptions = (command: Command): Command =>
  command
    .argument("<name>", "the name of the application, 1 to 255 octets")
    .addOption(
      new Option("--form <form>", "the wire form: today's, or that of 2016")
        .choices(["first", "current"])
        .default("current"),
    )
    .addOption(
      new Option(
        "-l, --listen <address[:port]>",
        "our own end; repeatable (default: 0.0.0.0; listen takes port 3435, or 3359 of the first form, others any that is free)",
      ).argParser(repeated(readListen)),
    )
    .addOption(new Option("--host <name=address[:port]>", "where a name is; repeatable").argParser(repeated(readHost)))
    .option("--dns <address[:port]>", "the DNS server that knows names, and takes their updates (RFC 2136)")
    .option("--zone <zone>", "the zone that names stand in (default: the root)")
    .option("--dns-key <file>", "the TSIG key that updates are signed with")
    .option("--json", "one JSON object a line")

export const addDialOptions = (command: Command): Command =>
  addFlowOptions(command)
    .addOption(new Option("--to <address[:port]>", "where the name is, without any directory").argParser(once(readEnd)))
    .addOption(
      new Option("--timeout <seconds>", "give up asking after so long (default: 20)").argParser(once(readTimeout)),
    )
    .addOption(
      new Option(
        "--peer-timeout <seconds>",
        "silence after which the other side is gone; 0: never (default: 120)",
      ).argParser(once(wholeNumber(0, 86400))),
    )
