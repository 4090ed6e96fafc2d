import type { LiveEvent, LiveMessage, LiveRow } from "../../adapters/live/index.ts"
import type { Counters } from "../../core/cgn/index.ts"
import type { Address } from "../../core/wire/index.ts"
import {
  countersFrom,
  type Happening,
  type MappingRow,
  mappingKey,
  mappingText,
  type Story,
  subscribersOf,
  type View,
} from "../model/replay/index.ts"

export type Hello = Extract<LiveMessage, { readonly type: "hello" }>
type Tick = Extract<LiveMessage, { readonly type: "tick" }>

/** What is known of a watched server, as its messages told it. */
export interface Ledger {
  take(message: LiveMessage): void
  readonly hello: () => Hello | undefined
  /** What happened last, as many moments as are kept. */
  readonly story: () => Story
  /** What is to be seen at an instant of the server's clock, milliseconds; `undefined` before the server told anything. */
  readonly view: (now: number) => View | undefined
  /** All mappings that there are, those that are not listed too. */
  readonly total: () => number
  /** Datagrams a second, over the last few. */
  readonly rate: () => number
  /** Events that were not told since the connection, because they were too many. */
  readonly missed: () => number
}

/** Moments that are kept: when there are this many more, so many of the oldest go. */
const MOMENTS = 2000
const SPARE = 500
/** Hosts that have a colour of their own place. */
const HOSTS = 10_000
/** Milliseconds over which a rate is taken. */
const WHILE = 3000

interface Entry {
  readonly row: MappingRow
  /** When it was granted or renewed last, or first seen; milliseconds. */
  readonly granted: number
}

export const createLedger = (): Ledger => {
  let hello: Hello | undefined
  let tick: Tick | undefined
  let before: Counters | undefined
  let rows = new Map<string, Entry>()
  /** The mappings of a snapshot that is under way. */
  let coming: Map<string, Entry> | undefined
  let moments: readonly Happening[] = []
  let lately: readonly { readonly at: number; readonly count: number }[] = []
  let missed = 0
  let now = 0
  const order = new Map<Address, number>()
  let story: Story = { moments, order }

  const enter = ({ mapping, filters }: LiveRow, isTold: boolean): void => {
    const key = mappingKey(mapping)
    const known = rows.get(key)
    const isSame = known !== undefined && known.row.mapping.expires === mapping.expires
    const granted = isSame || (known !== undefined && !isTold) ? known.granted : now
    const entry = { row: { key, mapping, text: mappingText(mapping), left: 0, fraction: 1, filters }, granted }
    if (coming === undefined || known !== undefined || isTold) rows.set(key, entry)
    coming?.set(key, entry)
    if (!order.has(mapping.internal) && order.size < HOSTS) order.set(mapping.internal, order.size)
  }

  const pass = (message: Tick): void => {
    now = message.now
    before = tick?.counters
    tick = message
    for (const row of message.set) enter(row, true)
    for (const mapping of message.gone) {
      const key = mappingKey(mapping)
      rows.delete(key)
      coming?.delete(key)
    }
    const heard = message.events.reduce((sum, { request }) => sum + (request === undefined ? 0 : 1), message.missed)
    lately = [...lately.filter(({ at }) => at > now - WHILE), { at: now, count: heard }]
    missed += message.missed
    if (message.events.length === 0) return
    const all = [...moments, ...message.events.map(happeningOf)]
    moments = all.length > MOMENTS + SPARE ? all.slice(-MOMENTS) : all
    story = { moments, order }
  }

  return {
    take: (message) => {
      switch (message.type) {
        case "hello":
          hello = message
          now = message.now
          return
        case "snapshot":
          if (message.at === "begin") coming = new Map()
          else if (coming !== undefined) {
            rows = coming
            coming = undefined
          }
          return
        case "rows":
          for (const row of message.rows) enter(row, false)
          return
        case "tick":
          pass(message)
      }
    },
    hello: () => hello,
    story: () => story,
    view: (at) => {
      if (hello === undefined || tick === undefined) return undefined
      const { epoch, counters, pool, total } = tick
      const mappings = [...rows.values()].filter(({ row }) => row.mapping.expires > at).map((entry) => rowAt(entry, at))
      return {
        at,
        moment: moments.length - 1,
        epoch: epoch + Math.max(0, Math.floor((at - tick.now) / 1000)),
        mappings,
        more: total > mappings.length,
        subscribers: subscribersOf(
          mappings.map(({ mapping }) => mapping),
          hello.quota,
        ),
        counters: countersFrom(counters, before),
        changes: [],
        pool,
      }
    },
    total: () => tick?.total ?? 0,
    rate: () => lately.reduce((sum, { count }) => sum + count, 0) / (WHILE / 1000),
    missed: () => missed,
  }
}

const rowAt = ({ row, granted }: Entry, at: number): MappingRow => {
  const { expires } = row.mapping
  if (expires === Number.POSITIVE_INFINITY) return { ...row, left: expires }
  // Down, as the command's own tables: the server lets a mapping live up to a second longer than it says.
  const left = Math.floor((expires - at) / 1000)
  const whole = expires - granted
  return { ...row, left, fraction: whole > 0 ? Math.min(1, (expires - at) / whole) : 0 }
}

const happeningOf = ({ at, source, request, reply, dropped, changes }: LiveEvent): Happening => ({
  at,
  cause:
    source === undefined || request === undefined
      ? { type: "due" }
      : { type: "step", step: { type: "datagram", at, side: "inside", source, bytes: request } },
  changes,
  reply,
  dropped,
  verdict: undefined,
  sent: [],
  packets: [],
  due: undefined,
})
