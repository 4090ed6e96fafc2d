import { sha256 } from "@noble/hashes/sha2.js"
import {
  type Cgn,
  type CgnChangeable,
  type CgnState,
  memoryCgn,
  type RestoredCgn,
  type RestoreTime,
  restoreCgn,
} from "../cgn/index.ts"
import { type Counts, countsOver } from "./counts.ts"
import { restorePushes } from "./push-state.ts"
import type { ServerSettings, ServerSettingsError } from "./settings.ts"
import { COUNTER, FINAL, FORMAT, type Hasher, HEAD, MAGIC, TRAILER } from "./snapshot.ts"
import { createServerOver, type ServerState } from "./state.ts"

/** What `restore` needs besides the snapshot. */
export interface RestoreOptions extends RestoreServer {
  /** The settings of today, but for the secret, which is the snapshot's. */
  readonly cgn: CgnChangeable
}

/** What a server over any CGN needs besides its snapshot. */
export interface RestoreServer {
  /** Settings of the server; what is left out is {@link DEFAULT_SETTINGS}. */
  readonly server?: Partial<ServerSettings>
  /** The present on the clock of every later `now`, milliseconds. */
  readonly now: number
  /** The same instant as milliseconds since 1970-01-01 00:00 UTC. */
  readonly wallClock: number
  /** A faster SHA-256 than the core's own. */
  readonly hasher?: () => Hasher
}

/** Why a snapshot is not restored. */
export interface RestoreError {
  /** Short and stable, for programs. */
  readonly code:
    | "foreign" // not a snapshot of this program
    | "format" // a newer or older format, or table layout
    | "truncated" // not as long as it was
    | "damaged" // the digest differs
    | "contents" // the digest is right, but no server has ever written this
    | ServerSettingsError["code"]
  /** A sentence for people. */
  readonly text: string
}

interface Refused {
  readonly ok: false
  readonly error: RestoreError
}

/** A server as it was when it was saved, with what has happened since; or why there is none. */
export type Restored<S = CgnState> =
  | {
      readonly ok: true
      readonly state: ServerState<S>
      /**
       * Epoch Time began again at `now`, as requests may have come after the snapshot: `announce` it (RFC 6887 sections 8.5
       * and 14.1.3). False: it goes on, and clients notice nothing.
       */
      readonly lost: boolean
      /** Milliseconds since the snapshot by the wall clock; 0 if that went back. */
      readonly elapsed: number
    }
  | Refused

const fail = (code: RestoreError["code"], text: string): Refused => ({ ok: false, error: { code, text } })

/**
 * The state that `snapshot` wrote, on the clock of today: every mapping ends at the same time of the wall clock, what ran
 * out meanwhile is gone with the next `advance`, ports are chosen as before. Epoch Time goes on after a final snapshot and
 * begins again after any other; announcements and updates that were under way go on. Where the wall clock went back no time
 * has passed: mappings last longer than was promised, and an epoch that clients find too young makes them renew.
 *
 * The settings with which the table was written (pool, ports, static mappings and the like) stay in force until
 * `reconfigureCgn` puts today's in their place, as after any change of settings.
 *
 * Total: any octets give a state or an error. Takes in the order of 1 s for a million mappings.
 *
 * @example
 * ```ts
 * import { createServer, mappingCount, parseAddress, process, restore, snapshot } from "sallyport"
 *
 * const [external, source] = [parseAddress("203.0.113.7"), parseAddress("192.0.2.10")]
 * if (external === undefined || source === undefined) throw new Error("not an address")
 * const secret = crypto.getRandomValues(new Uint8Array(32))
 * const made = createServer({ external: [external], secret, now: 0 })
 * if (!made.ok) throw new Error(made.error.text)
 * const bytes = Uint8Array.of(0, 2, 0, 0, 0x1f, 0x90, 0x1f, 0x90, 0, 0, 14, 16)
 * const [state] = process(made.state, { bytes, now: 1000, source, sourcePort: 5350 })
 *
 * const saved = snapshot(state, { now: 2000, wallClock: Date.now(), final: true })
 * const ports = { first: 1024, last: 65535 }
 * const cgn = { external: [external], ports, quota: 64, filterLimit: 8, idleTimeout: { udp: 300, tcp: 7440 } }
 * const again = restore(saved, { now: 0, wallClock: Date.now(), cgn })
 * if (again.ok) console.log(mappingCount(again.state), again.lost) // 1 false
 * ```
 */
export const restore = (bytes: Uint8Array, options: RestoreOptions): Restored =>
  restoreOver(memoryCgn, (octets, time) => restoreCgn(octets, options.cgn, time), bytes, options)

/** A server over any CGN from what `snapshotOver` wrote; `again` reads what its {@link SaveCgn} wrote. */
export const restoreOver = <S>(
  cgn: Cgn<S>,
  again: (bytes: Uint8Array, time: RestoreTime) => RestoredCgn<S>,
  bytes: Uint8Array,
  options: RestoreServer,
): Restored<S> => {
  const error = checkEnds(bytes, options.hasher ?? sha256.create)
  if (error !== undefined) return { ok: false, error }
  const head = readHead(bytes)
  if (head === undefined) return CONTENTS
  const { now, wallClock, server } = options
  const elapsed = Math.max(0, wallClock - head.wallClock)
  const lost = !head.final
  const time: RestoreTime = { now, elapsed, lost }
  const restored = again(bytes.subarray(head.end, bytes.length - TRAILER), time)
  if (!restored.ok)
    return restored.code === "settings" ? restored : restored.code === "layout" ? OTHER_VERSION : CONTENTS
  const pushes = restorePushes(head.pushes, now - elapsed)
  if (pushes === undefined) return CONTENTS
  const created = createServerOver(cgn, restored.state, lost ? now : now - elapsed - head.age, server)
  if (!created.ok) return created
  return { ok: true, state: { ...created.state, counts: head.counts, pushes }, lost, elapsed }
}

const OTHER_VERSION = fail("format", "the snapshot is of another kind of server, or another version of Sallyport")
const CONTENTS = fail("contents", "the snapshot's digest is right, but it is not what a server writes")

/** What is wrong with a snapshot's head or trailer, or `undefined`. */
const checkEnds = (bytes: Uint8Array, hasher: () => Hasher): RestoreError | undefined => {
  if (bytes.length === 0) return { code: "truncated", text: "the snapshot is empty" }
  if (MAGIC.some((octet, at) => at < bytes.length && bytes[at] !== octet))
    return { code: "foreign", text: "it is no snapshot of a Sallyport server" }
  if (bytes.length < HEAD + TRAILER)
    return { code: "truncated", text: `the snapshot is cut short, at ${bytes.length} octets` }
  const view = viewOf(bytes)
  const format = view.getUint32(8, true)
  if (format !== FORMAT)
    return { code: "format", text: `the snapshot has format ${format}; this version of Sallyport reads ${FORMAT}` }
  if (view.getFloat64(bytes.length - TRAILER, true) !== bytes.length)
    return { code: "truncated", text: `the snapshot is cut short or torn, at ${bytes.length} octets` }
  const hash = hasher()
  hash.update(bytes.subarray(0, bytes.length - 32))
  const digest = hash.digest()
  const told = bytes.subarray(bytes.length - 32)
  return digest.every((octet, at) => octet === told[at])
    ? undefined
    : { code: "damaged", text: "the snapshot is damaged: its SHA-256 digest differs" }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Milliseconds that a server may have run or rested: far over what any did, and exact. */
const LONGEST = 2 ** 45

const readHead = (bytes: Uint8Array) => {
  const view = viewOf(bytes)
  const wallClock = view.getFloat64(16, true)
  const age = view.getFloat64(24, true)
  const flags = view.getUint32(12, true)
  const length = view.getUint32(32, true)
  const end = HEAD + COUNTER * length
  if (!Number.isFinite(wallClock) || !(age >= 0 && age < LONGEST) || flags > FINAL) return undefined
  const pushesEnd = end + view.getUint32(36, true)
  if (pushesEnd > bytes.length - TRAILER) return undefined
  const counts = readCounts(view, length)
  return (
    counts && { wallClock, age, final: flags === FINAL, counts, pushes: bytes.subarray(end, pushesEnd), end: pushesEnd }
  )
}

/** Cells that counters may have, with room for vectors to come. */
const MOST_CELLS = 4096

const readCounts = (view: DataView, length: number): Counts | undefined => {
  const tally: number[] = []
  for (let i = 0; i < length; i++) {
    const cell = view.getUint32(HEAD + COUNTER * i, true)
    const count = view.getFloat64(HEAD + COUNTER * i + 4, true)
    if (cell < tally.length || cell >= MOST_CELLS || !Number.isSafeInteger(count) || count < 1) return undefined
    while (tally.length < cell) tally.push(0)
    tally.push(count)
  }
  return countsOver(tally)
}
