import type { Prefix } from "../../../core/cgn/index.ts"
import { type Address, ANY6, formatAddress, isIpv4 } from "../../../core/wire/index.ts"
import { type Endpoint, toHex } from "../../../core/wire/text/index.ts"
import {
  addressText,
  between,
  type Fault,
  fault,
  hexOctets,
  listInSteps,
  listOf,
  type Members,
  members,
  oneOf,
  type Reader,
  type Spot,
  text,
  whole,
} from "./checked.ts"
import { type CgnConfiguration, PRESETS } from "./configuration.ts"
import { readConfiguration } from "./read-configuration.ts"
import { type DataPacket, type Session, type SessionStep, TCP_FLAGS, type Try } from "./session.ts"

/** What a session file says it is, and the version of its form. */
const FORMAT = "sallyport-session"
const VERSION = 1
/** UTF-16 units of a file, and steps in it. */
const MOST_UNITS = 64 * 1024 * 1024
export const MOST_STEPS = 100_000
/** Futures besides the session itself: each is played. */
export const MOST_TRIES = 32
/** Ten years, milliseconds. */
export const LATEST = 315_576_000_000
const LONGEST_DATAGRAM = 65527

export type SessionRead =
  | { readonly ok: true; readonly session: Session }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** Reads a session file: any text gives a session, or what is wrong with it and where. */
export const readSession = (json: string): SessionRead => {
  const steps = readSessionInSteps(json)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** The same step by step, so that a page stays alive: yields how many of the session's steps it has read. */
export function* readSessionInSteps(json: string): Generator<number, SessionRead> {
  const refused = (path: string, why: string): SessionRead => ({ ok: false, faults: [{ path, text: why }] })
  if (json.length > MOST_UNITS) return refused("", `a session has at most ${MOST_UNITS} characters`)
  const value = parseJson(json)
  if (!value.ok) return refused("", `that is no JSON: ${value.text}`)
  const faults: Fault[] = []
  const session = yield* readWhole(value.value, { path: "", faults })
  return session === undefined || faults.length > 0 ? { ok: false, faults } : { ok: true, session }
}

const parseJson = (
  json: string,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly text: string } => {
  try {
    return { ok: true, value: JSON.parse(json) }
  } catch (error) {
    return { ok: false, text: error instanceof Error ? error.message : "it ends too early" }
  }
}

function* readWhole(value: unknown, spot: Spot): Generator<number, Session | undefined> {
  const own = members(value, spot, ["format", "version", "title", "note", "configuration", "steps", "until", "tries"])
  if (own === undefined) return undefined
  own.required("format", oneOf([FORMAT]), FORMAT)
  const version = own.required("version", whole(1, 0xffff), VERSION)
  if (version !== VERSION)
    return fault(spot, `version ${version} is newer than this page, which reads version ${VERSION}`)
  const given = own.optional("steps", (list, place) => ({ list, place }), undefined)
  const steps = given === undefined ? [] : ((yield* listInSteps(readStep, MOST_STEPS, given.list, given.place)) ?? [])
  const session = {
    title: own.optional("title", text(200), ""),
    note: own.optional("note", text(4000), ""),
    configuration: own.required("configuration", readConfiguration, PRESETS.nat444),
    steps: steps.toSorted((one, other) => one.at - other.at),
  }
  const until = own.has("until") ? { until: own.required("until", between(0, LATEST), 0) } : {}
  return { ...session, ...until, ...(own.has("tries") ? { tries: readTries(own, spot) } : {}) }
}

const readTries = (own: Members, spot: Spot): readonly Try[] => {
  const tries = own.required("tries", listOf(readTry, MOST_TRIES), [])
  for (const [i, { of }] of tries.entries())
    if (of > i)
      fault({ ...spot, path: `tries[${i}].of` }, `it leaves one of the ${i} tries before it, or 0: the session`)
  return tries
}

const readTry: Reader<Try> = (value, spot) => {
  const own = members(value, spot, ["of", "name", "step", "after"])
  const step = own?.required<SessionStep | undefined>("step", readStep, undefined)
  return (
    own &&
    step && {
      of: own.optional("of", whole(0, MOST_TRIES), 0),
      name: own.required("name", text(200), ""),
      step,
      after: own.optional("after", oneOf(["rest", "nothing"]), "rest"),
    }
  )
}

const SIDES = ["inside", "outside"] as const
const NOWHERE: Endpoint = { address: ANY6, port: 0 }

const endpoint: Reader<Endpoint> = (value, spot) => {
  const own = members(value, spot, ["address", "port"])
  return own && { address: own.required("address", addressText, ANY6), port: own.required("port", whole(0, 65535), 0) }
}

const dataPacket: Reader<DataPacket> = (value, spot) => {
  const own = members(value, spot, ["protocol", "source", "destination", "flags", "payload", "b4"])
  if (own === undefined) return undefined
  const packet: DataPacket = {
    protocol: own.required("protocol", oneOf(["udp", "tcp", "icmp"]), "udp"),
    source: own.required("source", endpoint, NOWHERE),
    destination: own.required("destination", endpoint, NOWHERE),
    flags: own.optional("flags", listOf(oneOf(TCP_FLAGS), 4), []),
    payload: own.optional("payload", whole(0, 9000), 0),
  }
  if (isIpv4(packet.source.address) !== isIpv4(packet.destination.address))
    return fault(spot, "source and destination are not of one family")
  return own.has("b4") ? { ...packet, b4: own.required("b4", addressText, ANY6) } : packet
}

const readStep: Reader<SessionStep> = (value, spot) => {
  const names = ["type", "at", "side", "source", "bytes", "answer", "realm", "packet", "internal"]
  const own = members(value, spot, names)
  if (own === undefined) return undefined
  const type = own.required("type", oneOf(["datagram", "packet", "announce", "revoke"]), "announce")
  const at = own.required("at", between(0, LATEST), 0)
  const side = own.optional("side", oneOf(SIDES), "inside")
  const realm: { readonly realm?: Address } = own.has("realm")
    ? { realm: own.required("realm", addressText, ANY6) }
    : {}
  switch (type) {
    case "announce":
      return { type, at }
    case "revoke":
      return { type, at, internal: own.required("internal", addressText, ANY6), ...realm }
    case "packet": {
      const packet = own.required<DataPacket | undefined>("packet", dataPacket, undefined)
      return packet && { type, at, side, packet, ...realm }
    }
    case "datagram": {
      const octets = hexOctets(LONGEST_DATAGRAM)
      const bytes = own.required("bytes", octets, new Uint8Array(0))
      const answer = own.has("answer") ? { answer: own.required("answer", octets, new Uint8Array(0)) } : {}
      return { type, at, side, source: own.required("source", endpoint, NOWHERE), bytes, ...answer, ...realm }
    }
  }
}

/** The session as a file. What is as the kind's preset has it is left out. */
export const writeSession = ({ title, note, configuration, steps, until, tries }: Session): string =>
  `${JSON.stringify(
    {
      format: FORMAT,
      version: VERSION,
      title,
      note,
      configuration: writeConfiguration(configuration),
      ...(until === undefined ? {} : { until }),
      steps: steps.map(writeStep),
      ...(tries === undefined ? {} : { tries: tries.map((one) => ({ ...one, step: writeStep(one.step) })) }),
    },
    null,
    1,
  )}\n`

const prefixText = ({ address, prefixLength }: Prefix): string =>
  `${formatAddress(address)}/${isIpv4(address) ? prefixLength - 96 : prefixLength}`

const writeConfiguration = (configuration: CgnConfiguration): Readonly<Record<string, unknown>> => {
  const whole = plainConfiguration(configuration)
  const preset = plainConfiguration(PRESETS[configuration.kind])
  const differing = Object.entries(whole).filter(
    ([name, value]) => name === "kind" || JSON.stringify(value) !== JSON.stringify(preset[name]),
  )
  return Object.fromEntries(differing)
}

const plainConfiguration = (configuration: CgnConfiguration): Readonly<Record<string, unknown>> => ({
  ...configuration,
  external: configuration.external.map(formatAddress),
  staticMappings: configuration.staticMappings.map(({ protocol, internal, internalPort, external, externalPort }) => ({
    protocol,
    internal: formatAddress(internal),
    internalPort,
    external: formatAddress(external),
    externalPort,
  })),
  aftr: formatAddress(configuration.aftr),
  prefix64: prefixText(configuration.prefix64),
  prefixPairs: configuration.prefixPairs.map(({ internal, external }) => ({
    internal: prefixText(internal),
    external: prefixText(external),
  })),
  addressPairs: configuration.addressPairs.map(({ ipv4, ipv6 }) => ({
    ipv4: formatAddress(ipv4),
    ipv6: formatAddress(ipv6),
  })),
  inside: configuration.inside.map(prefixText),
})

const plainEnd = ({ address, port }: Endpoint) => ({ address: formatAddress(address), port })

const writeStep = (step: SessionStep): Readonly<Record<string, unknown>> => {
  const realm = "realm" in step && step.realm !== undefined ? { realm: formatAddress(step.realm) } : {}
  switch (step.type) {
    case "announce":
      return step
    case "revoke":
      return { ...step, internal: formatAddress(step.internal), ...realm }
    case "packet": {
      const { packet } = step
      const b4 = packet.b4 === undefined ? {} : { b4: formatAddress(packet.b4) }
      const plain = { ...packet, source: plainEnd(packet.source), destination: plainEnd(packet.destination), ...b4 }
      return { ...step, packet: plain, ...realm }
    }
    case "datagram": {
      const answer = step.answer === undefined ? {} : { answer: toHex(step.answer) }
      return { ...step, source: plainEnd(step.source), bytes: toHex(step.bytes), ...answer, ...realm }
    }
  }
}
