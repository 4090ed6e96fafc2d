/** What permission rules say of a request in the model: the first that fits in all that it names decides. */
import { putAddress, word16 } from "./model-message.ts"
import type { ModelPrefix, ModelRule } from "./model-state.ts"

const bits = (address: string): string => {
  const octets = new Uint8Array(16)
  putAddress(octets, 0, address)
  return Array.from(octets, (octet) => octet.toString(2).padStart(8, "0")).join("")
}

const isIn = (address: string, { address: net, prefixLength }: ModelPrefix): boolean =>
  bits(address).slice(0, prefixLength) === bits(net).slice(0, prefixLength)

const isBetween = (port: number | undefined, { first, last }: { readonly first: number; readonly last: number }) =>
  port !== undefined && port >= first && port <= last

/** A request's fields that rules name; `undefined` where it has none. NAT-PMP's ask for a mapping is a MAP. */
const fieldsOf = (bytes: Uint8Array) => {
  if (bytes[0] === 0) {
    const mapping = bytes[1] === 1 || bytes[1] === 2
    if (!mapping) return { opcode: 0, options: [] }
    const ports = { internalPort: word16(bytes, 4), externalPort: word16(bytes, 6) }
    return { opcode: 1, protocol: bytes[1] === 1 ? 17 : 6, ...ports, options: [] }
  }
  const opcode = bytes[1]
  const options: number[] = []
  for (let at = [24, 60, 80][opcode]; at < bytes.length; at += 4 + 4 * Math.ceil(word16(bytes, at + 2) / 4))
    options.push(bytes[at])
  if (opcode === 0) return { opcode, options }
  return {
    opcode,
    protocol: bytes[36],
    internalPort: word16(bytes, 40),
    externalPort: word16(bytes, 42),
    options,
  }
}

/** 0, or the code of the refusal: 5 where the rule names an option that the client must not leave out, else 2. */
export const allowed = (
  rules: readonly ModelRule[],
  bytes: Uint8Array,
  source: string,
  internal: string,
): 0 | 2 | 5 => {
  const { opcode, protocol, internalPort, externalPort, options } = fieldsOf(bytes)
  const rule = rules.find(
    (one) =>
      (one.opcode ?? opcode) === opcode &&
      (one.protocol ?? protocol) === protocol &&
      (one.clients === undefined || isIn(source, one.clients)) &&
      !(one.except ?? []).some((net) => isIn(source, net)) &&
      (one.internal === undefined || isIn(internal, one.internal)) &&
      (one.internalPorts === undefined || isBetween(internalPort, one.internalPorts)) &&
      (one.externalPorts === undefined ||
        (externalPort === 0 ? one.allow : isBetween(externalPort, one.externalPorts))) &&
      (one.option === undefined || options.includes(one.option)),
  )
  if (rule === undefined || rule.allow) return 0
  return rule.option !== undefined && rule.option > 0 && rule.option < 128 ? 5 : 2
}
