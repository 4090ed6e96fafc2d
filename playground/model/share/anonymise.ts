import { blake2s } from "@noble/hashes/blake2.js"
import type { Prefix } from "../../../core/cgn/index.ts"
import { type PacketPorts, takeApart } from "../../../core/decode/index.ts"
import {
  type Address,
  type FieldNode,
  isIpv4,
  readAddress,
  readIpv4,
  walk,
  writeAddress,
} from "../../../core/wire/index.ts"
import { type OpenedPacket, portsOf } from "../open/index.ts"
import type { CgnConfiguration, Session, SessionStep } from "../session/index.ts"
import { type AddressCloak, addressCloak } from "./anonymous-address.ts"

/** Takes from packets and sessions what tells whose they are. With the same key the same stays the same, in all of them. */
export interface Anonymiser {
  readonly address: AddressCloak
  readonly bytes: (bytes: Uint8Array, ports?: PacketPorts) => Uint8Array
  readonly packet: (packet: OpenedPacket) => OpenedPacket
  readonly session: (session: Session) => Session
}

/**
 * Addresses keep the prefixes that they share ({@link addressCloak}); nonces, identifiers and authentication data become others of
 * the same length, descriptions as many letters as they had octets, and what nobody knows the meaning of noise. Lengths, ports, lifetimes,
 * results and everything else that is wrong or right with a packet stay. `key`: 32 random octets, to be forgotten.
 */
export const anonymiser = (key: Uint8Array): Anonymiser => {
  const cloak = addressCloak(blake2s(key))
  const noise = (octets: Uint8Array, label: number): Uint8Array => {
    const out = new Uint8Array(octets.length)
    const seed = blake2s(octets, { key: blake2s(Uint8Array.of(label, ...key)) })
    for (let at = 0, count = 0; at < out.length; at += 32, count++)
      out.set(blake2s(Uint8Array.of(count & 255, count >>> 8, ...seed)).subarray(0, out.length - at), at)
    return out
  }
  const bytes: Anonymiser["bytes"] = (original, ports) => anonymiseOctets(original, ports, cloak, noise)
  const end = <T extends { readonly address: Address }>(one: T): T => ({ ...one, address: cloak(one.address) })
  return {
    address: cloak,
    bytes,
    packet: (packet) => ({
      ...packet,
      bytes: bytes(packet.bytes, portsOf(packet)),
      ...(packet.source === undefined ? {} : { source: end(packet.source) }),
      ...(packet.destination === undefined ? {} : { destination: end(packet.destination) }),
    }),
    session: (session) => ({
      ...session,
      title: "",
      note: "",
      configuration: anonymiseConfiguration(session.configuration, cloak),
      steps: session.steps.map((step) => anonymiseStep(step, cloak, bytes)),
      ...(session.tries === undefined
        ? {}
        : {
            tries: session.tries.map((one, i) => ({
              ...one,
              name: `try ${i + 1}`,
              step: anonymiseStep(one.step, cloak, bytes),
            })),
          }),
    }),
  }
}

type Noise = (octets: Uint8Array, label: number) => Uint8Array

const anonymiseOctets = (
  original: Uint8Array,
  ports: PacketPorts | undefined,
  cloak: AddressCloak,
  noise: Noise,
): Uint8Array => {
  const { protocol, dissection } = takeApart(original, ports)
  const out = original.slice()
  let prefixLength = 128
  for (const node of walk(dissection.root)) {
    if (node.children.length > 0 || node.length === 0) continue
    if (node.field.kind === "prefixLength") prefixLength = node.value
    // Of other protocols numbers say how something is to be, and whose it is is said by names, addresses and octets alone.
    if (protocol !== "port-control" && (node.field.kind === "uint" || node.field.name === "Bandwidth")) continue
    const other = anonymiseField(original, node, cloak, noise)
    if (other === undefined) continue
    // A FILTER whose prefix has no host bits has none afterwards.
    if (node.field.name === "Remote Peer IP Address" && node.field.rfc.includes("13.3"))
      clearHostBits(other, original.subarray(node.offset, node.offset + node.length), prefixLength)
    out.set(other, node.offset)
    if (node.field.kind === "address") prefixLength = 128
  }
  return out
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz"

/** Other octets for a field, as many; `undefined`: it tells of nobody. */
const anonymiseField = (
  bytes: Uint8Array,
  { field, offset, length, missing }: FieldNode,
  cloak: AddressCloak,
  noise: Noise,
): Uint8Array | undefined => {
  const own = bytes.subarray(offset, offset + length)
  switch (field.kind) {
    case "address":
      return missing > 0 ? noise(own, 1) : octetsOf(cloak(readAddress(bytes, offset)))
    case "ipv4":
      return missing > 0 ? noise(own, 1) : octetsOf(cloak(readIpv4(bytes, offset))).slice(12)
    case "prefix64": {
      const whole = new Uint8Array(16)
      whole.set(own)
      return octetsOf(cloak(readAddress(whole, 0))).slice(0, length)
    }
    case "text":
      return noise(own, 2).map((octet) => LETTERS.charCodeAt(octet % LETTERS.length))
    case "zeros":
      // The 96 reserved bits of an error may have the end of the client's address (RFC 6887 section 7.2).
      return length === 12 && own.some((octet) => octet !== 0) ? clientTail(own, cloak, noise) : undefined
    case "bytes":
      return own.every((octet) => octet === 0) ? undefined : noise(own, 3)
    case "uint":
      return length === 4 ? noise(own, 4) : undefined
    default:
      return undefined
  }
}

const MAPPED_TAIL = [0, 0, 0, 0, 0, 0, 0xff, 0xff]

const clientTail = (own: Uint8Array, cloak: AddressCloak, noise: Noise): Uint8Array => {
  const isMapped = MAPPED_TAIL.every((octet, i) => own[i] === octet)
  return isMapped ? octetsOf(cloak(readIpv4(own, 8))).slice(4) : noise(own, 5)
}

const octetsOf = (address: Address): Uint8Array => {
  const octets = new Uint8Array(16)
  writeAddress(octets, 0, address)
  return octets
}

/** Clears the bits behind a prefix where the original has none there. */
const clearHostBits = (octets: Uint8Array, original: Uint8Array, prefixLength: number): void => {
  const bit = (of: Uint8Array, at: number): number => (of[at >>> 3] >>> (7 - (at & 7))) & 1
  for (let at = prefixLength; at < 8 * octets.length; at++) if (bit(original, at) !== 0) return
  for (let at = prefixLength; at < 8 * octets.length; at++) octets[at >>> 3] &= ~(128 >>> (at & 7))
}

/** A prefix keeps its length, and has no bits behind it. */
const anonymisePrefix = ({ address, prefixLength }: Prefix, cloak: AddressCloak): Prefix => {
  const octets = octetsOf(cloak(address))
  clearHostBits(octets, new Uint8Array(16), prefixLength)
  // Of an IPv4 prefix of few bits the mapped form must stay.
  return { address: isIpv4(address) && prefixLength < 96 ? address : readAddress(octets, 0), prefixLength }
}

const anonymiseConfiguration = (configuration: CgnConfiguration, cloak: AddressCloak): CgnConfiguration => {
  const prefix = (one: Prefix): Prefix => anonymisePrefix(one, cloak)
  return {
    ...configuration,
    external: configuration.external.map(cloak),
    staticMappings: configuration.staticMappings.map((one) => ({
      ...one,
      internal: cloak(one.internal),
      external: cloak(one.external),
    })),
    aftr: cloak(configuration.aftr),
    prefix64: prefix(configuration.prefix64),
    prefixPairs: configuration.prefixPairs.map(({ internal, external }) => ({
      internal: prefix(internal),
      external: prefix(external),
    })),
    addressPairs: configuration.addressPairs.map(({ ipv4, ipv6 }) => ({ ipv4: cloak(ipv4), ipv6: cloak(ipv6) })),
    inside: configuration.inside.map(prefix),
  }
}

const anonymiseStep = (
  step: SessionStep,
  cloak: AddressCloak,
  octets: (bytes: Uint8Array) => Uint8Array,
): SessionStep => {
  const realm = "realm" in step && step.realm !== undefined ? { realm: cloak(step.realm) } : {}
  const end = <T extends { readonly address: Address }>(one: T): T => ({ ...one, address: cloak(one.address) })
  switch (step.type) {
    case "announce":
      return step
    case "revoke":
      return { ...step, internal: cloak(step.internal), ...realm }
    case "packet": {
      const { packet } = step
      const b4 = packet.b4 === undefined ? {} : { b4: cloak(packet.b4) }
      return {
        ...step,
        packet: { ...packet, source: end(packet.source), destination: end(packet.destination), ...b4 },
        ...realm,
      }
    }
    case "datagram": {
      const answer = step.answer === undefined ? {} : { answer: octets(step.answer) }
      return { ...step, source: end(step.source), bytes: octets(step.bytes), ...answer, ...realm }
    }
  }
}
