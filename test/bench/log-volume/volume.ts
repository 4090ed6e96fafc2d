import { assignmentRecord } from "../../../adapters/cli/assignment-json.ts"
import { entryRecord } from "../../../adapters/cli/entry-json.ts"
import { type Entry, entriesOf, isAssignmentEntry } from "../../../adapters/cli/event.ts"
import {
  type Assignment,
  type CgnState,
  type Change,
  createCgn,
  memoryCgn,
  noteOutbound,
} from "../../../core/cgn/index.ts"
import { addressFromIpv4 } from "../../../core/wire/index.ts"

/** What one assignment's log came to. */
export interface Volume {
  readonly name: string
  readonly mappings: number
  readonly records: number
  readonly octets: number
}

const ASSIGNMENTS: readonly (readonly [string, Assignment])[] = [
  ["random", { kind: "random" }],
  ["blocks of 64", { kind: "blocks", size: 64, limit: 16 }],
  ["blocks of 512", { kind: "blocks", size: 512, limit: 4 }],
  [
    "deterministic, with a dynamic pool",
    {
      kind: "deterministic",
      internal: [{ address: addressFromIpv4(0x0a000000), prefixLength: 96 + 20 }],
      ratio: 500,
      dynamic: { factor: 500, size: 64, maximum: 1024 },
    },
  ],
  [
    "deterministic",
    {
      kind: "deterministic",
      internal: [{ address: addressFromIpv4(0x0a000000), prefixLength: 96 + 20 }],
      ratio: 500,
    },
  ],
]

/** A generator of 32-bit numbers, the same for every assignment: xorshift32. */
const generator = (seed: number) => {
  let x = seed | 0
  return (below: number): number => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
}

/** One flow's first packet: when, whose, and in which protocol. */
interface Flow {
  readonly at: number
  readonly host: number
  readonly protocol: number
  readonly port: number
}

/**
 * Each subscriber opens some tens of flows in a burst, every quarter of an hour on average, half of the day asleep; every
 * 50th opens ten times as many.
 */
const trafficOf = (subscribers: number, seconds: number): readonly Flow[] => {
  const flows: Flow[] = []
  const random = generator(0x5a11)
  for (let host = 1; host <= subscribers; host++) {
    const awake = random(seconds >> 1)
    for (let at = awake; at < awake + (seconds >> 1); at += 1 + random(1800)) {
      const count = (1 + random(30)) * (host % 50 === 0 ? 10 : 1)
      for (let n = 0; n < count; n++)
        flows.push({ at: at + random(20), host, protocol: random(3) === 0 ? 6 : 17, port: 1024 + random(64512) })
    }
  }
  return flows.sort((a, b) => a.at - b.at)
}

/** The log of each assignment for the same traffic, as `serve --json` writes it when it is to have assignments alone. */
export const logVolume = (subscribers: number, seconds: number): readonly Volume[] => {
  const traffic = trafficOf(subscribers, seconds)
  return ASSIGNMENTS.map(([name, assignment]) => ({ name, ...volumeOf(assignment, traffic, seconds) }))
}

const volumeOf = (assignment: Assignment, traffic: readonly Flow[], seconds: number): Omit<Volume, "name"> => {
  const made = createCgn({
    assignment,
    external: Array.from({ length: 16 }, (_, i) => addressFromIpv4(0xcb007100 + i)),
    ports: { first: 1024, last: 65535 },
    quota: 0,
    filterLimit: 8,
    idleTimeout: { udp: 300, tcp: 7440 },
    secret: new Uint8Array(32).fill(1),
    now: 0,
  })
  if (!made.ok) throw new Error(made.error.text)
  let state: CgnState = made.state
  let now = 0
  // The record of the settings (RFC 7422 section 3), which `serve` writes at its start and once a day.
  const settings = { time: new Date(0).toISOString(), event: "assignment", fresh: true }
  let [mappings, records] = [0, 1]
  let octets = JSON.stringify({ ...settings, ...assignmentRecord(made.state.config) }).length + 1
  const wall = { time: () => new Date(now).toISOString(), at: (instant: number) => new Date(instant).toISOString() }
  const note = (changes: readonly Change[]): void => {
    for (const change of changes) if (change.type === "created") mappings++
    for (const entry of entriesOf({ type: "advanced", changes }))
      if (isAssignmentEntry(assignment.kind, entry)) {
        records++
        octets += lengthOf(entry, wall)
      }
  }
  const expire = (): void => {
    const gone = memoryCgn.expire(state, now, 1 << 20)
    state = gone.state
    note(gone.changes)
  }
  for (const { at, host, protocol, port } of traffic) {
    if (at * 1000 > now) {
      now = at * 1000
      expire()
    }
    const internal = addressFromIpv4(0x0a000000 + host)
    const noted = noteOutbound(state, { protocol, internal, internalPort: port }, now)
    state = noted.state
    note(noted.changes)
  }
  now = (seconds + 86400) * 1000
  expire()
  return { mappings, records, octets }
}

const lengthOf = (entry: Entry, wall: Parameters<typeof entryRecord>[1]): number =>
  JSON.stringify(entryRecord(entry, wall)).length + 1
