import { type Command, Option } from "commander"
import { type Address, parseAddress } from "../../../core/wire/index.ts"
import { once, type Read, repeated } from "../read.ts"
import { readTimeout } from "./duration.ts"

/** Which servers are asked, from where and how long: the options of all commands that ask any. `undefined` was not given. */
export interface ServerOptions {
  /** Addresses or names, perhaps with a port. */
  readonly server?: readonly string[]
  readonly interface?: string
  readonly internalAddress?: Address
  readonly acceptFrom?: readonly Address[]
  readonly pcp?: boolean
  readonly natPmp?: boolean
  /** Milliseconds. */
  readonly timeout?: number
  readonly json?: boolean
}

/** Milliseconds until a command gives up: PCP asks at 0, about 3 and about 9 seconds in it (RFC 6887 section 8.1.1). */
export const TIMEOUT = 20_000

/** Those that may be there more than once. */
export const REPEATABLE_SERVER_OPTIONS: readonly string[] = ["server", "accept-from"]

export const readAddress = (text: string): Read<Address> => {
  const address = parseAddress(text)
  return address === undefined
    ? { ok: false, text: `"${text}" is no address: expected 192.0.2.1 or 2001:db8::1.` }
    : { ok: true, value: address }
}

const readAddresses = (text: string): Read<readonly Address[]> => {
  const read = readAddress(text)
  return read.ok ? { ok: true, value: [read.value] } : read
}

const present =
  (what: string) =>
  (text: string): Read<string> =>
    text === "" ? { ok: false, text: `Expected ${what}.` } : { ok: true, value: text }

const readServer = (text: string): Read<readonly string[]> =>
  text === "" ? { ok: false, text: "Expected an address or a name." } : { ok: true, value: [text] }

export const addServerOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "-s, --server <host[:port]>",
        "the server; repeatable (default: this host's default gateways, port 5351)",
      ).argParser(repeated(readServer)),
    )
    .addOption(
      new Option("-i, --interface <name>", "only the gateways of this interface, from its addresses").argParser(
        once(present("an interface's name")),
      ),
    )
    .addOption(
      new Option(
        "--internal-address <address>",
        "our own address to ask from (default: as the system chooses)",
      ).argParser(once(readAddress)),
    )
    .addOption(
      new Option(
        "--accept-from <address>",
        "take answers from this address as well: routers that share one, by VRRP or CARP; repeatable",
      ).argParser(repeated(readAddresses)),
    )
    .addOption(
      new Option("--pcp", "PCP alone (default: PCP, and NAT-PMP where the server knows no other)").conflicts("natPmp"),
    )
    .addOption(new Option("--nat-pmp", "NAT-PMP alone"))
    .addOption(
      new Option("--timeout <seconds>", `give up after so long (default: ${TIMEOUT / 1000})`).argParser(
        once(readTimeout),
      ),
    )
    .option("--json", "one JSON object a line")
