import { protocolOf } from "../../../core/decode/index.ts"
import type { FlowPorts } from "../../../core/flow/index.ts"
import { joinOctets, putU16, sliceOctets, u16 } from "../../../core/wire/index.ts"
import { readSession, type Session, writeSession } from "../session/index.ts"
import { fromBase64url, toBase64url } from "./base64url.ts"
import { deflate, inflate } from "./deflate.ts"

/** What a link can hold. */
export type Shared =
  /** `ports`, where the octets alone do not say what it is. */
  | { readonly kind: "packet"; readonly bytes: Uint8Array; readonly ports?: FlowPorts }
  | { readonly kind: "session"; readonly session: Session }

/** Characters of a fragment: what chats and mail programs still take for one link. */
export const MOST_CHARACTERS = 32_000
/** Octets that a link may swell to. */
const MOST_PACKET = 65_527
const MOST_SESSION = 2_000_000
/** The version of this form, the first character of a fragment. */
const VERSION = "1"
const KINDS = { packet: "p", session: "s", datagram: "d" } as const
/** Octets of the ports in front of a datagram: source and destination. */
const PORTS = 4

export type FragmentMade =
  | { readonly ok: true; readonly fragment: string }
  | { readonly ok: false; readonly text: string }

export type FragmentRead =
  | { readonly ok: true; readonly shared: Shared }
  /** `empty`: there is none, as when the page is opened by itself. */
  | { readonly ok: false; readonly empty: boolean; readonly text: string }

/**
 * The part of a link behind `#`, which browsers send to no server: version, kind, how the octets are packed (`0` as they are, `1` by
 * DEFLATE), and the octets in base64url. A packet's are its own, a datagram's the packet's behind its ports, a session's are its file.
 */
export const toFragment = async (shared: Shared): Promise<FragmentMade> => {
  const kind = shared.kind === "packet" && needsPorts(shared) ? "datagram" : shared.kind
  const plain = shared.kind === "packet" ? octetsOf(shared) : new TextEncoder().encode(writeSession(shared.session))
  const most = shared.kind === "packet" ? MOST_PACKET : MOST_SESSION
  const over = (what: string): FragmentMade => ({ ok: false, text: `${what}: save it as a file instead` })
  if (plain.length > most) return over(`it has ${plain.length} octets, a link holds ${most}`)
  const packed = await deflate(plain)
  const [mode, octets] = packed.length < plain.length ? ["1", packed] : ["0", plain]
  const fragment = `${VERSION}${KINDS[kind]}${mode}${toBase64url(octets)}`
  return fragment.length > MOST_CHARACTERS
    ? over(`the link would have ${fragment.length} characters, more than ${MOST_CHARACTERS}`)
    : { ok: true, fragment }
}

type SharedPacket = Shared & { readonly kind: "packet" }

/** Do the octets alone not say that it is of flow allocation? */
const needsPorts = ({ bytes, ports }: SharedPacket): boolean => protocolOf(bytes, ports) !== protocolOf(bytes)

const octetsOf = (packet: SharedPacket): Uint8Array => {
  const { bytes, ports = {} } = packet
  if (!needsPorts(packet)) return bytes
  const head = new Uint8Array(PORTS)
  putU16(head, 0, ports.sourcePort ?? 0)
  putU16(head, 2, ports.destinationPort ?? 0)
  return joinOctets([head, bytes])
}

/** What a fragment holds, with or without its `#`: any text gives a packet or session, or why there is none. */
export const fromFragment = async (text: string): Promise<FragmentRead> => {
  const fragment = text.startsWith("#") ? text.slice(1) : text
  const refused = (why: string): FragmentRead => ({ ok: false, empty: fragment === "", text: why })
  if (fragment === "") return refused("the link holds nothing")
  if (fragment.length > MOST_CHARACTERS) return refused(`the link has more than ${MOST_CHARACTERS} characters`)
  if (fragment[0] !== VERSION) return refused("the link is of another version of this page, or none of its links")
  const kind = (["packet", "session", "datagram"] as const).find((one) => KINDS[one] === fragment[1])
  const octets = fromBase64url(fragment.slice(3))
  if (kind === undefined || octets === undefined || !/^[01]$/.test(fragment[2] ?? ""))
    return refused("the link is cut or was changed on its way")
  const most = kind === "session" ? MOST_SESSION : MOST_PACKET + (kind === "datagram" ? PORTS : 0)
  const plain = fragment[2] === "0" ? octets : await inflate(octets, most)
  if (plain === undefined || plain.length > most)
    return refused(`the link is damaged, or holds more than ${most} octets`)
  if (kind === "packet") return { ok: true, shared: { kind, bytes: sliceOctets(plain) } }
  if (kind === "datagram") {
    if (plain.length < PORTS) return refused("the link is cut or was changed on its way")
    const ports = { sourcePort: u16(plain, 0), destinationPort: u16(plain, 2) }
    return { ok: true, shared: { kind: "packet", bytes: sliceOctets(plain, PORTS), ports } }
  }
  const read = readSession(new TextDecoder().decode(plain))
  if (read.ok) return { ok: true, shared: { kind, session: read.session } }
  const [first] = read.faults
  return refused(
    `the session in the link is not sound: ${[first.path, first.text].filter((part) => part !== "").join(": ")}`,
  )
}
