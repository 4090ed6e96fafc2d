import { md5 } from "@noble/hashes/legacy.js"
import { HASH_LENGTH, NAME_LENGTH } from "./registry.ts"

/** The octets of a name: its UTF-8, without the NUL that ends it in C. `undefined`: it is empty, longer than 255 octets, or has a NUL. */
export const nameOctets = (name: string): Uint8Array | undefined => {
  if (name === "" || name.length > NAME_LENGTH || name.includes("\0")) return undefined
  const octets = new TextEncoder().encode(name)
  return octets.length > NAME_LENGTH ? undefined : octets
}

/** The name of its octets; what is no UTF-8 reads as U+FFFD. */
export const nameText = (octets: Uint8Array): string => new TextDecoder().decode(octets)

/** MD5 of a name's octets, 16 octets: what requests of today's form carry (`DIR_HASH_MD5`, fixed for UDP). */
export const hashOf = (octets: Uint8Array): Uint8Array => md5(octets)

/** The DNS label of a hash: 32 lower-case hex digits. */
export const labelOf = (hash: Uint8Array): string => {
  let text = ""
  for (let i = 0; i < HASH_LENGTH; i++) text += (hash[i] ?? 0).toString(16).padStart(2, "0")
  return text
}

/** The DNS label under which a name is found; `undefined`: it is no name. */
export const labelOfName = (name: string): string | undefined => {
  const octets = nameOctets(name)
  return octets === undefined ? undefined : labelOf(hashOf(octets))
}
