import type { CgnState } from "../../core/cgn/index.ts"
import { PROFILES } from "../../core/cgn/index.ts"
import {
  advance,
  createServer,
  mappingCount,
  process,
  type Response,
  type ServerState,
} from "../../core/server/index.ts"
import { type Address, dissect, parse, parseAddress, validate, walk, writeAddress } from "../../core/wire/index.ts"
import { describe } from "../../core/wire/text/index.ts"

/** What a fuzz run does with each input; a text says what is wrong with what came of it, as does anything thrown. */
export type Target = (bytes: Uint8Array, index: number) => string | undefined

/** `parse`, `dissect` with every field's text, and `validate`. */
export const wireTarget = (): Target => (bytes, index) => {
  const parsed = parse(bytes)
  if (!parsed.ok && !isWithin(parsed.error.offset, bytes)) return `parse fails at ${parsed.error.offset}`
  const dissection = dissect(bytes)
  const { root } = dissection
  if (root.offset !== 0 || root.length !== bytes.length) return `dissect covers ${root.length} octets`
  // Texts cost more than all the rest.
  if (index % 16 === 0) for (const node of walk(root)) if (describe(dissection, node) === undefined) return "no text"
  for (const { offset, clause } of validate(bytes))
    if (!isWithin(offset, bytes) || clause === "") return `a finding at ${offset}`
  return undefined
}

const isWithin = (offset: number, bytes: Uint8Array): boolean => offset >= 0 && offset <= bytes.length

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}

/** Inputs between a server's start and its end: a failure is found again from the last multiple of it on. */
export const SERVER_LIFE = 20_000

const WHOLE = { ...PROFILES.nat444, otherProtocols: true, port0: true, oneToOne: true }
const PREFIX64 = { kind: "PREFIX64", prefix: new Uint8Array(12), suffix: new Uint8Array(0), ipv4Prefixes: [] } as const

/** `process`, one request after the other, the clock going on, on servers small enough to be full. */
export const serverTarget = (): Target => {
  const sources = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.168.1.1"].map(address)
  const external = ["203.0.113.1", "203.0.113.2"].map(address)
  const strangers = [...sources, address("0.0.0.0"), address("::"), address("2001:db8::1")]
  const start = (life: number): ServerState<CgnState> => {
    const made = createServer({
      external,
      secret: new Uint8Array(32).fill(life),
      now: 0,
      ports: life % 2 === 0 ? { first: 2000, last: 2015 } : { first: 5340, last: 5355 },
      quota: life % 3 === 0 ? 12 : 0,
      filterLimit: life % 5 === 0 ? 3 : 43,
      threatModel: "advanced",
      profile: {
        ...(life % 6 === 5 ? WHOLE : PROFILES.nat444),
        thirdParty: life % 4 < 2,
        cacheCallback: life % 3 === 1,
      },
      prefix64: life % 3 === 0 ? [PREFIX64] : [],
      thirdPartyIds: new Map(life % 4 === 1 ? [["010203", address("2001:db8::3")]] : []),
      natPmp: life % 8 !== 7,
      maxLifetime: life % 2 === 0 ? 86400 : 0xffffffff,
    })
    if (!made.ok) throw new Error(made.error.text)
    return made.state
  }
  let state = start(0)
  let now = 0
  return (bytes, index) => {
    if (index % SERVER_LIFE === 0) {
      const wrong = endOf(state, now)
      if (wrong !== undefined) return wrong
      state = start(index / SERVER_LIFE)
      now = 0
    }
    now += index % 997 === 0 ? 100_000 : index % 7
    if (index % 1009 === 0) state = advance(state, now)[0]
    const source =
      index % 64 === 0 ? strangers[(index >> 6) % strangers.length] : sources[(index >> 3) % sources.length]
    if (index % 16 !== 0) sendAs(source, bytes)
    const [next, response] = process(state, { bytes, now, source, sourcePort: index & 65535 })
    state = next
    return judge(bytes, response)
  }
}

/** Writes the client's address into a PCP request: without the right one hardly any would get past ADDRESS_MISMATCH. */
export const sendAs = (source: Address, bytes: Uint8Array): void => {
  if (bytes.length >= 24 && bytes[0] === 2) writeAddress(bytes, 8, source)
}

/** What holds of the response to any octets. */
export const judge = (bytes: Uint8Array, { reply, dropped, changes }: Response): string | undefined => {
  if ((reply === undefined) !== (dropped !== undefined)) return "neither answered nor dropped, or both"
  if (reply === undefined) return undefined
  if (reply.length > 1100) return `an answer of ${reply.length} octets`
  if (bytes[0] !== 0 && reply.length % 4 !== 0) return `an answer of ${reply.length} octets`
  if (bytes[0] !== 0 && reply[3] !== 0 && changes.some((change) => change.type !== "counted"))
    return "an error with changes"
  if (!parse(reply).ok) return "an answer that can't be parsed"
  return undefined
}

/** What is left when all lifetimes are over: nothing but what never ends. */
const endOf = (state: ServerState<CgnState>, now: number): string | undefined => {
  if (state.settings.maxLifetime === 0xffffffff) return undefined
  const [after] = advance(state, now + 90_000_000)
  return mappingCount(after) === 0 ? undefined : `${mappingCount(after)} mappings never end`
}
