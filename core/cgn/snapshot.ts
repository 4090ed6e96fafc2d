import { makeWriter, partsOf, putFloat, putWord, saveTable, type Writer } from "../table/index.ts"
import { type Address, addressWord } from "../wire/index.ts"
import type { Assignment } from "./assignment.ts"
import type { CgnState } from "./layout.ts"
import type { CgnConfig, StaticMapping } from "./settings.ts"

/** What the words of a CGN's rows mean: one more with each change of `layout.ts`, which nothing older reads. */
export const LAYOUT = 6

/**
 * A CGN as octets, in parts: 32-bit words and 64-bit floats, little-endian, addresses in four words.
 *
 * | words | what |
 * | --- | --- |
 * | 1 | {@link LAYOUT} |
 * | 4 | the CGN's start and `now`, milliseconds on one clock, floats |
 * | 8 | the secret, octet by octet |
 * | 5 | ports: first, last; subscriber quota; subscriber prefix: IPv4, IPv6 |
 * | 4 | limits of implicit mappings: UDP, TCP, ICMP; 1 otherProtocols, 2 port0, 4 oneToOne, 8 IPv4 and 16 IPv6 inside |
 * | 1, 5 each | external addresses by number: the address, and 1 if the number is in use |
 * | 1, 1 each | the pool: numbers of its addresses, in its order |
 * | 1, 15 each | static mappings: protocol, internal address and port, external address and port, 1 and the realm, or 0 and 4 words 0 |
 * | 1, then 2 or 6 | the assignment: 0; or 1, size, limit; or 2, 1 for realms, ratio or 0, factor or 0, size, maximum, how many prefixes |
 * | 5 each | these: the address and its length |
 * | the rest | the table: see `saveTable` |
 *
 * These settings are here because the table's words are to be read with them. It has every mapping's nonce and the
 * secret: whoever reads it can take mappings over.
 */
export const saveCgn = ({ version, config }: CgnState, now: number): readonly Uint8Array[] => {
  const writer = makeWriter()
  putWord(writer, LAYOUT)
  putFloat(writer, config.now)
  putFloat(writer, now)
  const secret = new DataView(config.secret.buffer, config.secret.byteOffset, config.secret.byteLength)
  for (let at = 0; at < 32; at += 4) putWord(writer, secret.getInt32(at, true))
  const { ports, subscriberQuota, subscriberPrefix } = config
  for (const word of [ports.first, ports.last, subscriberQuota, subscriberPrefix.ipv4, subscriberPrefix.ipv6])
    putWord(writer, word)
  const { limits } = config.translation
  for (const word of [limits.udp, limits.tcp, limits.icmp]) putWord(writer, word)
  putWord(writer, switchesOf(config))
  putWord(writer, config.addresses.length)
  config.addresses.forEach((address, number) => {
    putAddress(writer, address)
    putWord(writer, config.addressIndex.get(address) === number ? 1 : 0)
  })
  putWord(writer, config.pool.length)
  for (const number of config.pool) putWord(writer, number)
  putWord(writer, config.staticMappings.length)
  for (const mapping of config.staticMappings) putStatic(writer, mapping)
  putAssignment(writer, config.assignment)
  saveTable(version, writer)
  return partsOf(writer)
}

const switchesOf = ({ otherProtocols, port0, oneToOne, internalFamily }: CgnConfig): number =>
  (otherProtocols ? 1 : 0) |
  (port0 ? 2 : 0) |
  (oneToOne ? 4 : 0) |
  (internalFamily === "ipv6" ? 0 : 8) |
  (internalFamily === "ipv4" ? 0 : 16)

const putAssignment = (writer: Writer, assignment: Assignment): void => {
  switch (assignment.kind) {
    case "random":
      putWord(writer, 0)
      return
    case "blocks":
      for (const value of [1, assignment.size, assignment.limit]) putWord(writer, value)
      return
    case "deterministic": {
      const { internal, realms, ratio, dynamic } = assignment
      const values = [2, realms === true ? 1 : 0, ratio ?? 0, dynamic?.factor ?? 0, dynamic?.size ?? 0]
      for (const value of [...values, dynamic?.maximum ?? 0, internal.length]) putWord(writer, value)
      for (const { address, prefixLength } of internal) {
        putAddress(writer, address)
        putWord(writer, prefixLength)
      }
    }
  }
}

const putAddress = (writer: Writer, address: Address): void => {
  for (const i of [0, 1, 2, 3] as const) putWord(writer, addressWord(address, i))
}

const putStatic = (writer: Writer, mapping: StaticMapping): void => {
  const { protocol, internal, internalPort, external, externalPort, realm } = mapping
  putWord(writer, protocol)
  putAddress(writer, internal)
  putWord(writer, internalPort)
  putAddress(writer, external)
  putWord(writer, externalPort)
  putWord(writer, realm === undefined ? 0 : 1)
  for (const i of [0, 1, 2, 3] as const) putWord(writer, realm === undefined ? 0 : addressWord(realm, i))
}
