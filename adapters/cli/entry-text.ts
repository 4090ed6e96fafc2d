import { formatAddress, isIpv4, NATPMP_VERSION, readIpv4 } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import { formatEndpoint } from "./endpoint.ts"
import { formatPrefix } from "./entry-json.ts"
import type { Asked, Entry } from "./event.ts"
import { mappingEnds, shortOrigin, shortProtocol } from "./mapping-text.ts"
import type { Paint } from "./paint.ts"

/** Prints entries as lines whose columns stay aligned: a column grows with the widest text that it has seen. */
export const entryPrinter = (paint: Paint): ((entry: Entry, time: string) => string) => {
  const widths = { internal: 14, external: 17 }
  const column = (name: keyof typeof widths, text: string): string => {
    widths[name] = Math.max(widths[name], text.length)
    return text.padEnd(widths[name])
  }
  const verb = (event: Entry["event"]): string => paint[COLOURS[event]](event.padEnd(8))

  return (entry, time) => {
    const line = `${paint.dim(time)} ${verb(entry.event)}`
    switch (entry.event) {
      case "created":
      case "renewed":
      case "deleted":
      case "expired": {
        const { mapping, asked, lifetime } = entry
        const ends = mappingEnds(mapping)
        const to = ends.remote === "" ? "" : ` to ${ends.remote}`
        const start = `${line} ${shortProtocol(mapping.protocol).padEnd(4)} ${column("internal", ends.internal)} -> ${column("external", ends.external)}${to}`
        const granted = lifetime === undefined ? "" : ` ${formatLifetime(lifetime, asked?.mapping?.lifetime)}`
        const who = asked === undefined ? shortOrigin(mapping) : by(asked, mapping.internal)
        return `${start}${granted.padEnd(8)} ${who}`
      }
      case "moved": {
        const { internal, external } = mappingEnds(entry.mapping)
        const start = `${line} ${shortProtocol(entry.mapping.protocol).padEnd(4)} ${column("internal", internal)}`
        return `${start} -> ${column("external", external)} from ${formatEndpoint(entry.from)}`
      }
      case "block":
      case "block-over": {
        const { internal, prefixLength, realm, external, firstPort, lastPort } = entry.block
        const whose = realm === undefined ? formatPrefix(internal, prefixLength) : `realm ${formatAddress(realm)}`
        return `${line} ${whose} -> ${formatAddress(external)}:${firstPort}-${lastPort}`
      }
      case "reset":
        return `${line} Epoch Time of ${entry.internal === undefined ? "everybody" : formatAddress(entry.internal)} starts again`
      case "filtered": {
        const end = column("internal", formatEndpoint(entry.internal))
        const count = entry.filters === 1 ? "1 filter" : `${entry.filters} filters`
        const who = entry.asked === undefined ? "" : ` ${by(entry.asked, entry.internal.address)}`
        return `${line} ${shortProtocol(entry.protocol).padEnd(4)} ${end}    ${count}${who}`
      }
      case "answered":
        return `${line} ${entry.asked.opcode}${answer(entry.reply)}, ${by(entry.asked)}`
      case "refused": {
        const lasts = entry.lifetime === undefined ? "" : ` for ${entry.lifetime} s`
        const why = entry.why === undefined ? "" : `: ${entry.why}`
        return `${line} ${entry.asked.opcode}${wanted(entry.asked)}: ${entry.resultName}${lasts}, ${by(entry.asked)}${why}`
      }
      case "dropped":
        return `${line} ${DROPPED.get(entry.reason) ?? entry.reason}, ${entry.octets} ${entry.octets === 1 ? "octet" : "octets"} from ${formatEndpoint(entry.source)}`
    }
  }
}

const COLOURS: Readonly<Record<Entry["event"], keyof Paint>> = {
  created: "green",
  renewed: "cyan",
  deleted: "yellow",
  expired: "yellow",
  filtered: "cyan",
  moved: "yellow",
  block: "green",
  "block-over": "yellow",
  reset: "yellow",
  answered: "blue",
  refused: "red",
  dropped: "magenta",
}

const DROPPED: ReadonlyMap<string, string> = new Map([
  ["outside", "not from the inside"],
  ["too-short", "too short"],
  ["response", "a response, not a request"],
  ["not-serving", "protocol switched off"],
])

/** `7200 s`, and what was asked where it differs: `120 s of 60`. */
const formatLifetime = (granted: number, asked: number | undefined): string =>
  asked === undefined || asked === granted ? `${granted} s` : `${granted} s of ${asked}`

/** `PCP`; and from where, when that is not the mapping's internal address: on behalf of another. */
const by = (asked: Asked, internal?: Endpoint["address"]): string => {
  const { source, protocol, version } = asked
  const name = protocol === "pcp" ? "PCP" : protocol === "nat-pmp" ? "NAT-PMP" : `version ${version}`
  return source.address === internal ? name : `${name} from ${formatEndpoint(source)}`
}

/** ` UDP port 5000`: what a refused request was about. NAT-PMP's opcodes name the protocol themselves. */
const wanted = ({ protocol, mapping }: Asked): string => {
  if (mapping === undefined) return ""
  const name = protocol === "nat-pmp" ? "" : ` ${shortProtocol(mapping.protocol)}`
  return `${name} port ${mapping.internalPort}`
}

/** The address that an answer to NAT-PMP's external address request gives. */
const answer = (reply: Uint8Array): string => {
  if (reply[0] !== NATPMP_VERSION || reply[1] !== 128 || reply.length < 12) return ""
  const address = readIpv4(reply, 8)
  return isIpv4(address) ? ` ${formatAddress(address)}` : ""
}
