import { type Command, Option } from "commander"
import type { RemoteFilter } from "../../../core/client/index.ts"
import type { Address, Nonce } from "../../../core/wire/index.ts"
import { once, type Read, repeated, wholeNumber } from "../read.ts"
import { readFilter } from "./filter.ts"
import { readIdentifier, readNonceText } from "./hex.ts"
import { REPEATABLE_SERVER_OPTIONS, readAddress, type ServerOptions } from "./server-options.ts"

/** Where nonces are remembered: a path; `false`, nowhere; `undefined`, the usual file. */
export interface MemoryOptions {
  readonly state?: string | false
}

/** What is asked of a mapping, of either kind. */
export interface MappingOptions extends ServerOptions, MemoryOptions {
  readonly externalPort?: number
  readonly external?: Address
  /** Seconds. */
  readonly lifetime?: number
  readonly thirdParty?: Address
  readonly thirdPartyId?: Uint8Array
  readonly description?: string
  readonly nonce?: Nonce
  readonly keep?: boolean
  /** Show a live table, where there is a terminal. */
  readonly live?: boolean
}

/** What is asked of one for whoever wants to come in. */
export interface InboundOptions extends MappingOptions {
  readonly preferFailure?: boolean
  readonly filter?: readonly RemoteFilter[]
  readonly portSet?: number
  readonly parity?: boolean
  readonly prefix64?: boolean
}

/** Seconds: as most clients ask for. */
export const LIFETIME = 7200

export const REPEATABLE_OPTIONS: readonly string[] = [...REPEATABLE_SERVER_OPTIONS, "filter"]

const readFilters = (text: string): Read<readonly RemoteFilter[]> => {
  const read = readFilter(text)
  return read.ok ? { ok: true, value: [read.value] } : read
}

const readDescription = (text: string): Read<string> =>
  new TextEncoder().encode(text).length > 1016
    ? { ok: false, text: "Expected at most 1016 octets of UTF-8 (RFC 7220)." }
    : { ok: true, value: text }

const readPath = (text: string): Read<string> =>
  text === "" ? { ok: false, text: "Expected a path." } : { ok: true, value: text }

/** `--lifetime 0` deletes on the wire; here that is a command of its own. */
const readLifetime = (text: string): Read<number> =>
  /^0+$/.test(text) ? { ok: false, text: "A lifetime of 0 deletes: use unmap." } : wholeNumber(1, 0xffffffff)(text)

export const addMemoryOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "--state <file>",
        "remember nonces in this file, mode 0600, so that a later run can renew and delete, also what was not answered, which may yet be granted; its folder must be there (default: one in ~/.local/state/sallyport, or in XDG_STATE_HOME)",
      ).argParser(once(readPath)),
    )
    .option("--no-state", "neither read nor write a state file")

const NONCE_DEFAULT = { map: "the remembered one, else a random one", unmap: "the remembered one" } as const

/** Whose mapping it is: needed to delete it as well, by its remembered nonce alone. */
export const addOwnerOptions = (command: Command, purpose: "map" | "unmap"): Command =>
  command
    .addOption(
      new Option(
        "--third-party <address>",
        "for this host, not for ours; few servers allow it (THIRD_PARTY)",
      ).argParser(once(readAddress)),
    )
    .addOption(
      new Option("--third-party-id <hex>", "tells hosts of one address apart (THIRD_PARTY_ID)").argParser(
        once(readIdentifier),
      ),
    )
    .addOption(
      new Option(
        "--nonce <hex>",
        `the mapping's nonce, 24 hex digits, for one server (default: ${NONCE_DEFAULT[purpose]})`,
      ).argParser(once(readNonceText)),
    )

/** What either kind of mapping may be asked for. */
export const addMappingOptions = (command: Command): Command =>
  addMemoryOptions(
    addOwnerOptions(
      command
        .addOption(
          new Option(
            "-p, --external-port <port>",
            "suggest it, 0 for none (default: map suggests the internal port, peer none)",
          ).argParser(once(wholeNumber(0, 65535))),
        )
        .addOption(
          new Option("-e, --external <address>", "suggest it (default: as the server chooses)").argParser(
            once(readAddress),
          ),
        )
        .addOption(
          new Option(
            "-l, --lifetime <seconds>",
            `ask for so long; the server decides (default: ${LIFETIME})`,
          ).argParser(once(readLifetime)),
        )
        .addOption(
          new Option("--description <text>", "for the server's administrator (DESCRIPTION)").argParser(
            once(readDescription),
          ),
        ),
      "map",
    ),
  )

/** And what one for whoever wants to come in may be asked for besides. */
export const addInboundOptions = (command: Command): Command =>
  addMappingOptions(command)
    .option("--prefer-failure", "rather nothing than another external port (PREFER_FAILURE)")
    .addOption(
      new Option(
        "-f, --filter <prefix[:port]>",
        "let in these remote peers alone, such as 192.0.2.0/24:443 or [2001:db8::/32]:443; repeatable (FILTER)",
      ).argParser(repeated(readFilters)),
    )
    .addOption(
      new Option("--port-set <ports>", "so many consecutive ports from this one on, 2 to 65535 (PORT_SET)").argParser(
        once(wholeNumber(2, 65535)),
      ),
    )
    .option("--parity", "with --port-set: even ports to even ones, odd ones to odd")
    .option("--prefix64", "ask for the NAT64's prefix as well (PREFIX64)")
