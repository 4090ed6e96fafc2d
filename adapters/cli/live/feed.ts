import type { Change, Mapping } from "../../../core/cgn/index.ts"
import { NATPMP_VERSION, Opcode, PCP_VERSION } from "../../../core/wire/index.ts"
import type { LiveChange, LiveEvent } from "../../live/index.ts"
import type { ServerEvent } from "../../server-machine.ts"

/** What has happened since it was taken last. */
export interface Taken {
  readonly set: readonly Mapping[]
  readonly gone: readonly Mapping[]
  readonly events: readonly LiveEvent[]
  readonly missed: number
  /** More mappings changed than are told: what watches has to look at all of them again. */
  readonly overflowed: boolean
}

/** Gathers what a server does, for those who watch it; while nobody does it costs nothing. */
export interface Feed {
  /** @param now Milliseconds on the server's clock. */
  events(events: readonly ServerEvent[], now: number): void
  watch(isWatched: boolean): void
  take(): Taken
}

/** Mappings and events that are told at once: some ten kilobytes, and far under a millisecond of the server's time. */
const MAPPINGS = 500
const EVENTS = 60

export const createFeed = (): Feed => {
  let isWatched = false
  let changed = new Map<string, { readonly mapping: Mapping; readonly isGone: boolean }>()
  let events: LiveEvent[] = []
  let missed = 0
  let overflowed = false
  const clear = (): void => {
    changed = new Map()
    events = []
    missed = 0
    overflowed = false
  }
  const note = (changes: readonly Change[]): void => {
    for (const change of changes) {
      if (!("mapping" in change)) continue
      const key = keyOf(change.mapping)
      if (changed.size >= MAPPINGS && !changed.has(key)) overflowed = true
      else changed.set(key, { mapping: change.mapping, isGone: change.type === "deleted" || change.type === "expired" })
    }
  }
  return {
    events: (happened, now) => {
      if (!isWatched) return
      for (const event of happened) {
        if (event.type !== "dropped") note(event.changes)
        if (events.length >= EVENTS) missed++
        else events.push(eventOf(event, now))
      }
    },
    watch: (wanted) => {
      isWatched = wanted
      clear()
    },
    take: () => {
      const all = [...changed.values()]
      const taken: Taken = {
        set: all.filter(({ isGone }) => !isGone).map(({ mapping }) => mapping),
        gone: all.filter(({ isGone }) => isGone).map(({ mapping }) => mapping),
        events,
        missed,
        overflowed,
      }
      clear()
      return taken
    },
  }
}

/** What tells mappings apart over their whole life. */
const keyOf = (m: Mapping): string =>
  `${m.kind} ${m.protocol} ${m.internal} ${m.internalPort} ${m.realm ?? ""} ${m.remote ?? ""} ${m.remotePort} ${m.identifier ?? ""}`

const eventOf = (event: ServerEvent, at: number): LiveEvent => {
  switch (event.type) {
    case "answered":
      return {
        at,
        source: event.source,
        request: withoutNonce(event.request),
        reply: withoutNonce(event.reply),
        dropped: undefined,
        changes: shown(event.changes),
      }
    case "dropped":
      return {
        at,
        source: event.source,
        request: withoutNonce(event.request),
        reply: undefined,
        dropped: event.reason,
        changes: [],
      }
    case "advanced":
      return {
        at,
        source: undefined,
        request: undefined,
        reply: undefined,
        dropped: undefined,
        changes: shown(event.changes),
      }
  }
}

/** Changes of one event that are told. */
const CHANGES = 20

const shown = (changes: readonly Change[]): readonly LiveChange[] =>
  changes.filter((change): change is LiveChange => isShown(change)).slice(0, CHANGES)

const isShown = ({ type }: Change): boolean => {
  switch (type) {
    case "held":
    case "freed":
    case "session":
    case "session-over":
    case "counted":
      return false
    default:
      return true
  }
}

/** Octets of a datagram that are shown: more than any message of PCP has (RFC 6887 section 7). */
const LONGEST = 1100

/**
 * A copy in which the mapping nonce of MAP and PEER, octets 24 to 35 of requests and responses alike, is zero, and whatever another version
 * or opcode has there, as a client may ask again in ours with the same nonce (RFC 6887 section 9): with it whoever watches
 * could delete the mapping (RFC 6887 sections 11.1 and 12.1).
 */
export const withoutNonce = (bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice(0, LONGEST)
  const hasNone = copy[0] === NATPMP_VERSION || (copy[0] === PCP_VERSION && (copy[1] & 127) === Opcode.ANNOUNCE)
  if (!hasNone) copy.fill(0, 24, 36)
  return copy
}
