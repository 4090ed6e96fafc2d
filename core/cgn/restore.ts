import {
  hasWords,
  makeReader,
  open,
  type Reader,
  restoreTable,
  type Sizes,
  seal,
  takeFloat,
  takeWord,
} from "../table/index.ts"
import { type Address, addressFromWords } from "../wire/index.ts"
import type { Assignment } from "./assignment.ts"
import { withDependents } from "./dependent.ts"
import { mapEpochs } from "./epoch.ts"
import { type CgnState, cgnShape } from "./layout.ts"
import {
  type CgnChangeable,
  type CgnConfig,
  type CgnSettings,
  configureCgn,
  type Numbering,
  type StaticMapping,
} from "./settings.ts"
import { checkCgnSettings, type SettingsError } from "./settings-check.ts"
import { LAYOUT } from "./snapshot.ts"
import { isSound } from "./sound.ts"

/** When and how a snapshot is gone on from. */
export interface RestoreTime {
  /** The present, milliseconds on the clock of every later `now`. */
  readonly now: number
  /** Milliseconds since the snapshot was made. */
  readonly elapsed: number
  /** Something came after the snapshot and is lost, so that each Epoch Time starts again (RFC 6887 section 8.5). */
  readonly lost: boolean
}

export type RestoredCgn<S = CgnState> =
  | { readonly ok: true; readonly state: S }
  /** `layout`: of another kind, or version of this program; `contents`: no CGN has ever written this. */
  | { readonly ok: false; readonly code: "layout" | "contents" }
  /** The given settings break a rule, whatever the snapshot says. */
  | {
      readonly ok: false
      readonly code: "settings"
      readonly error: { readonly code: SettingsError["code"]; readonly text: string }
    }

/** Octets of a secret. */
const SECRET = 32

/** Milliseconds that a CGN may have run: what seconds in 32 bits can count. */
export const LONGEST: number = 2 ** 32 * 1000

/**
 * The CGN that `saveCgn` wrote: the same answers, at the same distance from the end of every mapping, on another clock. It
 * has the secret and those settings that its table was written with; of `settings` it takes the others, so
 * `reconfigureCgn` must follow where they differ. Total: any octets give a CGN whose rows hold together, or a fault.
 */
export const restoreCgn = (
  bytes: Uint8Array,
  settings: CgnChangeable,
  { now, elapsed, lost }: RestoreTime,
  sizes?: Sizes,
): RestoredCgn => {
  const error = checkCgnSettings({ ...settings, secret: new Uint8Array(SECRET), now })
  if (error !== undefined) return { ok: false, code: "settings", error }
  const reader = makeReader(bytes)
  if (takeWord(reader) !== LAYOUT) return { ok: false, code: "layout" }
  const start = takeFloat(reader)
  const age = takeFloat(reader) - start
  if (!Number.isFinite(start) || !(age >= 0 && age + elapsed < LONGEST)) return { ok: false, code: "contents" }
  const config = readConfig(reader, settings, now - elapsed - age)
  if (config === undefined) return { ok: false, code: "contents" }
  const version = restoreTable(cgnShape(config, sizes), reader)
  if (version === "shape") return { ok: false, code: "layout" }
  if (version === "contents" || reader.at !== bytes.length) return { ok: false, code: "contents" }
  const table = open(version)
  if (!isSound(table, config)) return { ok: false, code: "contents" }
  mapEpochs(table, (at) => (lost ? now : Math.min(now, at - start + config.now)))
  return { ok: true, state: { version: seal(table), config: withDependents(config, table), waiting: undefined } }
}

/** The settings in a snapshot over `settings`, if a CGN can have them. */
const readConfig = (reader: Reader, settings: CgnChangeable, start: number): CgnConfig | undefined => {
  const secret = new Uint8Array(SECRET)
  const octets = new DataView(secret.buffer)
  for (let at = 0; at < SECRET; at += 4) octets.setInt32(at, takeWord(reader), true)
  const [first, last, subscriberQuota, ipv4, ipv6] = Array.from({ length: 5 }, () => takeWord(reader))
  const [udp, tcp, icmp, switches] = Array.from({ length: 4 }, () => takeWord(reader))
  const numbering = readNumbers(reader)
  const external = readPool(reader, numbering.addresses)
  const wanted: CgnSettings = {
    ...settings,
    external,
    ports: { first, last },
    subscriberQuota,
    subscriberPrefix: { ipv4, ipv6 },
    translation: { ...settings.translation, limits: { udp, tcp, icmp } },
    otherProtocols: (switches & 1) !== 0,
    port0: (switches & 2) !== 0,
    oneToOne: (switches & 4) !== 0,
    internalFamily: (switches & 24) === 24 ? "any" : (switches & 16) === 0 ? "ipv4" : "ipv6",
    staticMappings: readList(reader, 15, readStatic),
    assignment: readAssignment(reader),
    secret,
    now: start,
  }
  if (reader.failed || checkCgnSettings(wanted) !== undefined) return undefined
  const config = configureCgn(wanted, numbering)
  // Every address in use has its number in the snapshot, so that none was made for one here.
  return config.addresses.length === numbering.addresses.length ? config : undefined
}

/** Reads a list of things of so many words each. */
const readList = <T>(reader: Reader, words: number, one: (reader: Reader) => T): readonly T[] => {
  const length = takeWord(reader)
  if (length < 0 || !hasWords(reader, length * words)) {
    reader.failed = true
    return []
  }
  return Array.from({ length }, () => one(reader))
}

const readAddress = (reader: Reader): Address =>
  addressFromWords(takeWord(reader), takeWord(reader), takeWord(reader), takeWord(reader))

const readAssignment = (reader: Reader): Assignment | undefined => {
  const kind = takeWord(reader)
  if (kind === 1) return { kind: "blocks", size: takeWord(reader), limit: takeWord(reader) }
  if (kind !== 2) {
    if (kind !== 0) reader.failed = true
    return undefined
  }
  const [realms, ratio, factor, size, maximum] = Array.from({ length: 5 }, () => takeWord(reader))
  const internal = readList(reader, 5, () => ({ address: readAddress(reader), prefixLength: takeWord(reader) }))
  return {
    kind: "deterministic",
    internal,
    realms: realms !== 0,
    ratio: ratio === 0 ? undefined : ratio,
    dynamic: factor === 0 ? undefined : { factor, size, maximum },
  }
}

const readNumbers = (reader: Reader): Numbering => {
  const list = readList(reader, 5, () => ({ address: readAddress(reader), used: takeWord(reader) === 1 }))
  const addressIndex = new Map<Address, number>()
  list.forEach(({ address, used }, number) => {
    if (used) addressIndex.set(address, number)
  })
  return { addresses: list.map(({ address }) => address), addressIndex }
}

const readPool = (reader: Reader, addresses: readonly Address[]): readonly Address[] =>
  readList(reader, 1, takeWord).flatMap((number) => addresses[number] ?? [])

const readStatic = (reader: Reader): StaticMapping => {
  const protocol = takeWord(reader)
  const internal = readAddress(reader)
  const internalPort = takeWord(reader)
  const external = readAddress(reader)
  const externalPort = takeWord(reader)
  const named = takeWord(reader) === 1
  const realm = readAddress(reader)
  return { protocol, internal, internalPort, external, externalPort, ...(named ? { realm } : {}) }
}
