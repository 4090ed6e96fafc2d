import { type Address, Protocol } from "../wire/index.ts"
import type { AssignmentSettings } from "./assignment.ts"
import type { Block, Change } from "./change.ts"
import { deterministicSubscriber, planDeterministic } from "./deterministic.ts"
import type { Mapping, Realm } from "./mapping.ts"
import type { Prefix } from "./rule.ts"

/** Whose the ports are that a configuration speaks of: what a log must say whenever it changes (RFC 7422 section 3). */
export interface LoggedAssignment extends AssignmentSettings {
  /** The pool, in its order. */
  readonly external: readonly Address[]
}

/** What of a mapping a log must have. */
export type LoggedMapping = Pick<
  Mapping,
  "kind" | "protocol" | "internal" | "internalPort" | "realm" | "external" | "externalPort" | "remote" | "remotePort"
>

/** A change as a log has it, or more of it: any `Change` is one. */
export type LoggedChange =
  | { readonly type: "created" | "deleted" | "expired"; readonly mapping: LoggedMapping }
  | {
      readonly type: "moved"
      readonly mapping: LoggedMapping
      readonly external: Address
      readonly externalPort: number
    }
  | ({ readonly type: "block" | "block-over" } & Block)
  /** These settings are in force from now on. `fresh`: of a server that has just begun, without a mapping. */
  | { readonly type: "assignment"; readonly settings: LoggedAssignment; readonly fresh: boolean }

/** One record of a log; `at`, milliseconds, on whatever clock the log and the question share. */
export interface LogRecord {
  /** When it was. */
  readonly at: number
  /** What happened; what says nothing of whose ports are whose is passed over. */
  readonly change: LoggedChange | Change
}

/** Who had this external end at that time? `Infinity`: at the end of the log. */
export interface WhoAsk {
  /** The external address. */
  readonly external: Address
  /** IANA protocol number. */
  readonly protocol: number
  /** The external port; of ICMP queries the identifier. */
  readonly port: number
  /** Milliseconds, on the log's clock. */
  readonly at: number
}

/** Who had it, and what says so. */
export interface Holder {
  /** What the log told: a mapping, a block of ports, or the arithmetic of the settings. */
  readonly by: "mapping" | "block" | "range"
  /** What `subscriber` is a prefix of: internal addresses or realms. Of 128 bits it is one of them. */
  readonly of: "internal" | "realm"
  /** Who it was. */
  readonly subscriber: Prefix
  /** The realm of an internal address, where it has one. */
  readonly realm: Realm | undefined
  /** Of a mapping, its internal port; 0: all ports of the protocol, or of ICMP with `identifier` the queries that have this one. */
  readonly internalPort: number | undefined
  /** Of a mapping of ICMP queries with the identifier 0; else absent. */
  readonly identifier?: 0 | undefined
  /** Since when; `undefined`: since before the log. */
  readonly since: number | undefined
}

interface Since<T> {
  readonly value: T
  readonly since: number | undefined
}

/** How far a log has been read for one question. */
export interface Who {
  /** The question. */
  readonly ask: WhoAsk
  /** Mappings at the very end, or of all its ports, by what tells them apart. */
  readonly mappings: ReadonlyMap<string, Since<LoggedMapping>>
  /** The block that the port is in; `undefined`: in none. */
  readonly block: Since<Block> | undefined
  /** The settings in force; `undefined`: the log has told of none. */
  readonly assignment: Since<LoggedAssignment> | undefined
}

/** The question before any record; `settings` are those in force before the log begins, where they are known. */
export const askWho = (ask: WhoAsk, settings?: LoggedAssignment): Who => ({
  ask,
  mappings: new Map(),
  block: undefined,
  assignment: settings && { value: settings, since: undefined },
})

const keyOf = (m: LoggedMapping): string =>
  [m.kind, m.protocol, m.internal, m.internalPort, m.realm, m.external, m.externalPort, m.remote, m.remotePort].join()

/** Is it of all ports of its protocol? Those alone have no external one: ICMP's internal port 0 is the identifier of queries as well. */
const isWhole = ({ externalPort }: Pick<LoggedMapping, "externalPort">): boolean => externalPort === 0

/** Has a mapping with this external end the one that is asked for? */
const isAsked = ({ external, protocol, port }: WhoAsk, mapping: LoggedMapping, at: Address, atPort: number): boolean =>
  at === external &&
  (isWhole(mapping)
    ? mapping.protocol === protocol || mapping.protocol === 0
    : mapping.protocol === protocol && atPort === port)

/** Takes the next record of the log; those later than the question are passed over. */
export const readRecord = (who: Who, { at, change }: LogRecord): Who => {
  const { ask } = who
  if (at > ask.at) return who
  switch (change.type) {
    case "created": {
      const { mapping } = change
      return isAsked(ask, mapping, mapping.external, mapping.externalPort) ? withMapping(who, mapping, at) : who
    }
    case "deleted":
    case "expired":
      return withoutMapping(who, change.mapping)
    case "moved": {
      const { mapping } = change
      const { external, externalPort } = change
      const left = withoutMapping(who, { ...mapping, external, externalPort })
      return isAsked(ask, mapping, mapping.external, mapping.externalPort) ? withMapping(left, mapping, at) : left
    }
    case "block":
      return isAround(change, ask) ? { ...who, block: { value: change, since: at } } : who
    case "block-over":
      return isAround(change, ask) ? { ...who, block: undefined } : who
    case "assignment": {
      const assignment = { value: change.settings, since: at }
      if (change.fresh) return { ask, mappings: new Map(), block: undefined, assignment }
      return { ...who, mappings: keptUnder(who, change.settings), assignment }
    }
    default:
      return who
  }
}

/** Mappings that go on under other settings: what was assigned at random has moved into a block or a range. */
const keptUnder = ({ mappings, assignment }: Who, after: LoggedAssignment): Who["mappings"] => {
  const { kind } = after.assignment
  if (kind === "random" || assignment?.value.assignment.kind === kind) return mappings
  return new Map([...mappings].filter(([, { value }]) => isOfItsOwn(value)))
}

const withMapping = (who: Who, mapping: LoggedMapping, since: number): Who =>
  who.mappings.has(keyOf(mapping))
    ? who
    : { ...who, mappings: new Map(who.mappings).set(keyOf(mapping), { value: mapping, since }) }

const withoutMapping = (who: Who, mapping: LoggedMapping): Who => {
  if (!who.mappings.has(keyOf(mapping))) return who
  const mappings = new Map(who.mappings)
  mappings.delete(keyOf(mapping))
  return { ...who, mappings }
}

const isAround = ({ external, firstPort, lastPort }: Block, ask: WhoAsk): boolean =>
  external === ask.external && firstPort <= ask.port && ask.port <= lastPort

/** Is its port its own, and not its subscriber's by a block or a range? The administrator's may lie in somebody's. */
const isOfItsOwn = (mapping: LoggedMapping): boolean =>
  mapping.kind === "static" || isWhole(mapping) || !isAssignable(mapping.protocol)

/** Are this protocol's ports assigned to subscribers, where any are? */
const isAssignable = (protocol: number): boolean =>
  protocol === Protocol.UDP || protocol === Protocol.TCP || protocol === Protocol.ICMP

/**
 * The answer as far as the log has been read, or `undefined`: nobody had it. A mapping of just this port says most, then
 * one of all ports, then a block, then the arithmetic of the settings (RFC 7422 section 2, function 2).
 */
export const answerWho = ({ ask, mappings, block, assignment }: Who): Holder | undefined => {
  const all = [...mappings.values()]
  const exact = all.find(({ value }) => !isWhole(value))
  const found = exact ?? all.find(({ value }) => value.protocol !== 0) ?? all[0]
  if (found !== undefined) {
    const { internal, internalPort, realm } = found.value
    const since = exact === undefined ? found.since : sinceWhen(all, internal, internalPort)
    return {
      by: "mapping",
      of: "internal",
      subscriber: { address: internal, prefixLength: 128 },
      realm,
      internalPort,
      ...(exact !== undefined && internalPort === 0 ? { identifier: 0 } : {}),
      since,
    }
  }
  if (!isAssignable(ask.protocol)) return undefined
  const nothing = { realm: undefined, internalPort: undefined }
  if (block !== undefined) {
    const { internal, prefixLength, realm } = block.value
    const { since } = block
    return realm === undefined
      ? { by: "block", of: "internal", subscriber: { address: internal, prefixLength }, ...nothing, since }
      : { by: "block", of: "realm", subscriber: { address: realm, prefixLength: 128 }, ...nothing, since }
  }
  const plan = assignment && planDeterministic(assignment.value)
  if (assignment === undefined || plan === undefined) return undefined
  const range = deterministicSubscriber(plan, assignment.value.external.indexOf(ask.external), ask.port)
  return range && { by: "range", of: range.of, subscriber: range.subscriber, ...nothing, since: assignment.since }
}

/** Since when an internal end has its external end: the first of what keeps it. */
const sinceWhen = (all: readonly Since<LoggedMapping>[], internal: Address, port: number): number | undefined => {
  const own = all.filter(({ value }) => value.internal === internal && value.internalPort === port && !isWhole(value))
  return own.some(({ since }) => since === undefined) ? undefined : Math.min(...own.map(({ since }) => since ?? 0))
}

/** Who had this external end at that time, by a log in its order? */
export const whoHad = (ask: WhoAsk, log: Iterable<LogRecord>, settings?: LoggedAssignment): Holder | undefined => {
  let who = askWho(ask, settings)
  for (const record of log) who = readRecord(who, record)
  return answerWho(who)
}

/**
 * Must a log have this change for {@link whoHad} to know whose every port was? Renewals are never needed, nor is any mapping
 * whose port is its subscriber's by a block or a range.
 */
export const tellsWho = (kind: AssignmentSettings["assignment"]["kind"], change: Change | LoggedChange): boolean => {
  switch (change.type) {
    case "block":
    case "block-over":
    case "assignment":
      return true
    case "created":
    case "deleted":
    case "expired":
    case "moved": {
      return kind === "random" || isOfItsOwn(change.mapping)
    }
    default:
      return false
  }
}
