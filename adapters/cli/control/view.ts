import type { Mapping } from "../../../core/cgn/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { mappingTable } from "../mapping-table.ts"
import type { Paint } from "../paint.ts"
import { plainTable } from "../plain-table.ts"
import type { AnswerRecord } from "./ask.ts"
import { readMapping } from "./mapping-record.ts"

/** What becomes of an answer: text for each of its lines, at once, and for its end. */
export interface View {
  take(record: AnswerRecord): string
  end(record: AnswerRecord): string
}

/** Rows of a table for people. */
const ROWS = 1000

const line = (record: object): string => `${JSON.stringify(record)}\n`

/** The records as they come. */
export const recordView: View = { take: line, end: () => "" }
/** What the last line says, for commands that list nothing. */
export const endView = (text: (end: AnswerRecord) => string): View => ({ take: () => "", end: text })

export const mappingView = (paint: Paint): View => {
  const rows: Mapping[] = []
  return {
    take: (record) => {
      if (rows.length < ROWS) rows.push(readMapping(record))
      return ""
    },
    end: ({ count }) => mappingTable(rows, 0, Number(count), paint),
  }
}

export const counterView = (paint: Paint): View => {
  const rows: (readonly string[])[] = []
  return {
    take: ({ vector, name, count }) => {
      rows.push([String(vector), String(name), String(count)])
      return ""
    },
    end: () =>
      rows.length === 0 ? "Nothing was counted yet.\n" : plainTable(["COUNTER", "NAME", "+COUNT"], rows, paint),
  }
}

/** What one host has. */
interface Subscriber {
  readonly internal: string
  readonly realm: string | undefined
  readonly external: Set<string>
  readonly kinds: Map<string, number>
}

/** Mappings added up by internal address and realm, here rather than in the server, which has clients to answer. */
export const subscriberView = (json: boolean, paint: Paint): View => {
  const subscribers = new Map<string, Subscriber>()
  return {
    take: (record) => {
      const { internal, realm, external, kind } = readMapping(record)
      const key = `${internal}${realm ?? ""}`
      let known = subscribers.get(key)
      if (known === undefined) {
        known = {
          internal: formatAddress(internal),
          realm: realm === undefined ? undefined : formatAddress(realm),
          external: new Set(),
          kinds: new Map(),
        }
        subscribers.set(key, known)
      }
      known.external.add(formatAddress(external))
      known.kinds.set(kind, (known.kinds.get(kind) ?? 0) + 1)
      return ""
    },
    end: () =>
      json ? [...subscribers.values()].map(subscriberLine).join("") : subscriberTable([...subscribers.values()], paint),
  }
}

const total = ({ kinds }: Subscriber): number => [...kinds.values()].reduce((sum, count) => sum + count, 0)

const subscriberLine = (subscriber: Subscriber): string => {
  const { internal, realm, external, kinds } = subscriber
  const record = { internal, ...(realm === undefined ? {} : { realm }), external: [...external] }
  return line({ ...record, mappings: total(subscriber), kinds: Object.fromEntries(kinds) })
}

const subscriberTable = (subscribers: readonly Subscriber[], paint: Paint): string => {
  const head = paint.bold(`${subscribers.length} ${subscribers.length === 1 ? "subscriber" : "subscribers"}`)
  if (subscribers.length === 0) return `${paint.bold("No subscribers.")}\n`
  const rows = subscribers.slice(0, ROWS).map((subscriber) => {
    const { internal, realm, external, kinds } = subscriber
    const detail = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ")
    return [
      realm === undefined ? internal : `${internal}%${realm}`,
      [...external].join(", "),
      `${total(subscriber)}`,
      detail,
    ]
  })
  const more = subscribers.length - rows.length
  const rest = more > 0 ? `... and ${more} more; --json lists them all\n` : ""
  return `${head}\n${plainTable(["INTERNAL", "EXTERNAL", "+MAPPINGS", "KINDS"], rows, paint)}${rest}`
}
