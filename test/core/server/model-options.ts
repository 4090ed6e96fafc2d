/** Random options for the model's requests. */
import type { Random } from "../../fuzz/random.ts"
import { ODD_REMOTES, REMOTES, SUBSCRIBERS } from "./model-hosts.ts"
import { put16, putAddress, THIRD_PARTY_IDS } from "./model-message.ts"

/** Options that belong to MAP, mostly with MAP: an error for having come with PEER teaches little. */
export const randomOptions = (random: Random, opcode: number, internalPort: number): number[] => {
  const octets: number[] = []
  const of = opcode === 1 || random.once(8) ? ANY : BOTH
  for (let n = 1 + random.below(3); n > 0; n--) {
    for (const [code, data] of random.pick(of)(random)) {
      if (code === 130 && data[2] + data[3] === 0) put16(data, 2, internalPort)
      octets.push(code, random.once(30) ? 255 : 0, Math.floor(data.length / 256), data.length % 256, ...data)
      while (octets.length % 4 !== 0) octets.push(random.once(30) ? 255 : 0)
    }
  }
  return octets
}

type Option = (random: Random) => readonly (readonly [code: number, data: Uint8Array])[]

const thirdParty: Option = (random) => {
  const data = new Uint8Array(16)
  putAddress(data, 0, random.once(8) ? random.pick(ODD_REMOTES) : random.pick(SUBSCRIBERS))
  return [[1, data]]
}

const preferFailure: Option = () => [[2, new Uint8Array(0)]]

const filter: Option = (random) => {
  const data = new Uint8Array(20)
  data[0] = random.once(20) ? 255 : 0
  data[1] = random.once(4) ? 0 : random.once(12) ? random.pick([1, 95, 129, 255]) : random.pick([96, 100, 128])
  put16(data, 2, random.pick([0, 80]))
  putAddress(data, 4, random.once(20) ? random.pick(ODD_REMOTES) : random.pick(REMOTES))
  return [[3, data]]
}

const thirdPartyId: Option = (random) => {
  const hex = random.once(8) ? random.pick(["", "ab", "0102030405060709"]) : random.pick(THIRD_PARTY_IDS)
  return [[13, Uint8Array.from(hex.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))]]
}

/** Of all lengths about which 128 octets are cut, in characters of 1 to 4 octets; some are no text. */
const description: Option = (random) => {
  const piece = random.pick(["", "a", "\u00e9", "\u20ac", "\u{1f600}", "\ufeff", "\0"])
  const text = "x".repeat(random.below(4)) + piece.repeat(random.pick([1, 2, 31, 32, 42, 43, 63, 64, 128, 150]))
  const data = new TextEncoder().encode(text)
  if (random.once(8) && data.length > 0) data[random.below(data.length)] = random.below(256)
  return [[128, data]]
}

/** PORT_SET; the first internal port is put in where the request is known. */
const portSet: Option = (random) => {
  const data = new Uint8Array(random.once(20) ? 4 : 5)
  put16(data, 0, random.once(10) ? random.pick([0, 1, 1024, 65535]) : 1 + random.below(8))
  put16(data, 2, random.once(20) ? 7 : 0)
  data[4] = random.below(random.once(20) ? 256 : 2)
  return [[130, data]]
}

const unknown: Option = (random) => {
  const data = Uint8Array.from({ length: random.below(9) }, () => random.below(256))
  return [[random.once(2) ? 131 + random.below(125) : random.below(128), data]]
}

/** The identifier makes sense with THIRD_PARTY alone. */
const thirdPartyWithId: Option = (random) => [...thirdParty(random), ...thirdPartyId(random)]

const BOTH = [thirdParty, thirdPartyWithId, description, description, unknown] as const
const ANY = [
  ...BOTH,
  preferFailure,
  preferFailure,
  portSet,
  portSet,
  filter,
  filter,
  filter,
  filter,
  thirdPartyId,
] as const
