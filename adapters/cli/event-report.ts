import type { CgnProfile } from "../../core/cgn/index.ts"
import type { ServerEvent } from "../server-machine.ts"
import type { ServeSettings } from "./config/settings.ts"
import { entryRecord } from "./entry-json.ts"
import { entryPrinter } from "./entry-text.ts"
import { type Entry, entriesOf, isAssignmentEntry } from "./event.ts"
import type { Paint } from "./paint.ts"
import type { Sink } from "./sink.ts"
import type { WallClock } from "./wall-clock.ts"

/** A line for each thing that the server did. */
export interface EventReport {
  /** These settings say from now on which things. */
  settings(settings: ServeSettings): void
  events(events: readonly ServerEvent[]): void
}

/** Which entries these settings have printed. */
const wantedBy = (settings: ServeSettings | undefined): ((entry: Entry) => boolean) => {
  const kind = settings?.cgn.assignment?.kind ?? "random"
  return settings?.log === "assignments" ? (entry) => isAssignmentEntry(kind, entry) : () => true
}

/** For people. */
export const textEvents = (sink: Pick<Sink, "offer">, paint: Paint, profile: CgnProfile): EventReport => {
  const print = entryPrinter(paint)
  let isWanted = wantedBy(undefined)
  return {
    settings: (settings) => {
      isWanted = wantedBy(settings)
    },
    events: (events) => {
      const time = new Date().toTimeString().slice(0, 8)
      for (const event of events)
        for (const entry of entriesOf(event, profile)) if (isWanted(entry)) sink.offer(`${print(entry, time)}\n`)
    },
  }
}

/** One JSON object a line. */
export const jsonEvents = (sink: Pick<Sink, "offer">, wall: WallClock, profile: CgnProfile): EventReport => {
  let isWanted = wantedBy(undefined)
  return {
    settings: (settings) => {
      isWanted = wantedBy(settings)
    },
    events: (events) => {
      for (const event of events)
        for (const entry of entriesOf(event, profile))
          if (isWanted(entry)) sink.offer(`${JSON.stringify(entryRecord(entry, wall))}\n`)
    },
  }
}
