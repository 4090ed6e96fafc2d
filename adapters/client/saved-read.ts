import {
  checkRequest,
  type MappingRequest,
  type Mode,
  type SavedLease,
  type SavedMapping,
} from "../../core/client/index.ts"
import {
  type Address,
  ANNOUNCE_BODY,
  ANY6,
  encode,
  NO_OPTIONS,
  type PcpOption,
  parse,
  parseAddress,
  parseNonce,
  ZERO_NONCE,
} from "../../core/wire/index.ts"
import { SAVED_FORMAT, SAVED_VERSION } from "./saved-json.ts"

/** What is wrong with saved JSON, and where: `mappings[0].leases[1].nonce`. */
export interface SavedError {
  /** Where, from the root. */
  readonly path: string
  /** One line for people. */
  readonly text: string
}

/** The mappings in saved JSON, or the first fault. */
export type SavedRead =
  | { readonly ok: true; readonly mappings: readonly SavedMapping[] }
  | { readonly ok: false; readonly errors: readonly SavedError[] }

/**
 * Reads what `savedToJson` wrote, of whatever kind it turns out to be: never throws. What was left of each lifetime is less by the
 * time since then. One fault, and nothing is read: mappings that are lost here can be neither renewed nor deleted.
 */
export const savedFromJson = (json: unknown, wallClock: number): SavedRead => {
  const fault = faults()
  const top = fault.object(json, "")
  const savedAt = fault.number(top.savedAt, "savedAt", 0, Number.MAX_SAFE_INTEGER)
  if (top.format !== SAVED_FORMAT) fault.say("format", `it is not ${JSON.stringify(SAVED_FORMAT)}`)
  else if (top.version !== SAVED_VERSION) fault.say("version", `it is not ${SAVED_VERSION}`)
  // A wall clock may have been set back since.
  const elapsed = Math.max(0, wallClock - savedAt) / 1000
  const mappings = fault
    .array(top.mappings, "mappings")
    .map((one, index) => mappingOf(fault, one, `mappings[${index}]`, elapsed))
  const ids = new Set<string>()
  for (const [index, { id }] of mappings.entries()) {
    if (ids.has(id)) fault.say(`mappings[${index}].id`, "it is there twice")
    ids.add(id)
  }
  return fault.errors.length === 0 ? { ok: true, mappings } : { ok: false, errors: fault.errors }
}

type Faults = ReturnType<typeof faults>
type Fields = Readonly<Record<string, unknown>>

/** Readers that say what is wrong and go on with something of the right type. */
const faults = () => {
  const errors: SavedError[] = []
  const say = (path: string, text: string): void => {
    errors.push({ path, text })
  }
  const isObject = (value: unknown): value is Fields =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  return {
    errors,
    say,
    object: (value: unknown, path: string): Fields => {
      if (isObject(value)) return value
      say(path, "it is no object")
      return {}
    },
    array: (value: unknown, path: string): readonly unknown[] => {
      if (Array.isArray(value)) return value
      say(path, "it is no array")
      return []
    },
    number: (value: unknown, path: string, least: number, most: number): number => {
      if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value
      say(path, `it is no whole number from ${least} to ${most}`)
      return least
    },
    text: (value: unknown, path: string): string => {
      if (typeof value === "string") return value
      say(path, "it is no text")
      return ""
    },
    flag: (value: unknown, path: string): boolean => {
      if (typeof value === "boolean") return value
      say(path, "it is neither true nor false")
      return false
    },
    oneOf: <T extends string>(value: unknown, path: string, known: readonly [T, ...T[]]): T => {
      const found = known.find((one) => one === value)
      if (found === undefined) say(path, `it is none of ${known.join(", ")}`)
      return found ?? known[0]
    },
    hex: (value: unknown, path: string): Uint8Array => {
      if (typeof value === "string" && /^([0-9a-f]{2})*$/i.test(value))
        return Uint8Array.from(value.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))
      say(path, "it is no hex")
      return new Uint8Array()
    },
    address: (value: unknown, path: string): Address => {
      const address = typeof value === "string" ? parseAddress(value) : undefined
      if (address !== undefined) return address
      say(path, "it is no address")
      return ANY6
    },
  }
}

const PORT = 65535
const SECONDS = 0xffffffff

const mappingOf = (fault: Faults, json: unknown, path: string, elapsed: number): SavedMapping => {
  const fields = fault.object(json, path)
  const id = fault.text(fields.id, `${path}.id`)
  if (id === "") fault.say(`${path}.id`, "it is empty")
  const request = requestOf(fault, fields.request, `${path}.request`)
  const mode = modeOf(fault, fields.mode, `${path}.mode`)
  const leases = fault
    .array(fields.leases, `${path}.leases`)
    .map((one, index) => leaseOf(fault, one, `${path}.leases[${index}]`, elapsed))
  return { id, request, mode, leases }
}

const modeOf = (fault: Faults, json: unknown, path: string): Mode => {
  const fields = fault.object(json, path)
  const kind = fault.oneOf(fields.kind, `${path}.kind`, ["once", "repeat", "keep"])
  return kind === "repeat" ? { kind, times: fault.number(fields.times, `${path}.times`, 0, SECONDS) } : { kind }
}

const leaseOf = (fault: Faults, json: unknown, path: string, elapsed: number): SavedLease => {
  const fields = fault.object(json, path)
  const nonce = typeof fields.nonce === "string" ? parseNonce(fields.nonce) : undefined
  if (nonce === undefined) fault.say(`${path}.nonce`, "it is no nonce of 24 hex digits")
  return {
    server: fault.text(fields.server, `${path}.server`),
    protocol: fault.oneOf(fields.protocol, `${path}.protocol`, ["pcp", "nat-pmp"]),
    nonce: nonce ?? ZERO_NONCE,
    external: optional(fields.external, (value) => fault.address(value, `${path}.external`)),
    externalPort: fault.number(fields.externalPort, `${path}.externalPort`, 0, PORT),
    remaining: Math.max(0, Math.floor(fault.number(fields.remaining, `${path}.remaining`, 0, SECONDS) - elapsed)),
  }
}

const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === undefined ? undefined : read(value)

const requestOf = (fault: Faults, json: unknown, path: string): MappingRequest => {
  const fields = fault.object(json, path)
  const { errors } = fault
  const before = errors.length
  const common = {
    protocol: fault.number(fields.protocol, `${path}.protocol`, 0, 255),
    internalPort: fault.number(fields.internalPort, `${path}.internalPort`, 0, PORT),
    lifetime: fault.number(fields.lifetime, `${path}.lifetime`, 1, SECONDS),
    externalPort: optional(fields.externalPort, (value) => fault.number(value, `${path}.externalPort`, 0, PORT)),
    external: optional(fields.external, (value) => fault.address(value, `${path}.external`)),
    thirdParty: optional(fields.thirdParty, (value) => fault.address(value, `${path}.thirdParty`)),
    thirdPartyId: optional(fields.thirdPartyId, (value) => fault.hex(value, `${path}.thirdPartyId`)),
    description: optional(fields.description, (value) => fault.text(value, `${path}.description`)),
    options: optional(fields.options, (value) => optionsFrom(fault, value, `${path}.options`)),
  }
  const request: MappingRequest =
    fault.oneOf(fields.kind, `${path}.kind`, ["inbound", "outbound"]) === "outbound"
      ? {
          kind: "outbound",
          ...common,
          remote: fault.address(fields.remote, `${path}.remote`),
          remotePort: fault.number(fields.remotePort, `${path}.remotePort`, 1, PORT),
        }
      : { kind: "inbound", ...common, ...inboundOf(fault, fields, path) }
  const error = errors.length === before ? checkRequest(request) : undefined
  if (error !== undefined) fault.say(path, error.text)
  return request
}

const inboundOf = (fault: Faults, fields: Fields, path: string) => ({
  preferFailure: optional(fields.preferFailure, (value) => fault.flag(value, `${path}.preferFailure`)),
  prefix64: optional(fields.prefix64, (value) => fault.flag(value, `${path}.prefix64`)),
  portSet: optional(fields.portSet, (value) => {
    const set = fault.object(value, `${path}.portSet`)
    return {
      size: fault.number(set.size, `${path}.portSet.size`, 2, PORT),
      parity: fault.flag(set.parity, `${path}.portSet.parity`),
    }
  }),
  filters: optional(fields.filters, (value) =>
    fault.array(value, `${path}.filters`).map((one, index) => {
      const at = `${path}.filters[${index}]`
      const filter = fault.object(one, at)
      return {
        remote: fault.address(filter.remote, `${at}.remote`),
        prefixLength: fault.number(filter.prefixLength, `${at}.prefixLength`, 1, 128),
        remotePort: fault.number(filter.remotePort, `${at}.remotePort`, 0, PORT),
      }
    }),
  ),
})

const optionsFrom = (fault: Faults, value: unknown, path: string): readonly PcpOption[] => {
  const octets = fault.hex(value, path)
  const header = encode({ kind: "pcp-request", lifetime: 0, client: ANY6, body: ANNOUNCE_BODY, options: NO_OPTIONS })
  const parsed = parse(Uint8Array.from([...(header.ok ? header.bytes : []), ...octets]))
  if (parsed.ok && parsed.packet.kind === "pcp-request") return parsed.packet.options
  fault.say(path, "these are no options")
  return []
}
