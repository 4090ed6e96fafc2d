/** Plays a vector against a device and asserts what it says, and what holds for every answer. */
import assert from "node:assert/strict"
import {
  type Case,
  type Effect,
  isEvent,
  isOutbound,
  isRequest,
  type Kind,
  type MappingFacts,
  type RequestStep,
  type Step,
  type Unsolicited,
} from "../../adapters/conformance/case.ts"
import { type Bindings, fill, fromHex, match, toHex, wantedText } from "../../adapters/conformance/template.ts"
import { broken, numberOf } from "../../adapters/conformance/where.ts"
import type { Change, Mapping } from "../../core/cgn/index.ts"
import { type Address, isIpv4, readAddress } from "../../core/wire/index.ts"
import { type Device, makeDevice, octetsOf, type Sent } from "./device.ts"

interface Stage {
  readonly device: Device
  bindings: Bindings
  now: number
}

const octets = (stage: Stage, template: string): Uint8Array => {
  const filled = fill(template, stage.bindings)
  assert.ok(filled.ok && "bytes" in filled, filled.ok ? template : filled.text)
  return filled.bytes
}

const addressOf = (stage: Stage, template: string): Address => readAddress(octets(stage, template), 0)

const ownChanges = (changes: readonly Change[]): readonly Change[] => changes.filter(({ type }) => type !== "counted")

/** Which of the stated facts a mapping contradicts. */
const contradictions = (stage: Stage, facts: MappingFacts, mapping: Mapping): readonly string[] => {
  const faults: string[] = []
  const same = (name: string, wanted: unknown, got: unknown): void => {
    if (wanted !== got) faults.push(`${name} is ${String(got)}, not ${String(wanted)}`)
  }
  const sameAddress = (name: string, template: string | undefined, got: Address | undefined): void => {
    if (template !== undefined && got !== undefined) same(name, toHex(octets(stage, template)), toHex(octetsOf(got)))
  }
  const samePort = (name: string, template: string | undefined, got: number): void => {
    if (template !== undefined) same(name, Number(numberOf(octets(stage, template))), got)
  }
  if (facts.kind !== undefined) same("kind", facts.kind, mapping.kind)
  if (facts.origin !== undefined) same("origin", facts.origin, mapping.origin)
  if (facts.protocol !== undefined) same("protocol", facts.protocol, mapping.protocol)
  if (facts.description !== undefined) same("description", facts.description, mapping.details?.description)
  if (facts.lifetime !== undefined) same("lifetime", facts.lifetime, Math.round((mapping.expires - stage.now) / 1000))
  sameAddress("internal", facts.internal, mapping.internal)
  sameAddress("external", facts.external, mapping.external)
  sameAddress("remote", facts.remote, mapping.remote)
  samePort("internal port", facts.internalPort, mapping.internalPort)
  samePort("external port", facts.externalPort, mapping.externalPort)
  samePort("remote port", facts.remotePort, mapping.remotePort)
  return faults
}

const TOLD: readonly Effect["type"][] = [
  "created",
  "renewed",
  "deleted",
  "expired",
  "moved",
  "filtered",
  "epoch-reset",
  "subscriber-reset",
]

const assertEffects = (stage: Stage, effects: readonly Effect[], changes: readonly Change[]): void => {
  // Held and freed ends, and sessions of packets, are the device's own: a vector shows them by what requests get.
  const seen = changes.filter(({ type }) => TOLD.some((told) => told === type))
  assert.deepEqual(
    seen.map(({ type }) => type),
    effects.map(({ type }) => type),
  )
  for (const [i, effect] of effects.entries()) {
    const change = seen[i]
    if (change !== undefined && "mapping" in change && "expires" in change.mapping)
      assert.deepEqual(contradictions(stage, effect, change.mapping), [], `effect ${i}, ${effect.type}`)
    if (change?.type === "filtered" && effect.filters !== undefined) assert.equal(change.filters.length, effect.filters)
  }
}

const assertMappings = (stage: Stage, wanted: readonly MappingFacts[]): void => {
  const left = [...stage.device.mappings(stage.now)]
  for (const facts of wanted) {
    const found = left.findIndex((mapping) => contradictions(stage, facts, mapping).length === 0)
    assert.ok(found >= 0, `no mapping is ${JSON.stringify(facts)} among ${JSON.stringify(left)}`)
    left.splice(found, 1)
  }
  assert.deepEqual(left, [], "mappings that should not be there")
}

/** RFC 6887 sections 7.2 and 8.2, RFC 6886 section 3: what holds of each answer, whatever its case is about. */
const assertAnswer = (request: Uint8Array, reply: Uint8Array, changes: readonly Change[]): void => {
  const natPmp = reply[0] === 0
  const result = natPmp ? reply[2] * 256 + reply[3] : reply[3]
  if (result !== 0) assert.deepEqual(ownChanges(changes), [], "an error changes nothing (RFC 6887 section 7.3)")
  if (natPmp) return
  assert.equal(reply[0], 2, "version")
  assert.equal(reply[1], request[1] | 0x80, "opcode with the R bit")
  assert.equal(reply[2], 0, "the reserved octet")
  assert.ok(reply.length % 4 === 0 && reply.length >= 24 && reply.length <= 1100, `a length of ${reply.length}`)
  if (result === 0) assert.deepEqual([...reply.subarray(12, 24)], new Array<number>(12).fill(0), "the 96 reserved bits")
  else
    assert.deepEqual(
      [...reply.subarray(24, request.length)],
      [...request.subarray(24, Math.min(request.length, 1100))],
      "an error copies the request (RFC 6887 section 7.3)",
    )
}

const ask = (stage: Stage, step: RequestStep): void => {
  const { from = "client", sourcePort = 40000, side = "inside", expect, where = [] } = step
  const bytes = octets(stage, step.send)
  const source = addressOf(stage, `{${from}}`)
  const { reply, changes } = stage.device.process({ bytes, now: stage.now, source, sourcePort, side })
  const alternatives = typeof expect === "string" || expect === null ? [expect] : expect
  if (reply === undefined) {
    assert.ok(alternatives.includes(null), `no answer; wanted ${String(alternatives[0])}`)
    assert.deepEqual(ownChanges(changes), [])
  } else {
    assertAnswer(bytes, reply, changes)
    const tried = alternatives.flatMap((template) =>
      template === null ? [] : [match(template, reply, stage.bindings)],
    )
    const met = tried.find(({ ok }) => ok)
    if (met === undefined) {
      const wanted = alternatives.map((one) => (one === null ? "no answer" : wantedText(one, stage.bindings)))
      const faults = tried.flatMap((one) => (one.ok ? [] : one.mismatches.map(({ text }) => text)))
      assert.fail(`got    ${toHex(reply)}\nwanted ${wanted.join("\n   or  ")}\n${faults.join("\n")}`)
    }
    stage.bindings = met.bindings
    assert.deepEqual(broken(where, stage.bindings), [])
  }
  if (step.effects !== undefined) assertEffects(stage, step.effects, changes)
}

const assertSent = (stage: Stage, wanted: readonly Unsolicited[], sent: readonly Sent[]): void => {
  assert.deepEqual(
    sent.map(({ at, destination, port }) => [at, toHex(octetsOf(destination)), port]),
    wanted.map(({ at, to, port }) => [at, toHex(octets(stage, to)), port]),
  )
  for (const [i, { bytes }] of wanted.entries()) {
    const got = match(bytes, sent[i].bytes, stage.bindings)
    assert.ok(got.ok, `sent ${toHex(sent[i].bytes)}, wanted ${wantedText(bytes, stage.bindings)}`)
    stage.bindings = got.bindings
  }
}

const isMulticast = (destination: Address): boolean =>
  isIpv4(destination) ? destination.charCodeAt(6) >>> 12 === 0xe : destination.charCodeAt(0) >>> 8 === 0xff

const play = (stage: Stage, step: Step): void => {
  const at = step.at ?? stage.now
  const waits = !isRequest(step) && !isOutbound(step) && !isEvent(step)
  // Only what a wait is about needs the device to have been called meanwhile: requests are answered right without.
  const passed = waits ? stage.device.pass(at) : { sent: [], changes: [] }
  stage.now = at
  if (isRequest(step)) ask(stage, step)
  else if (isOutbound(step)) {
    const { from = "client", protocol, port } = step.outbound
    stage.device.outbound(addressOf(stage, `{${from}}`), protocol, Number(numberOf(octets(stage, port))), at)
  } else if (isEvent(step)) {
    const changes = stage.device.happen(step.event, (template) => addressOf(stage, template), at)
    if (step.effects !== undefined) assertEffects(stage, step.effects, changes)
  } else {
    const { unsolicited, to } = step
    const sent = passed.sent.filter(
      ({ destination }) => to === undefined || isMulticast(destination) === (to === "multicast"),
    )
    if (unsolicited !== undefined) assertSent(stage, unsolicited, sent)
    if (step.effects !== undefined) assertEffects(stage, step.effects, passed.changes)
  }
  if ("mappings" in step && step.mappings !== undefined) assertMappings(stage, step.mappings)
}

/** Plays all steps of a case, with the octets that `variables` gives its variables. */
export const playCase = (test: Case, kind: Kind, variables: Readonly<Record<string, string>>): void => {
  const bindings = new Map(Object.entries(variables).map(([name, digits]) => [name, fromHex(digits)]))
  const stage: Stage = { device: makeDevice({ ...test.configuration, kind }), bindings, now: 0 }
  for (const [i, step] of test.steps.entries()) {
    try {
      play(stage, step)
    } catch (cause) {
      if (cause instanceof Error) cause.message = `step ${i + 1}: ${cause.message}`
      throw cause
    }
  }
}
