import type { InboundRequest } from "../../core/client/index.ts"
import type { ClientOptions } from "./engine.ts"
import { PortControlError } from "./error.ts"
import type { ListenPublicOptions } from "./listen-public.ts"
import type { RequestOptions } from "./mapping.ts"
import type { PortRequest } from "./open-port.ts"
import type { ProbeOptions } from "./probe.ts"
import type { Waiting } from "./waiting.ts"

/** What an option's value is, for people, and whether one is that. What an option means is looked at where it is used. */
interface Shape {
  readonly is: string
  readonly fits: (value: unknown) => boolean
}

/** A shape for each option: none is forgotten. Options that are left out, or `undefined`, fit. */
type Shapes<T> = { readonly [name in keyof T]-?: Shape }

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null
const hasMethods = (value: unknown, ...names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => typeof Reflect.get(value, name) === "function")
const listOf = (value: unknown, fits: (one: unknown) => boolean): boolean => Array.isArray(value) && value.every(fits)
const isText = (value: unknown): boolean => typeof value === "string"

const TEXT: Shape = { is: "text", fits: isText }
const TEXTS: Shape = { is: "a list of texts", fits: (value) => listOf(value, isText) }
const NUMBER: Shape = { is: "a number", fits: (value) => typeof value === "number" }
const SWITCH: Shape = { is: "true or false", fits: (value) => typeof value === "boolean" }
const OCTETS: Shape = { is: "a Uint8Array", fits: (value) => value instanceof Uint8Array }
const OBJECT: Shape = { is: "an object", fits: isObject }
const OBJECTS: Shape = { is: "a list of objects", fits: (value) => listOf(value, isObject) }
const oneOf = (...values: readonly string[]): Shape => ({
  is: values.map((value) => JSON.stringify(value)).join(" or "),
  fits: (value) => isText(value) && values.some((one) => one === value),
})

const WAITING: Shapes<Waiting> = {
  signal: { is: "an AbortSignal", fits: (value) => hasMethods(value, "addEventListener", "removeEventListener") },
  timeout: NUMBER,
}

const CLIENT: Shapes<ClientOptions> = {
  servers: TEXTS,
  dhcp: {
    is: "a list of { servers }, each of them a list of lists of addresses",
    fits: (value) =>
      listOf(value, (one) => isObject(one) && listOf(Reflect.get(one, "servers"), (list) => listOf(list, isText))),
  },
  interfaceName: TEXT,
  family: oneOf("ipv4", "ipv6"),
  client: TEXT,
  speak: oneOf("auto", "pcp", "nat-pmp"),
  acceptResponsesFrom: TEXTS,
  anycast: SWITCH,
  announcements: SWITCH,
  settings: {
    is: "an object, and its budgets are objects",
    fits: (value) =>
      isObject(value) &&
      ["serverBudget", "mappingBudget"].every((name) => {
        const budget = Reflect.get(value, name)
        return budget === undefined || isObject(budget)
      }),
  },
  seed: OCTETS,
  store: { is: "a store, with load and save", fits: (value) => hasMethods(value, "load", "save") },
  watch: NUMBER,
}

const PORT: Shapes<PortRequest> = {
  // A protocol that is none has an error of its own.
  protocol: { is: "a name or a number", fits: () => true },
  internalPort: NUMBER,
  externalPort: NUMBER,
  external: TEXT,
  lifetime: NUMBER,
  remote: TEXT,
  remotePort: NUMBER,
  thirdParty: TEXT,
  thirdPartyId: OCTETS,
  description: TEXT,
  preferFailure: SWITCH,
  filters: {
    is: "a list of { remote }, which is text",
    fits: (value) => listOf(value, (one) => isObject(one) && isText(Reflect.get(one, "remote"))),
  },
  portSet: OBJECT,
  prefix64: SWITCH,
  options: OBJECTS,
}

const REQUEST: Shapes<RequestOptions> = {
  id: TEXT,
  mode: {
    is: '{ kind: "once" }, { kind: "repeat", times }, or { kind: "keep" }',
    fits: (value) => isObject(value) && oneOf("once", "repeat", "keep").fits(Reflect.get(value, "kind")),
  },
  servers: TEXTS,
  nonce: { is: "a nonce, as readNonce gives it", fits: (value) => typeof value === "string" && value.length === 6 },
  resume: OBJECTS,
}

const MACHINE: Shapes<Pick<InboundRequest, "kind" | "filters">> = {
  kind: oneOf("inbound", "outbound"),
  filters: PORT.filters,
}

const LISTEN: Shapes<Pick<ListenPublicOptions, "protocol" | "port">> = {
  protocol: oneOf("tcp", "udp"),
  port: NUMBER,
}

const PROBE: Shapes<ProbeOptions> = { ...WAITING, map: SWITCH }

type Check = (options: unknown) => void

const checker =
  (shapes: Readonly<Record<string, Shape>>, needed: readonly string[] = []): Check =>
  (options) => {
    if (!isObject(options)) throw new PortControlError("bad-options", `options are an object, not ${shown(options)}`)
    for (const [name, { is, fits }] of Object.entries(shapes)) {
      const value = Reflect.get(options, name)
      if (value === undefined ? needed.includes(name) : !fits(value))
        throw new PortControlError("bad-options", `${name} is ${is}, not ${shown(value)}`)
    }
  }

const shown = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (Array.isArray(value)) return "such a list"
  return isObject(value) ? "such an object" : typeof value === "function" ? "a function" : String(value)
}

/*
 * What a caller without types may have handed in: each throws a `PortControlError` of the code `bad-options` for the first option that
 * has not the type that it is documented with.
 */
export const checkClientOptions: Check = checker({ ...CLIENT, signal: WAITING.signal })
export const checkWaitingOptions: Check = checker(WAITING)
export const checkOpenOptions: Check = checker(
  { ...PORT, ...WAITING, id: REQUEST.id, nonce: REQUEST.nonce, resume: REQUEST.resume },
  ["internalPort"],
)
export const checkListenOptions: Check = checker(
  { ...PORT, internalPort: NUMBER, ...WAITING, id: REQUEST.id, ...LISTEN },
  ["protocol"],
)
export const checkRequest: Check = checker({ ...PORT, ...MACHINE }, ["kind", "internalPort"])
export const checkProbeOptions: Check = checker(PROBE)
export const checkRequestOptions: Check = checker(REQUEST)
