import type { Kind } from "../../../core/wire/index.ts"

/** A number that IANA, or an RFC, keeps a registry of. */
export interface RegistryEntry {
  readonly number: number
  readonly registry: string
}

const REGISTRIES: Partial<Readonly<Record<Kind, string>>> = {
  opcode: "PCP Opcodes",
  natPmpOpcode: "NAT-PMP opcodes (RFC 6886)",
  result: "PCP Result Codes",
  natPmpResult: "NAT-PMP result codes (RFC 6886)",
  option: "PCP Options",
  optionCode: "PCP Options",
  protocol: "Assigned Internet Protocol Numbers",
  prf: "IKEv2 Transform Type 2",
  mac: "IKEv2 Transform Type 3",
}

/** The registry that a field's number is of, if there is one. */
export const registryOf = (kind: Kind, number: number): RegistryEntry | undefined => {
  const registry = REGISTRIES[kind]
  return registry === undefined ? undefined : { number, registry }
}
