/**
 * A naive NAT44 PCP and NAT-PMP server, written from RFC 6887, RFC 6886 and the decisions that the code states in its
 * doc comments. It shares nothing with the code: octets, addresses and nonces are its own. It says what the reply must
 * be, octet by octet; of an external end that the server is free to choose it only judges the choice.
 */
import { type Chosen, homeOf } from "./model-choice.ts"
import { type ModelRequest, serveDelete, serveMap, servePeer } from "./model-mapping.ts"
import {
  addressText,
  descriptionOctets,
  errorReply,
  hexAt,
  isV4,
  isZero,
  modelOptions,
  natPmpReply,
  noOptions,
  portSetOctets,
  successReply,
  THIRD_PARTY_IDS,
  word16,
  word32,
} from "./model-message.ts"
import { allowed } from "./model-rule.ts"
import { serveDeleteSet, serveMapSet } from "./model-set.ts"
import { live, type Model, type ModelSettings, withEnd } from "./model-state.ts"

/** What must have become of a request, or what is wrong with what did. */
export type Verdict =
  | { readonly model: Model; readonly reply: Uint8Array | undefined; readonly dropped: string | undefined }
  | { readonly wrong: string }

const DROPS = ["outside", "too-short", "response", "not-serving"]

const count = (model: Model, names: readonly string[]): Model => {
  const counters = new Map(model.counters)
  for (const name of names) counters.set(name, (counters.get(name) ?? 0) + 1)
  return { ...model, counters }
}

/** `chosen` is what the server assigned where it made a new mapping: from the changes that it tells. */
export const serveModel = (settings: ModelSettings, model: Model, request: ModelRequest, chosen: Chosen): Verdict => {
  const { bytes, now } = request
  const host = request.source + request.realm
  const epoch = Math.floor((now - Math.max(model.epoch, model.epochs.get(host) ?? model.epoch)) / 1000)
  const drop = (why: string): Verdict => ({
    model: count(model, [`drop ${DROPS.indexOf(why)}`]),
    reply: undefined,
    dropped: why,
  })
  // RFC 6887 section 8.2, in its order; RFC 6886 section 3.5.
  if (request.outside) return drop("outside")
  if (bytes.length < 2) return drop("too-short")
  if (bytes[1] >= 128) return drop("response")
  if (bytes[0] === 0 && settings.natPmp) return serveNatPmp(settings, model, request, chosen, epoch, drop)
  if (!settings.pcp)
    return {
      model: count(model, [`natpmp-operation ${bytes[1]}`, "natpmp-result 1"]),
      reply: Uint8Array.of(0, 0, 0, 1, ...natPmpReply(0, 0, epoch, []).subarray(4)),
      dropped: undefined,
    }
  if (bytes[0] === 2 && bytes.length < 24) return drop("too-short")
  const done = servePcp(settings, model, request, chosen, epoch)
  if ("wrong" in done) return done
  const counted = [`operation ${bytes[1]}`, `result ${done.code}`, ...done.seen.map((code) => `option ${code}`)]
  const reply = done.reply ?? errorReply(bytes, done.code, done.lifetime ?? usualLifetime(done.code), epoch)
  return { model: count(done.model, counted), reply, dropped: undefined }
}

/** RFC 6887 section 7.4: 30 seconds for what soon passes, 30 minutes for the rest. */
const usualLifetime = (code: number): number => ([7, 8, 10, 11].includes(code) ? 30 : 1800)

type Pcp =
  | {
      readonly code: number
      readonly lifetime: number | undefined
      /** The reply to a request met. */
      readonly reply: Uint8Array | undefined
      readonly model: Model
      readonly seen: readonly number[]
    }
  | { readonly wrong: string }

const servePcp = (settings: ModelSettings, model: Model, request: ModelRequest, chosen: Chosen, epoch: number): Pcp => {
  const { bytes, source } = request
  let seen: readonly number[] = []
  const fail = (code: number, lifetime?: number): Pcp => ({ code, lifetime, reply: undefined, model, seen })
  const met = (after: Model, reply: Uint8Array): Pcp => ({ code: 0, lifetime: undefined, reply, model: after, seen })
  if (bytes[0] !== 2) return fail(1)
  if (bytes.length > 1100 || bytes.length % 4 !== 0) return fail(3)
  const opcode = bytes[1]
  const length = [24, 60, 80][opcode]
  if (length === undefined || ![settings.announce, settings.map, settings.peer][opcode]) return fail(4)
  if (bytes.length < length) return fail(3)
  if (addressText(bytes, 8) !== source) return fail(12)
  const options = modelOptions(bytes, length, source, settings)
  seen = options.seen
  if (options.code !== 0) return fail(options.code)
  if (opcode === 0) {
    const permitted = allowed(settings.rules, bytes, source, source)
    return permitted === 0 ? met(model, successReply(bytes, 24, 0, epoch, undefined, [])) : fail(permitted)
  }
  const protocol = bytes[36]
  const internalPort = word16(bytes, 40)
  const remote = opcode === 2 ? addressText(bytes, 64) : ""
  if (opcode === 1 && protocol === 0 && internalPort !== 0) return fail(3)
  if (opcode === 2 && (protocol === 0 || internalPort === 0 || word16(bytes, 60) === 0 || !isPeer(remote)))
    return fail(3)
  const address = options.thirdParty ?? source
  if (!isV4(address) || isZero(address)) return fail(2)
  const permitted = allowed(settings.rules, bytes, source, address)
  if (permitted !== 0) return fail(permitted)
  const { thirdPartyId } = options
  const named = thirdPartyId === undefined ? -1 : THIRD_PARTY_IDS.indexOf(thirdPartyId)
  const internal = address + (named < 0 ? request.realm : `%${named}`)
  const asked = word32(bytes, 4)
  const deleting = opcode === 1 && asked === 0
  if (!deleting && (internalPort === 0 || (protocol !== 6 && protocol !== 17))) return fail(9)
  const set = options.portSet !== undefined && internalPort !== 0
  const map = set ? (deleting ? serveDeleteSet : serveMapSet) : deleting ? serveDelete : serveMap
  const serve = opcode === 2 ? servePeer : map
  const done = serve(settings, model, request, chosen, {
    protocol,
    internal,
    internalPort,
    nonce: hexAt(bytes, 24, 36),
    suggested: addressText(bytes, 44),
    suggestedPort: word16(bytes, 42),
    lifetime: asked === 0 ? 0 : Math.min(settings.maxLifetime, Math.max(settings.minLifetime, asked)),
    requester: options.thirdParty === undefined ? undefined : source,
    options,
  })
  if ("wrong" in done) return done
  if ("code" in done) return fail(done.code, done.lifetime)
  const ports = portSetOctets(internalPort, done.ports ?? 1, options.portSet?.parity ?? false)
  const octets = [...options.echoed, ...descriptionOctets(done.description), ...ports]
  const reply = successReply(bytes, length, done.lifetime, epoch, done.end, octets)
  return met(done.model, reply)
}

/** RFC 6887 sections 12.3: IPv4, and not this network, loopback, multicast or broadcast (S-63). */
const isPeer = (remote: string): boolean => {
  const first = Number(remote.split(".")[0])
  return isV4(remote) && first !== 0 && first !== 127 && first < 224
}

/** RFC 6886 sections 3.2 to 3.5. */
const serveNatPmp = (
  settings: ModelSettings,
  model: Model,
  request: ModelRequest,
  chosen: Chosen,
  epoch: number,
  drop: (why: string) => Verdict,
): Verdict => {
  const { bytes, now } = request
  const source = request.source + request.realm
  const opcode = bytes[1]
  const answer = (code: number, rest: readonly number[], after = model): Verdict => ({
    model: count(after, [`natpmp-operation ${opcode}`, `natpmp-result ${code}`]),
    reply: natPmpReply(opcode, code, epoch, rest),
    dropped: undefined,
  })
  const known = isV4(request.source) && !isZero(request.source)
  const served = known && allowed(settings.rules, bytes, request.source, request.source) === 0
  if (opcode === 0) {
    if (!served) return answer(2, [0, 0, 0, 0])
    const home = homeOf(settings, model, now, source) ?? chosen?.external
    if (home === undefined || home !== chosen?.external)
      return { wrong: `${chosen?.external} is not the subscriber's external address` }
    return answer(0, home.split(".").map(Number))
  }
  if (opcode > 2) {
    const reply = new Uint8Array(Math.max(4, Math.min(1100, bytes.length)))
    reply.set(bytes.subarray(0, 1100))
    reply.set([128 + opcode, 0, 5], 1)
    return { model: count(model, [`natpmp-operation ${opcode}`, "natpmp-result 5"]), reply, dropped: undefined }
  }
  if (bytes.length < 12) return drop("too-short")
  const protocol = opcode === 1 ? 17 : 6
  const internalPort = word16(bytes, 4)
  const asked = word32(bytes, 8)
  const mapping = (code: number, externalPort: number, lifetime: number, after = model): Verdict => {
    const octets = [externalPort >>> 8, externalPort & 255]
    for (const shift of [24, 16, 8, 0]) octets.push((lifetime >>> shift) & 255)
    return answer(code, [bytes[4], bytes[5], ...octets], after)
  }
  if (!served) return mapping(2, 0, 0)
  if (internalPort === 0 && asked === 0) {
    // Section 3.4: as many as possible; those made with a nonce stay, and the result says so.
    let after = model
    let complete = true
    for (const [key, stored] of model.ends) {
      const end = live(stored, now)
      if (end === undefined || end.internal !== source || end.protocol !== protocol) continue
      if (end.fixed || end.map?.nonce !== undefined) complete = false
      else if (end.map !== undefined) after = withEnd(settings, after, key, live({ ...end, map: undefined }, now), now)
    }
    return mapping(complete ? 0 : 2, 0, 0, after)
  }
  if (internalPort === 0) return mapping(2, 0, 0)
  const done = (asked === 0 ? serveDelete : serveMap)(settings, model, request, chosen, {
    protocol,
    internal: source,
    internalPort,
    nonce: undefined,
    suggested: "0.0.0.0",
    suggestedPort: word16(bytes, 6),
    lifetime: Math.min(settings.maxLifetime, asked),
    requester: undefined,
    options: noOptions,
  })
  if ("wrong" in done) return done
  if ("code" in done) return mapping(done.code === 2 ? 2 : 4, 0, 0)
  return mapping(0, asked === 0 ? 0 : (done.end?.externalPort ?? 0), done.lifetime, done.model)
}
