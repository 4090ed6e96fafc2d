import { sha256 } from "@noble/hashes/sha2.js"
import { type CgnState, saveCgn } from "../cgn/index.ts"
import { joinOctets } from "../wire/index.ts"
import { tallied } from "./counts.ts"
import { savePushes } from "./push-state.ts"
import type { ServerState } from "./state.ts"

/** When, and as what, a snapshot is made. */
export interface SnapshotTime {
  /**
   * The present on the clock of every request's `now`, milliseconds. One before the epoch's start, or no number, counts as that
   * start, and one over 2^31 s (68 years) after it as that many: a snapshot is always one that `restore` takes.
   */
  readonly now: number
  /** The same instant as milliseconds since 1970-01-01 00:00 UTC: all that two runs' clocks have in common. Not finite: 0. */
  readonly wallClock: number
  /**
   * The server is over: no request came after this state. Only from such a snapshot may Epoch Time go on, as of any other
   * it is not known what was lost since (RFC 6887 section 8.5). Default false.
   */
  readonly final?: boolean
}

/**
 * SHA-256 of what it is fed. The core's own does 120 MB/s; a host may bring another, such as Node's `createHash("sha256")` with
 * 400 MB/s, so that the parts hold a server up less.
 */
export interface Hasher {
  /** Takes the next octets. */
  update(octets: Uint8Array): unknown
  /** The 32 octets of the hash; nothing is fed after that. */
  digest(): Uint8Array
}

/** The first octets of every snapshot: one that went through a conversion of line ends no longer has them. */
export const MAGIC: readonly number[] = [0x53, 0x41, 0x4c, 0x4c, 0x59, 0x0d, 0x0a, 0x1a]
/** The format's version: one more with each change of what stands here. */
export const FORMAT = 1
export const FINAL = 1
/** Octets before the counters, of each counter, and after all else. */
export const HEAD = 40
export const COUNTER = 12
export const TRAILER = 40

/**
 * A state as octets, for `restore`: little-endian, times in milliseconds as 64-bit floats.
 *
 * | octets | what |
 * | --- | --- |
 * | 0–7 | `53 41 4c 4c 59 0d 0a 1a`: "SALLY", CR, LF, end of file |
 * | 8–11 | {@link FORMAT} |
 * | 12–15 | 1 if final, else 0 |
 * | 16–23 | wall clock |
 * | 24–31 | since Epoch Time was 0 |
 * | 32–35 | counters that are not 0 |
 * | 36–39 | octets of announcements and updates under way |
 * | 12 each | a counter: its cell (`counterCell`), 4 octets, and its count, a float |
 * | | announcements and updates under way: see `savePushes` |
 * | | the CGN: see `saveCgn` |
 * | last 40–33 | octets of the whole |
 * | last 32 | SHA-256 of all before |
 *
 * Everything that answers depend on is there, but not the settings that a server is started with, nor rate limits and
 * the subscriber cache, which begin anew. It has the nonces of all mappings and the server's secret: keep
 * it from everybody else (a file of mode 0600).
 */
export const snapshot = (
  state: ServerState<CgnState>,
  time: SnapshotTime,
  hasher: () => Hasher = sha256.create,
): Uint8Array => joinOctets([...snapshotParts(state, time, hasher)])

/**
 * The same octets in parts of up to 256 KiB, for a server that answers requests meanwhile: the first step copies the state
 * (in the order of 50 ms for a million mappings), each of the others hashes one part (2 ms, or 0.7 ms with a faster hasher).
 */
export const snapshotParts = (
  state: ServerState<CgnState>,
  time: SnapshotTime,
  hasher: () => Hasher = sha256.create,
): Generator<Uint8Array, void, undefined> => snapshotOver(saveCgn, state, time, hasher)

/** How a CGN's state becomes octets, in parts; what `saveCgn` does for the in-memory NAT and `saveFirewall` for a firewall. */
export type SaveCgn<S> = (state: S, now: number) => readonly Uint8Array[]

/** The parts of a snapshot of a server over any CGN. */
export function* snapshotOver<S>(
  save: SaveCgn<S>,
  state: ServerState<S>,
  time: SnapshotTime,
  hasher: () => Hasher = sha256.create,
): Generator<Uint8Array, void, undefined> {
  const at = inRange(state, time)
  const pushes = savePushes(state.pushes, at.now)
  const parts = [headOf(state, at, pushes.length), pushes, ...save(state.cgnState, at.now)]
  const hash = hasher()
  let length = TRAILER
  for (const part of parts) {
    hash.update(part)
    length += part.length
    yield part
  }
  const trailer = new Uint8Array(TRAILER)
  new DataView(trailer.buffer).setFloat64(0, length, true)
  hash.update(trailer.subarray(0, 8))
  trailer.set(hash.digest(), 8)
  yield trailer
}

/** Milliseconds that a server may have run. */
const LONGEST = 2 ** 31 * 1000

const inRange = <S>({ epochStart }: ServerState<S>, { now, wallClock, final }: SnapshotTime): SnapshotTime => ({
  now: Number.isNaN(now) ? epochStart : Math.min(Math.max(now, epochStart), epochStart + LONGEST),
  wallClock: Number.isFinite(wallClock) ? wallClock : 0,
  final: final ?? false,
})

const headOf = <S>(state: ServerState<S>, time: SnapshotTime, pushes: number): Uint8Array => {
  const { epochStart, counts } = state
  const { now, wallClock, final = false } = time
  const cells = tallied(counts).flatMap((count, cell) => (count === 0 ? [] : [{ cell, count }]))
  const head = new Uint8Array(HEAD + COUNTER * cells.length)
  const view = new DataView(head.buffer)
  head.set(MAGIC)
  view.setUint32(8, FORMAT, true)
  view.setUint32(12, final ? FINAL : 0, true)
  view.setFloat64(16, wallClock, true)
  view.setFloat64(24, now - epochStart, true)
  view.setUint32(32, cells.length, true)
  view.setUint32(36, pushes, true)
  cells.forEach(({ cell, count }, i) => {
    view.setUint32(HEAD + COUNTER * i, cell, true)
    view.setFloat64(HEAD + COUNTER * i + 4, count, true)
  })
  return head
}
