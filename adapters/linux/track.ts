import { readFileSync } from "node:fs"
import type { Cgn, Change, InternalEnd, Mapping, PortRange } from "../../core/cgn/index.ts"
import { type Address, hasPorts, Protocol } from "../../core/wire/index.ts"
import { createAdopted, tupleOf } from "./adopted.ts"
import type { Conntrack } from "./conntrack.ts"
import { ESTABLISHED, Status, type Tracked } from "./ctnetlink.ts"
import { createLive, endKey, type Live } from "./live.ts"
import { type AdoptionLimits, type ExternalEnd, externalOf, type KernelKnowledge, trackedCgn } from "./tracked-cgn.ts"

/** What of a NAT44's settings its connections are judged by. */
export interface TrackSettings extends AdoptionLimits {
  /** All external addresses, static mappings' among them. */
  readonly external: readonly Address[]
  /** External ports that the kernel chooses. */
  readonly implicitPorts: PortRange
  /** Seconds without outbound traffic after which an implicit mapping ends. */
  readonly idleTimeout: { readonly udp: number; readonly tcp: number }
}

/** Follows the connections of the kernel's NAT for the server. */
export interface Track {
  /** The CGN that minds them. */
  wrap<S>(cgn: Cgn<S>): Cgn<S>
  /** The kernel has taken changes. */
  committed(changes: readonly Change[], now: number): void
  /** It has not taken what was answered since. */
  refused(): void
  /** PEER mappings of the kernel's own connections. */
  mappings(): Iterable<Mapping>
  /** Other settings are in force. */
  follow(settings: TrackSettings): void
  close(): void
}

/** Milliseconds between two looks at the events that have come. */
const TICK = 200
/** Events that are read at once: when there is time, and when a request needs to know. */
const [SOME, MOST] = [512, 4096]
/** Milliseconds for which a look at the events is good for requests that shorten nothing, as nearly all. */
const FRESH = 5
/** Milliseconds until a list of all connections that failed is tried again. */
const REST = 5_000
/** Milliseconds within which each PEER mapping of the kernel's own connections is looked at again: at least, and at most. */
const PERIODS = { least: 500, most: 15_000 }
/** Ports of a set that are looked at: the CGN maps no more of them. */
const SET = 1024
/** The kernel's own time-outs of what PEER keeps alive, seconds. */
const TIMEOUTS = ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"]

/**
 * Keeps a table of the connections by mappings from the kernel's events, and asks the kernel for the time that one has left
 * when a request needs it. Connections with a port that the kernel chose are not in it: they are of no mapping.
 *
 * Which traffic counts for a mapping (S-131; RFC 4787 REQ-6 has outbound packets keep one alive): a connection that began
 * inside does, answered or not. One that began outside does when the host has answered it (SEEN_REPLY), and else not: nobody
 * outside keeps a mapping open. The kernel does not say which way the last packet of a connection went, and renews its time
 * for either, as the same REQ-6 allows.
 *
 * How long: what the kernel has left for the connection, and no more than `idleTimeout`, the time for which this server says that
 * traffic alone keeps a mapping. The kernel's own five days for TCP would leave a deleted port to a silent connection for all of
 * them. Less than what is due it never is: what is left of a time is at least what would be left of a shorter one.
 *
 * Where that cannot be known, for as long as the first list of all connections takes and each after lost events, a deletion leaves the
 * whole of `idleTimeout`.
 *
 * @param over Is told of PEER mappings of the kernel's connections that end, as changes.
 */
export const createTrack = (
  conntrack: Conntrack,
  first: TrackSettings,
  now: () => number,
  over: (changes: readonly Change[]) => void,
): Track => {
  let settings = first
  let external: ReadonlySet<Address> = new Set(first.external)
  const isKernels = ({ external: address, externalPort }: ExternalEnd): boolean =>
    external.has(address) && externalPort >= settings.implicitPorts.first && externalPort <= settings.implicitPorts.last
  const isMapped = (address: Address, port: number): boolean =>
    external.has(address) && !isKernels({ external: address, externalPort: port })

  /** Internal ends whose mappings a connection goes by: one, or both of one that comes back in. */
  const endsOf = ({ original, reply }: Tracked): readonly string[] => {
    const ends: string[] = []
    const { protocol, source, sourcePort, destination, destinationPort } = original
    if (!hasPorts(protocol)) return ends
    if (source !== reply.destination && isMapped(reply.destination, reply.destinationPort))
      ends.push(endKey(protocol, source, sourcePort))
    if (destination !== reply.source && isMapped(destination, destinationPort))
      ends.push(endKey(protocol, reply.source, reply.sourcePort))
    return ends
  }
  const capOf = (protocol: number): number =>
    protocol === Protocol.UDP ? settings.idleTimeout.udp : settings.idleTimeout.tcp
  // The kernel cuts its time to whole seconds.
  const left = ({ original, timeout }: Tracked): number =>
    timeout === undefined ? 0 : Math.min(timeout + 1, capOf(original.protocol))

  let live: Live = createLive(endsOf)
  /** Not at the beginning, and not when events were lost, until the kernel has listed what there is. */
  let isKnown = false
  let fresh: Live | undefined
  const adopted = createAdopted((mapping) => isKernels(mapping))
  /** Connections of PEER mappings that have ended. */
  let gone: Mapping[] = []

  const following = conntrack.follow({
    told: (what, connection) => {
      if (what === "changed") return
      for (const table of [live, fresh]) {
        if (what === "began") table?.began(connection)
        else table?.ended(connection)
      }
      const mapping = what === "ended" && adopted.size() > 0 ? adopted.of(connection.original) : undefined
      if (mapping !== undefined) gone.push(mapping)
    },
    lost: () => {
      isKnown = false
      void resync()
    },
  })
  /** Ends of connections with the kernel's ports matter while any of them is PEER's. */
  const narrow = (): void => following.narrow({ chosen: settings.implicitPorts, allEnded: adopted.size() > 0 })
  narrow()

  /** When a request last had the events read. */
  let drained = Number.NEGATIVE_INFINITY
  let isClosed = false
  let listing: Promise<void> | undefined
  let isOutdated = false
  const listAll = async (): Promise<void> => {
    do {
      isOutdated = false
      const table = createLive(endsOf)
      fresh = table
      const isWhole = await conntrack.list(4, table.began)
      fresh = undefined
      isKnown = true
      if (isWhole) live = table
      else if (!isClosed) setTimeout(() => void resync(), REST).unref()
    } while (isOutdated && !isClosed)
    listing = undefined
  }
  const resync = (): Promise<void> => {
    if (listing !== undefined) isOutdated = true
    listing ??= listAll()
    return listing
  }

  const known: KernelKnowledge = {
    questions: () => {
      following.drain(MOST)
      return { left: conntrack.questions }
    },
    remaining: (end, questions) => {
      const [cap, key] = [capOf(end.protocol), endKey(end.protocol, end.internal, end.internalPort)]
      if (!live.has(end)) return isKnown ? 0 : cap
      let most = 0
      for (const tuple of live.of(end)) {
        if (questions.left === 0) return cap
        questions.left--
        const connection = conntrack.get(tuple)
        if (connection === undefined || !endsOf(connection).includes(key)) live.forget(end, tuple)
        else if (isSentBy(connection, end)) most = Math.max(most, left(connection))
        if (most >= cap) break
      }
      return most
    },
    most: capOf,
    endsOf: function* (from, ports) {
      // Renewals come by the thousand: what is some milliseconds old does for them.
      const instant = now()
      if (instant - drained >= FRESH) {
        following.drain(MOST)
        drained = instant
      }
      if (live.size() === 0) return
      const last = Math.min(from.internalPort + Math.max(1, Math.min(ports, SET)) - 1, 0xffff)
      for (let internalPort = from.internalPort; internalPort <= last; internalPort++) {
        const end = { protocol: from.protocol, internal: from.internal, internalPort }
        if (live.has(end)) yield end
      }
    },
    connection: (tuple) => conntrack.get(tuple),
    left,
    isKernels,
    isOurs: (address) => external.has(address),
    adopted,
    get limits() {
      return settings
    },
  }

  /** Has a connection live at least for so many seconds; `false`: it is there no longer, or another one is. */
  const keep = (mapping: Mapping): boolean => {
    const tuple = tupleOf(mapping)
    const connection = tuple === undefined ? undefined : conntrack.get(tuple)
    if (tuple === undefined || connection === undefined) return false
    const at = externalOf(connection, tuple)
    if (at.external !== mapping.external || at.externalPort !== mapping.externalPort) return false
    const seconds = Math.ceil((mapping.expires - now()) / 1000)
    // One that opens or closes has the kernel's own time for that (RFC 6887 section 12.3).
    const isOpen = connection.tcpState === undefined || connection.tcpState === ESTABLISHED
    if (isOpen && seconds > 0 && (connection.timeout ?? seconds) < seconds)
      conntrack.prolong(connection.original, seconds)
    return true
  }

  const drainMore = (): void => {
    if (!isClosed && following.drain(SOME)) setImmediate(drainMore)
  }
  /** Those that are still to be looked at of a round. */
  let round: Mapping[] = []
  const tick = (): void => {
    if (following.drain(SOME)) setImmediate(drainMore)
    if (adopted.size() === 0) {
      gone = []
      return
    }
    const instant = now()
    const ended = new Set<Mapping>()
    for (const mapping of gone) {
      const tuple = tupleOf(mapping)
      // Unless another one came in its place, and has been asked for since.
      if (tuple !== undefined && adopted.of(tuple) === mapping && !keep(mapping)) ended.add(mapping)
    }
    gone = []
    for (const mapping of adopted.all()) if (mapping.expires <= instant) ended.add(mapping)
    if (round.length === 0) round = [...adopted.all()]
    const share = Math.ceil((adopted.size() * TICK) / period())
    for (const mapping of round.splice(0, Math.min(share, conntrack.questions))) {
      const tuple = tupleOf(mapping)
      if (tuple !== undefined && adopted.of(tuple) === mapping && !keep(mapping)) ended.add(mapping)
    }
    if (ended.size > 0) over([...ended].map((mapping) => ({ type: "expired", mapping })))
  }
  const timer = setInterval(tick, TICK)
  // The server's sockets keep the process running.
  timer.unref()
  void resync()

  return {
    wrap: (cgn) => trackedCgn(cgn, known),
    committed: (changes, at) => {
      adopted.settle()
      const had = adopted.size()
      adopted.fold(changes)
      if (had > 0 !== adopted.size() > 0) narrow()
      for (const change of changes)
        if (
          (change.type === "created" || change.type === "renewed") &&
          change.mapping.expires > at &&
          change.mapping.kind === "peer"
        )
          keep(change.mapping)
    },
    refused: () => adopted.settle(),
    mappings: () => adopted.all(),
    follow: (after) => {
      settings = after
      external = new Set(after.external)
      narrow()
      void resync()
    },
    close: () => {
      isClosed = true
      clearInterval(timer)
      following.close()
    },
  }
}

/** Has the host of an internal end sent anything by this connection? */
const isSentBy = ({ original, status }: Tracked, { internal, internalPort }: InternalEnd): boolean =>
  (original.source === internal && original.sourcePort === internalPort) || (status & Status.SEEN_REPLY) !== 0

/** Milliseconds within which the kernel ends no connection that was just renewed by a packet, three times over. */
const period = (): number => {
  const seconds = TIMEOUTS.map((name) => {
    try {
      return Number(readFileSync(`/proc/sys/net/netfilter/${name}`, "utf8"))
    } catch {
      // Not to be read here: the kernel's defaults are longer.
      return Number.POSITIVE_INFINITY
    }
  })
  return Math.max(PERIODS.least, Math.min(PERIODS.most, (Math.min(...seconds) * 1000) / 3))
}
