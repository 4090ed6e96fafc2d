import type { Address } from "../../core/wire/index.ts"
import { assignedBy } from "./assigned.ts"
import { SUGGESTED, type Variables } from "./binding.ts"
import type { Capability } from "./case.ts"
import type { Cleanup } from "./cleanup.ts"
import type { Answer, Asker } from "./exchange.ts"
import { type Bindings, fill } from "./template.ts"

/** What a server says of itself before the cases. */
export interface Probed {
  readonly capabilities: ReadonlySet<Capability>
  /** Nothing came back to anything. */
  readonly silent: boolean
  readonly text: string
}

const HEADER = "{client}"
const MAP = `02 01 0000 00000078 ${HEADER} {nonce} 11 000000 {port} 0000 {any}`
const NOT_AUTHORIZED = 2
const UNSUPP_OPCODE = 4
const UNSUPP_OPTION = 5

/** Does the answer, a PCP success, carry this option? */
const carries = (reply: Uint8Array, code: number): boolean => {
  if (reply[0] !== 2 || reply[3] !== 0) return false
  for (let at = 60; at + 4 <= reply.length; ) {
    if (reply[at] === code) return true
    at += (4 + reply[at + 2] * 256 + reply[at + 3] + 3) & ~3
  }
  return false
}

const isPcp = (reply: Uint8Array, opcode: number): boolean => reply[0] === 2 && reply[1] === opcode + 128

/** A request, and what its answer shows that the server has. */
interface Question {
  readonly send: string
  readonly shows: readonly (readonly [Capability, (reply: Uint8Array) => boolean])[]
}

const granted = (reply: Uint8Array): boolean => isPcp(reply, 1) && reply[3] === 0
const taken = (reply: Uint8Array): boolean =>
  isPcp(reply, 1) && reply[3] !== UNSUPP_OPTION && reply[3] !== UNSUPP_OPCODE

const QUESTIONS: readonly Question[] = [
  {
    send: `02 00 0000 00000000 ${HEADER}`,
    shows: [
      ["pcp", (reply) => isPcp(reply, 0)],
      ["announce", (reply) => isPcp(reply, 0) && reply[3] !== UNSUPP_OPCODE],
    ],
  },
  { send: "0000", shows: [["nat-pmp", (reply) => reply[0] === 0 && reply[1] === 128]] },
  { send: MAP, shows: [["map", (reply) => isPcp(reply, 1) && reply[3] !== UNSUPP_OPCODE]] },
  {
    send: `02 02 0000 00000078 ${HEADER} {nonce} 11 000000 {port} 0000 {any} 01bb 0000 {remote}`,
    shows: [["peer", (reply) => isPcp(reply, 2) && reply[3] !== UNSUPP_OPCODE]],
  },
  { send: `${MAP} 01000010 {client2}`, shows: [["third-party", granted]] },
  {
    send: `02 01 0000 00000078 ${HEADER} {nonce} 11 000000 {port2} {suggested} {any} 02000000`,
    shows: [["prefer-failure", taken]],
  },
  { send: `${MAP} 03000014 0080 01bb {remote}`, shows: [["filter", taken]] },
  { send: MAP.replace("11 000000", "84 000000"), shows: [["other-protocols", granted]] },
  { send: MAP.replace("11 000000 {port}", "06 000000 0000"), shows: [["all-ports", granted]] },
  { send: MAP.replace("11 000000 {port}", "00 000000 0000"), shows: [["one-to-one", granted]] },
  { send: `${MAP} 80000005 70726f6265 000000`, shows: [["description", (reply) => carries(reply, 128)]] },
  { send: `${MAP} 8100000e 000c ${"00".repeat(12)} 0000`, shows: [["prefix64", (reply) => carries(reply, 129)]] },
  { send: `${MAP} 82000005 0002 {port} 00 000000`, shows: [["port-set", (reply) => carries(reply, 130)]] },
  { send: `${MAP} 0d000004 01020304`, shows: [["third-party-id", taken]] },
]

/** Is a mapping refused to another nonce? */
const hasNonces = async (asker: Asker, client: Address, bindings: Bindings, cleanup: Cleanup): Promise<boolean> => {
  let refused = false
  for (const send of [MAP, MAP.replace("{nonce}", "{nonce2}")]) {
    const filled = fill(send, bindings)
    if (!filled.ok || !("bytes" in filled)) return false
    const answer = await asker.ask(filled.bytes, client, true)
    if (answer.kind !== "reply") return false
    cleanup.note(filled.bytes, answer.bytes, client)
    refused = isPcp(answer.bytes, 1) && answer.bytes[3] === NOT_AUTHORIZED
  }
  await cleanup.clean()
  return refused
}

/** Questions about the ports that can be suggested: somebody may have the one or the other. */
const TRIES = 3

/** Is a suggestion ever met? */
const meetsSuggestion = async (
  asker: Asker,
  client: Address,
  variables: Variables,
  cleanup: Cleanup,
): Promise<boolean> => {
  for (let n = 0; n < TRIES; n++) {
    const bindings = variables.next()
    const filled = fill(MAP.replace("0000 {any}", "{suggested} {any}"), bindings)
    if (!filled.ok || !("bytes" in filled)) return false
    const answer = await asker.ask(filled.bytes, client, true)
    if (answer.kind !== "reply") return false
    cleanup.note(filled.bytes, answer.bytes, client)
    await cleanup.clean()
    const [high, low] = bindings.get("suggested") ?? []
    if (assignedBy(answer.bytes)?.first === ((high << 8) | low)) return true
  }
  return false
}

/** Has low ports suggested where the server gives those alone, as one does that has the high ones for connections. */
const chooseSuggestions = async (
  asker: Asker,
  client: Address,
  variables: Variables,
  cleanup: Cleanup,
): Promise<void> => {
  if (await meetsSuggestion(asker, client, variables, cleanup)) return
  variables.suggestFrom(SUGGESTED.low)
  if (!(await meetsSuggestion(asker, client, variables, cleanup))) variables.suggestFrom(SUGGESTED.high)
}

/** Asks a server what it offers, each question under ports and a nonce of its own, and cleans up. */
export const probe = async (asker: Asker, client: Address, variables: Variables, cleanup: Cleanup): Promise<Probed> => {
  const capabilities = new Set<Capability>()
  let heard = false
  let text = "nothing came back"
  for (const { send, shows } of QUESTIONS) {
    const filled = fill(send, variables.next())
    if (!filled.ok || !("bytes" in filled)) continue
    const answer: Answer = await asker.ask(filled.bytes, client, true)
    if (answer.kind === "unreachable") text = answer.text
    // A server of NAT-PMP alone, or of PCP alone, may be silent to the other: two questions tell.
    if (answer.kind === "reply") {
      heard = true
      cleanup.note(filled.bytes, answer.bytes, client)
      for (const [capability, test] of shows) if (test(answer.bytes)) capabilities.add(capability)
      await cleanup.clean()
    } else if (!heard && send === "0000") return { capabilities, silent: true, text }
  }
  if (capabilities.has("map")) {
    if (await hasNonces(asker, client, variables.next(), cleanup)) capabilities.add("nonces")
    await chooseSuggestions(asker, client, variables, cleanup)
  }
  return { capabilities, silent: !heard, text }
}
