import type { Address } from "../../wire/index.ts"
import type { Realm } from "../mapping.ts"
import {
  allocateEach,
  copyOf,
  destinationAddress,
  type IpPacket,
  identification,
  readPacket,
  reassemble,
  sourceAddress,
} from "../packet/index.ts"
import type { Reason, Side } from "../passage.ts"
import type { TranslationSettings } from "./settings.ts"

/** Fragments of one packet, which wait for the rest of it. */
export interface Pile {
  readonly side: Side
  readonly realm: Realm | undefined
  readonly source: Address
  readonly destination: Address
  readonly protocol: number
  readonly identification: number
  /** When the first of them came, milliseconds. */
  readonly since: number
  readonly fragments: readonly IpPacket[]
}

/** All fragments that wait, the oldest piles first. */
export type Piles = readonly Pile[]

const octetsOf = (piles: Piles): number => {
  let octets = 0
  for (const { fragments } of piles) for (const { bytes } of fragments) octets += bytes.length
  return octets
}

const countOf = (piles: Piles): number => piles.reduce((count, { fragments }) => count + fragments.length, 0)

const youngest = (piles: Piles, now: number, timeout: number): number => {
  const at = piles.findIndex(({ since }) => now - since < timeout * 1000)
  return at < 0 ? piles.length : at
}

/** Those that have not waited for `timeout` seconds. */
export const young = (piles: Piles, now: number, timeout: number): Piles => {
  const at = youngest(piles, now, timeout)
  return at === 0 ? piles : piles.slice(at)
}

/** Those that have. */
export const old = (piles: Piles, now: number, timeout: number): Piles => piles.slice(0, youngest(piles, now, timeout))

export type Gathered =
  | { readonly kind: "whole"; readonly packet: IpPacket; readonly waiting: Piles }
  | { readonly kind: "waits"; readonly waiting: Piles }
  | { readonly kind: "dropped"; readonly reason: Reason; readonly waiting: Piles }

/**
 * A fragment with those of its packet that wait: the whole packet, or one more that waits (RFC 4787 REQ-14: in any order).
 * What has waited for too long is to be taken away before; where there is no room, the new one is dropped, since those that
 * wait may soon be whole. A fragment at fault takes its pile with it (RFC 5722 section 4).
 */
export const gather = (
  waiting: Piles,
  fragment: IpPacket,
  side: Side,
  realm: Realm | undefined,
  now: number,
  { fragments: limits, inside }: TranslationSettings,
): Gathered => {
  const source = sourceAddress(fragment)
  const destination = destinationAddress(fragment)
  const id = identification(fragment)
  // Behind the first fragment, IPv6 says a protocol of the data alone (RFC 8200 section 4.5).
  const protocol = fragment.version === 4 ? fragment.protocol : 0
  const at = waiting.findIndex(
    (pile) =>
      pile.side === side &&
      pile.realm === realm &&
      pile.identification === id &&
      pile.protocol === protocol &&
      pile.source === source &&
      pile.destination === destination,
  )
  const pile = at < 0 ? undefined : waiting[at]
  const others = at < 0 ? waiting : waiting.filter((one) => one !== pile)
  const fragments = [...(pile?.fragments ?? []), fragment]
  const whole = reassemble(fragments, inside.kind === "nat64" && side === "inside")
  if (whole?.ok === false) return { kind: "dropped", reason: whole.code, waiting: others }
  if (whole?.ok) {
    const packet = readPacket(whole.bytes)
    return packet.ok
      ? { kind: "whole", packet, waiting: others }
      : { kind: "dropped", reason: packet.code, waiting: others }
  }
  if (countOf(waiting) >= limits.count || octetsOf(waiting) + fragment.end - fragment.start > limits.octets)
    return { kind: "dropped", reason: "fragment-limit", waiting }
  // The caller's bytes are the caller's: what waits is a copy.
  const copy = readPacket(copyOf(fragment.bytes, fragment.start, fragment.end, allocateEach))
  if (!copy.ok) return { kind: "dropped", reason: copy.code, waiting }
  const since = pile?.since ?? now
  const next = { side, realm, source, destination, protocol, identification: id, since }
  const grown = { ...next, fragments: [...(pile?.fragments ?? []), copy] }
  return {
    kind: "waits",
    waiting: pile === undefined ? [...waiting, grown] : waiting.map((one) => (one === pile ? grown : one)),
  }
}
