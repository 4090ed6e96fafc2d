import type { CgnProfile, Mapping, Page } from "../../core/cgn/index.ts"
import { type Address, formatAddress, ipv4Value, isIpv4, SERVER_PORT } from "../../core/wire/index.ts"
import type { Clock } from "../host.ts"
import type { ServerEvent } from "../server-machine.ts"
import type { Endpoint } from "../udp.ts"
import { assignmentRecord } from "./assignment-json.ts"
import type { ServeSettings } from "./config/settings.ts"
import { formatEndpoint } from "./endpoint.ts"
import { endRecord, entryRecord, mappingRecord } from "./entry-json.ts"
import { jsonEvents, textEvents } from "./event-report.ts"
import { mappingTable } from "./mapping-table.ts"
import type { Paint } from "./paint.ts"
import type { Sink } from "./sink.ts"
import { wallClock } from "./wall-clock.ts"

/** How `serve` tells what it does: for people, or for programs. */
export interface Report {
  /** `places` is what is offered beside PCP and NAT-PMP: names and where. */
  listening(
    local: readonly Endpoint[],
    pool: readonly Address[],
    answers: Answers,
    places: readonly (readonly [string, string])[],
  ): void
  /** These settings are in force from now on; `fresh`: the server has just begun, without a mapping. */
  settings(settings: ServeSettings, fresh: boolean): void
  events(events: readonly ServerEvent[]): void
  /**
   * Tells of mappings that a log with nothing but assignments may not have: their ports were of a block or a range before, and are
   * their own from now on.
   */
  live(listing: Listing): Promise<void>
  /** Lists all mappings, a page at a time: between two pages the server answers. */
  mappings(listing: Listing): Promise<void>
}

/** A server's mappings: a page of them, rows after `after`, and how many there are. */
export interface Listing {
  page(after: number, limit: number): Page | Promise<Page>
  count(): number | Promise<number>
}

/** Which of the two protocols the server answers. */
export type Answers = { readonly pcp: boolean; readonly natPmp: boolean }

/** Mappings in one page of a listing: some milliseconds. */
const PAGE = 500
/** Rows of a table for people. */
const TABLE_ROWS = 1000

/** Lines and tables on standard output; on standard error what to try next. */
export const textReport = (sink: Sink, clock: Clock, paint: Paint, errorPaint: Paint, profile: CgnProfile): Report => {
  const { settings, events } = textEvents(sink, paint, profile)
  return {
    settings,
    events,
    live: async () => {},
    listening: (local, pool, answers, places) => {
      process.stderr.write(`${greeting(local, pool, answers, places, errorPaint).join("\n")}\n`)
    },
    mappings: async (listing) => {
      const rows: Mapping[] = []
      let after: number | undefined = 0
      while (after !== undefined && rows.length < TABLE_ROWS) {
        const page: Page = await listing.page(after, Math.min(PAGE, TABLE_ROWS - rows.length))
        rows.push(...page.mappings)
        after = page.after
        await turn()
      }
      const total = after === undefined ? rows.length : Math.max(rows.length, await listing.count())
      sink.print(`\n${mappingTable(rows, clock.now(), total, paint)}`)
    },
  }
}

/** One JSON object a line, on standard output. */
export const jsonReport = (sink: Sink, clock: Clock, profile: CgnProfile): Report => {
  const wall = wallClock(clock)
  const line = (record: object): string => `${JSON.stringify(record)}\n`
  const told = jsonEvents(sink, wall, profile)
  let isRandom = false
  // What is in force comes after what listens, but before anything that happens under it.
  let listens = false
  let said = ""
  const sayRest = (): void => {
    if (said !== "") sink.print(said)
    said = ""
  }
  return {
    settings: (settings, fresh) => {
      told.settings(settings)
      isRandom = settings.log === "assignments" && settings.cgn.assignment?.kind === "random"
      said = line({ time: wall.time(), event: "assignment", fresh, ...assignmentRecord(settings.cgn) })
      if (listens) sayRest()
    },
    listening: (local, pool, _answers, places) => {
      const external = pool.map(formatAddress)
      const offers = Object.fromEntries(places.map(([title, where]) => [title.toLowerCase(), where]))
      sink.print(line({ time: wall.time(), event: "listening", local: local.map(endRecord), external, ...offers }))
      listens = true
      sayRest()
    },
    events: (events) => {
      sayRest()
      told.events(events)
    },
    live: async (listing) => {
      for (let after: number | undefined = 0; after !== undefined && isRandom; ) {
        const page: Page = await listing.page(after, PAGE)
        for (const mapping of page.mappings)
          sink.print(line(entryRecord({ event: "created", mapping, asked: undefined, lifetime: undefined }, wall)))
        after = page.after
        if (!(await sink.ready())) return
        await turn()
      }
    },
    mappings: async (listing) => {
      let count = 0
      let after: number | undefined = 0
      while (after !== undefined) {
        const page: Page = await listing.page(after, PAGE)
        for (const mapping of page.mappings) sink.print(line({ event: "mapping", ...mappingRecord(mapping, wall) }))
        count += page.mappings.length
        after = page.after
        if (!(await sink.ready())) return
        await turn()
      }
      sink.print(line({ time: wall.time(), event: "mappings", count }))
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What listens, and two lines to try next. */
const greeting = (
  local: readonly Endpoint[],
  pool: readonly Address[],
  { pcp, natPmp }: Answers,
  places: readonly (readonly [string, string])[],
  paint: Paint,
): string[] => {
  const name = (text: string): string => paint.dim(text.padEnd(12))
  // natpmpc speaks IPv4 and knows no port but 5351.
  const natpmp = natPmp ? local.find(({ address, port }) => isIpv4(address) && port === SERVER_PORT) : undefined
  const gateway = natpmp === undefined ? undefined : formatAddress(natpmp.address)
  // Under npm and npx the command is not on everybody's path.
  const sallyport = process.env.npm_execpath === undefined ? "sallyport" : "npx sallyport"
  return [
    `${name("Listening")}${local.map(formatEndpoint).join(", ")}  (${pcp && natPmp ? "PCP and NAT-PMP" : pcp ? "PCP" : "NAT-PMP"})`,
    ...(pool.length === 0 ? [] : [`${name("Outside")}${poolText(pool)}`]),
    ...places.map(([title, where]) => `${name(title)}${where}`),
    `${name("Try next")}${gateway === undefined ? `${sallyport} decode 0000` : `natpmpc -g ${gateway} -a 8080 8080 tcp 3600`}`,
    `${name("")}${sallyport} decode 0002 0000 1f90 1f90 0000 0e10`,
    `${name("Mappings")}kill -USR1 ${process.pid}; Ctrl-C lists them and stops`,
    "",
  ]
}

/** One address, a run of them by its ends, or how many there are and where they begin. */
const poolText = (pool: readonly Address[]): string => {
  const first = formatAddress(pool[0])
  if (pool.length === 1) return first
  const isRun = pool.every((address, i) => ipv4Value(address) === ipv4Value(pool[0]) + i)
  return `${pool.length} addresses, ${isRun ? `${first} to ${formatAddress(pool[pool.length - 1])}` : `${first} and others`}`
}
