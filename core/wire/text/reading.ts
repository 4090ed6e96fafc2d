import type { Address } from "../address.ts"

/** A moment of Unix time: whole seconds since 1970, and nanoseconds 0 to 999,999,999 within the second. */
export type Timestamp = { readonly seconds: number; readonly nanoseconds: number }

/** Which form the input was taken for. */
export type Form =
  /** Hex digits: bare, with `0x` or `\x` before each number, or inside quotes. */
  | { readonly kind: "hex"; readonly style: "plain" | "prefixed" | "escaped" | "quoted" }
  /** Bare decimal numbers 0 to 255. */
  | { readonly kind: "decimal" }
  /** A list of numbers in brackets, as C, Go, Rust, JavaScript, Python and others write it. */
  | { readonly kind: "array"; readonly base: "hexadecimal" | "decimal" | "mixed" }
  /** A string literal of escapes and characters. */
  | { readonly kind: "string" }
  | {
      /** Rows of an offset, units, and perhaps characters. */
      readonly kind: "dump"
      readonly tool: "xxd" | "hexdump -C" | "hexdump" | "od" | "tcpdump" | "tshark" | "other"
      readonly offsets: 8 | 10 | 16
      /** How a unit is written: its base, its octets, and whether they stand in their order or as a little-endian number. */
      readonly base: 2 | 8 | 10 | 16
      readonly octets: 1 | 2 | 4 | 8
      readonly order: "written" | "little"
      /** Is there a column of characters beside the octets? */
      readonly characters: boolean
    }
  | { readonly kind: "base64"; readonly alphabet: "standard" | "url" }
  | {
      readonly kind: "pcap"
      readonly order: "big" | "little"
      readonly resolution: "microseconds" | "nanoseconds"
      /** The LINKTYPE_ number of the file header. */
      readonly linkType: number
    }
  | { readonly kind: "pcapng"; readonly order: "big" | "little" }
  /** A file that is one message, octet for octet. */
  | { readonly kind: "octets" }

/** Where something stands. In text: UTF-16 units from 0, line and column from 1. In a file of octets: `offset` alone, in octets. */
export type Place = { readonly offset: number; readonly line?: number; readonly column?: number }

/** What the reader of a result should know, for programs. */
export type ProblemCode =
  /** The text could be something else too: see `ambiguous`. */
  | "ambiguous"
  /** Units of several octets, taken as written by a little-endian machine. */
  | "word-order"
  /** A row's offset is not where the octets before it end: a new packet starts there. */
  | "offset-gap"
  /** The first row's offset is not 0. */
  | "offset-start"
  /** A row's characters are not those of its octets. */
  | "characters-differ"
  /** Lines that are no rows were passed over. */
  | "text-ignored"
  /** A list or string that gives no octets was passed over. */
  | "literal-ignored"
  /** Lines of hex of unequal length were joined to one packet; a blank line would separate them. */
  | "lines-joined"
  /** A number was cut by a line break and put together again. */
  | "digits-joined"
  /** `\x` before more than two hex digits: C reads them all, other languages two; two were read. */
  | "long-escape"
  /** Base64 whose last character has bits that belong to no octet. */
  | "base64-bits"
  /** A tcpdump header line names other ends than the packet has. */
  | "header-differs"
  /** Link, IP and UDP headers were found and taken off. */
  | "headers-stripped"
  /** The IP packets are fragments; they are not put together. */
  | "fragment"
  /** A link type that is not read. */
  | "link-type"
  /** The file ends inside a record or block. */
  | "file-truncated"
  /** A record or block contradicts itself; what follows it cannot be read. */
  | "file-corrupt"

/** Something the reader of a result should know; `places` holds the first ten of `count`. */
export type Problem = {
  /** Short and stable, for programs. */
  readonly code: ProblemCode
  /** `warning`: the packets may be others than those that were meant. */
  readonly severity: "note" | "warning"
  /** For people; of the first occurrence. */
  readonly text: string
  /** How often it was met. */
  readonly count: number
  /** Where, the first ten. */
  readonly places: readonly Place[]
}

/** Why an input gives no packets, for programs. */
export type ErrorCode =
  | "empty"
  /** A character that no form has there. */
  | "unreadable"
  /** A number with an odd count of hex digits. */
  | "odd-digits"
  /** A number above 255, or below -128. */
  | "out-of-range"
  /** A string or comment that does not end. */
  | "unterminated"
  /** A list that was shortened when it was printed (`...`). */
  | "abbreviated"
  /** Text about packets without their octets, such as tcpdump's without -x. */
  | "no-octets"
  /** A dump whose rows would fill more than 16 MiB. */
  | "too-large"
  /** A compressed file. */
  | "compressed"
  /** A file that is neither a capture nor text nor one message. */
  | "not-text"
  /** A capture file whose header is cut or of an unknown version. */
  | "capture-header"

/** What could not be read, and where. */
export type ReadError = { readonly code: ErrorCode; readonly text: string; readonly place: Place }

/**
 * Where each octet of a packet came from. In text, octet `i` came from the UTF-16 units `starts[i]` up to `ends[i]`: its two hex
 * digits, its whole escape or decimal number, the base64 characters or the word that it shares with its neighbours.
 * In a capture, the packet lies whole at octet `offset` of the file.
 */
export type ByteMap =
  | { readonly kind: "text"; readonly starts: Int32Array; readonly ends: Int32Array }
  | { readonly kind: "file"; readonly offset: number }

/** The headers that were taken off a packet. */
export type Encapsulation = {
  /** The link layer: Ethernet, Linux cooked capture of either version, BSD loopback, or none. */
  readonly link: "ethernet" | "sll" | "sll2" | "null" | "raw"
  /** VLAN identifiers, outer first. */
  readonly vlans: readonly number[]
  /** The IP version. */
  readonly ip: 4 | 6
  /** Octets before the payload. */
  readonly headers: number
  /** `absent`: the zero of RFC 768. `unknown`: the packet is cut, or its final destination is not in sight. */
  readonly udpChecksum: "valid" | "invalid" | "absent" | "unknown"
  /** Octets of payload that the capture does not hold. */
  readonly missing: number
}

/** A message as it was found: the UDP payload when there were headers, else all octets. */
export type FoundPacket = {
  /** The message, copied. */
  readonly bytes: Uint8Array
  /** When it was captured. */
  readonly at?: Timestamp
  /** The time as the text has it, when it names no moment by itself (no date, or local time). */
  readonly timeText?: string
  /** IPv4 is IPv4-mapped. The four ends are there together, where headers were found. */
  readonly source?: Address
  /** The UDP source port. */
  readonly sourcePort?: number
  /** Where the packet was going. */
  readonly destination?: Address
  /** The UDP destination port. */
  readonly destinationPort?: number
  /** Where each of its octets came from. */
  readonly map: ByteMap
  /** The headers, where there were any. */
  readonly encapsulation?: Encapsulation
}

/** Why a packet of a capture is no message. */
export type SkipReason =
  /** ARP and other protocols beside IP. */
  | "not-ip"
  | "not-udp"
  /** UDP between other ports than those that are read: 5350 and 5351, or the caller's. */
  | "other-port"
  /** Fragments are not put together. */
  | "fragment"
  /** Cut before the end of the UDP header. */
  | "truncated"
  /** Lengths that contradict each other. */
  | "malformed"
  /** A link type that is not read. */
  | "link-type"

/** Packets that were seen and left out; `first` is where the first of them starts. */
export type Skipped = { readonly reason: SkipReason; readonly count: number; readonly first: Place }

/** The result of {@link read}: packets, or one error with its place. */
export type Reading =
  | {
      readonly ok: true
      readonly form: Form
      /** Other forms that the same text could have; empty when it is clear. */
      readonly ambiguous: readonly Form[]
      readonly packets: readonly FoundPacket[]
      readonly skipped: readonly Skipped[]
      readonly problems: readonly Problem[]
    }
  | { readonly ok: false; readonly error: ReadError }

const BASES = { 2: "binary", 8: "octal", 10: "decimal", 16: "hex" } as const

/** A form's name for people, such as `xxd`, `od, octal words of 2 octets` or `pcap, little-endian, microseconds`. */
export const formatForm = (form: Form): string => {
  switch (form.kind) {
    case "hex":
      return form.style === "plain" ? "hex digits" : `hex digits, ${form.style}`
    case "decimal":
      return "decimal numbers"
    case "array":
      return form.base === "mixed" ? "byte array" : `byte array, ${form.base}`
    case "string":
      return "string with escapes"
    case "dump": {
      const unit = form.octets === 1 ? "octets" : `words of ${form.octets} octets`
      const order = form.order === "little" ? ", little-endian" : ""
      const usual = form.base === 16 && form.order === "written" && form.tool !== "hexdump" && form.tool !== "other"
      if (form.tool === "od") return `od, ${BASES[form.base]} ${unit}${order}, ${BASES[form.offsets]} offsets`
      return usual ? form.tool : `${form.tool === "other" ? "dump" : form.tool}, ${BASES[form.base]} ${unit}${order}`
    }
    case "base64":
      return form.alphabet === "url" ? "base64url" : "base64"
    case "pcap":
      return `pcap, ${form.order}-endian, ${form.resolution}`
    case "pcapng":
      return `pcapng, ${form.order}-endian`
    case "octets":
      return "one message, octet for octet"
  }
}
