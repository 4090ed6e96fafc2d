import { takeApart } from "../../core/decode/index.ts"
import {
  countFlows,
  createFlowLayer,
  detectFlow,
  FIRST_FORM_PORT,
  FLOW_PORT,
  type FlowCommand,
  type FlowEffect,
  type FlowEnd,
  type FlowLayer,
  type FlowPorts,
  listFlows,
  parseFirst,
  parseFlow,
  stepFlow,
  validateFlow,
} from "../../core/flow/index.ts"
import { walk } from "../../core/wire/index.ts"
import { FLOW_REPLY, FLOW_REQUEST } from "../core/flow/vectors.ts"
import { address, SERVER_LIFE, type Target } from "./target.ts"

const FIRST: FlowPorts = { sourcePort: 49152, destinationPort: FIRST_FORM_PORT }
const PORTS: readonly FlowPorts[] = [
  {},
  FIRST,
  { sourcePort: FLOW_PORT, destinationPort: FLOW_PORT },
  { sourcePort: 1 },
]
const NAMES = ["oecho", "a", "ß"] as const
const GOLDEN = [FLOW_REQUEST, FLOW_REPLY, FLOW_REQUEST.subarray(0, 47), new TextEncoder().encode(NAMES[0])]
/** The endpoint ids of a fuzzed layer: few, so that datagrams meet them. */
const EIDS = { firstEid: 64, lastEid: 95, maxFlows: 24 }
/** Longer than everything that a layer waits for. */
const FOR_EVER = 10_000_000

/**
 * Octets that get further into a layer than noise does: one of the golden datagrams with some octets changed as `bytes` say, endpoint ids
 * that are in use, or a message for one.
 */
const shaped = (bytes: Uint8Array, index: number): Uint8Array => {
  const at = (i: number): number => bytes[i] ?? 0
  if (index % 8 === 0) return bytes
  if (index % 8 === 1) return Uint8Array.of(0, 0, 0, EIDS.firstEid + (at(0) & 31), ...bytes.subarray(1, 40))
  const golden = GOLDEN[at(0) % GOLDEN.length] ?? FLOW_REQUEST
  const made = Uint8Array.of(...golden, ...(at(1) < 32 ? bytes.subarray(0, at(1)) : []))
  if (made.length > 12) {
    made[7] = EIDS.firstEid + (at(2) & 31)
    made[11] = EIDS.firstEid + (at(3) & 31)
  }
  for (let i = at(4) & 3; i > 0; i--) made[at(4 + 2 * i) % made.length] = at(5 + 2 * i)
  return index % 16 === 2 ? made.subarray(0, at(1) % (made.length + 1)) : made
}

/** Both forms read, taken apart and judged, whatever the ports say; nothing points outside. */
const readAll = (bytes: Uint8Array, index: number): string | undefined => {
  const parsed = parseFlow(bytes)
  if (!parsed.ok && parsed.error.offset > bytes.length) return `parseFlow fails at ${parsed.error.offset}`
  const first = parseFirst(bytes)
  if (!first.ok && first.error.offset > bytes.length) return `parseFirst fails at ${first.error.offset}`
  const ports = PORTS[index % PORTS.length] ?? {}
  detectFlow(bytes, ports)
  const { dissection, describe } = takeApart(bytes, ports)
  if (dissection.root.length !== bytes.length) return `the tree covers ${dissection.root.length} octets`
  if (index % 17 === 0) for (const node of walk(dissection.root)) if (describe(node) === undefined) return "no text"
  for (const { offset } of validateFlow(bytes, ports)) if (offset > bytes.length) return `a finding at ${offset}`
  return undefined
}

/** Both forms' readers, and a layer of either form that is given the octets as datagrams of friends and strangers, between commands. */
export const flowTarget = (): Target => {
  const ends: readonly FlowEnd[] = [
    { address: address("192.0.2.1"), port: 3435 },
    { address: address("192.0.2.1"), port: 3436 },
    { address: address("192.0.2.2"), port: 3435 },
    { address: address("2001:db8::1"), port: 3435 },
  ]
  const start = (life: number): FlowLayer => {
    const made = createFlowLayer({
      seed: new Uint8Array(32).fill(life),
      now: 0,
      settings: {
        ...EIDS,
        form: life % 2 === 0 ? "current" : "first",
        eids: life % 4 < 2 ? "random" : "sequential",
        maxNames: 2,
        maxWaiting: life % 3,
        refusals: life % 5 !== 4,
        linger: 1000,
        lingerMost: 20_000,
      },
    })
    if (!made.ok) throw new Error(made.error.text)
    return made.layer
  }
  let layer = start(0)
  let now = 0
  const commandOf = (index: number, bytes: Uint8Array): FlowCommand => {
    const name = NAMES[index % NAMES.length] ?? NAMES[0]
    const flow = EIDS.firstEid + ((bytes[0] ?? 0) & 31)
    const data = bytes.subarray(0, 20)
    switch ((bytes[1] ?? 0) % 12) {
      case 0:
        return { type: "create-name", name }
      case 1:
        return { type: "register-name", name }
      case 2:
        return { type: "alloc", name, peer: ends[index % ends.length] ?? { address: address("192.0.2.1"), port: 1 } }
      case 3:
        return {
          type: "alloc",
          name,
          peer: { address: address("0.0.0.0"), port: index & 65535 },
          timeout: bytes[2],
          data,
        }
      case 4:
        return { type: "accept", name, timeout: index % 2 === 0 ? 5000 : undefined, auto: index % 4 < 3 }
      case 5:
        return { type: "respond", flow, response: index % 3 === 0 ? -(bytes[2] ?? 1) : 0, data }
      case 6:
        return { type: "write", flow, data }
      case 7:
        return { type: "dealloc", flow }
      case 8:
        return { type: "bind-program", name, program: "p", auto: index % 2 === 0 }
      case 9:
        return index % 64 === 0 ? { type: "unregister-name", name } : { type: "register-name", name }
      case 10:
        return index % 256 === 0 ? { type: "destroy-name", name } : { type: "create-name", name }
      default:
        return index % 512 === 0 ? { type: "exit" } : { type: "unbind-program", name }
    }
  }
  return (input, index) => {
    const bytes = shaped(input, index)
    const wrong = readAll(bytes, index)
    if (wrong !== undefined) return wrong
    if (index % SERVER_LIFE === 0) {
      const left = restOf(layer, now)
      if (left !== undefined) return left
      layer = start(index / SERVER_LIFE)
      now = 0
    }
    now += index % 997 === 0 ? 30_000 : index % 7
    const from = ends[(index >> 3) % ends.length] ?? { address: address("192.0.2.1"), port: 1 }
    const given =
      index % 5 === 0
        ? { ...commandOf(index, input), now }
        : ({
            type: "datagram",
            now,
            bytes,
            source: from.address,
            sourcePort: from.port,
            socket: layer.settings.form === "first" && index % 3 === 0 ? EIDS.firstEid + (index & 31) : undefined,
          } as const)
    const before = layer
    const [next, effects] = stepFlow(before, given)
    layer = next
    if (index % 64 === 0) {
      // The layer before stays as it was: the same comes of the same.
      const again = stepFlow(before, given)[1]
      if (again.map(({ type }) => type).join() !== effects.map(({ type }) => type).join())
        return "an old layer does something else"
    }
    return judge(layer, effects)
  }
}

const judge = (layer: FlowLayer, effects: readonly FlowEffect[]): string | undefined => {
  for (const effect of effects) {
    if (effect.type !== "send") continue
    const { bytes, destination } = effect
    if (bytes.length > 8980) return `a datagram of ${bytes.length} octets`
    if (destination.port < 1 || destination.port > 65535) return `a datagram to port ${destination.port}`
    if (layer.settings.form === "current" && !parseFlow(bytes).ok) return "a datagram that can't be parsed"
  }
  const { flows, waiting, names } = countFlows(layer)
  if (flows + waiting > EIDS.maxFlows || names > 2) return `${flows} flows, ${waiting} requests, ${names} names`
  return undefined
}

/** When the process has ended and all rest is over: nothing. */
const restOf = (layer: FlowLayer, now: number): string | undefined => {
  const [ended] = stepFlow(layer, { type: "exit", now })
  const [after] = stepFlow(ended, { type: "tick", now: now + FOR_EVER })
  const left = listFlows(after).length + countFlows(after).waiting
  return left === 0 ? undefined : `${left} flows never end`
}
