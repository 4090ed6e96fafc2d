import { Protocol } from "../../wire/index.ts"
import { areasOf } from "../area.ts"
import { ownAddress } from "../choose.ts"
import type { MappedEnd } from "../dependent.ts"
import { slotOfInternal } from "../internal.ts"
import type { Step } from "../layout.ts"
import { hashEnd, isInRange, isMarked, nextFreePort } from "../ports.ts"

/** The first port that is not well known. */
const REGISTERED = 1024

/** Free ports that are looked at for one of the wanted parity. */
const TRIES = 32

/**
 * The external port that a new implicit mapping would like by the settings, free at this moment; 0: any.
 *
 * - `preserve`: its own (RFC 4787 section 4.2.1), else one of its own range.
 * - `parity`: one that is odd or even as its own (RFC 4787 REQ-4, RFC 6146 section 3.5.1.1), at a place that is hard to guess.
 * - In all, where the CGN has ports on both sides of 1024, one of the same side (RFC 4787 REQ-3a, RFC 6146 section 3.5.1.1),
 *   while that side has any; identifiers of ICMP queries have no sides.
 */
export const portFor = (step: Step, subscriber: number, end: MappedEnd): number => {
  const { config } = step
  const { protocol, internalPort } = end
  const { ports } = config.translation
  // Before a subscriber's first block there is nothing to look at.
  const range = config.assignment.kind === "random" ? config.ports : areasOf(step, end)[0]
  if (range === undefined) return 0
  const sides = range.first < REGISTERED && range.last >= REGISTERED && protocol !== Protocol.ICMP && internalPort !== 0
  if (ports === "random" && !sides) return 0
  if (ports === "preserve" && !sides) return internalPort
  const slot = slotOfInternal(end)
  const address = ownAddress(step, end, subscriber)
  if (ports === "preserve" && isInRange(config, internalPort) && !isMarked(step, address, slot, internalPort))
    return internalPort
  const first = sides && internalPort >= REGISTERED ? REGISTERED : range.first
  const last = sides && internalPort < REGISTERED ? REGISTERED - 1 : range.last
  const start = first + (hashEnd(config, end) % (last - first + 1))
  const found = nextFreePort(step, address, slot, start, first, last)
  if (ports !== "parity") return Math.max(0, found)
  for (let n = 0, port = found; n < TRIES && port > 0; n++) {
    if (((port ^ internalPort) & 1) === 0) return port
    port = nextFreePort(step, address, slot, port + 1, first, last)
  }
  return sides ? Math.max(0, found) : 0
}
