import { type Address, addressWord, isAny, isIpv4, isMulticast } from "../wire/index.ts"

/** Where overlay frames go: an address and a UDP port of the underlay. */
export interface TargetPoint {
  /** IPv4 is IPv4-mapped. */
  readonly address: Address
  /** 1 to 65535. */
  readonly port: number
}

/** `::a.b.c.d`, which nobody uses any more (RFC 4291 section 2.5.5.1), the unspecified address and ::1 among them. */
export const isCompatible = (address: Address): boolean =>
  addressWord(address, 0) === 0 && addressWord(address, 1) === 0 && addressWord(address, 2) === 0

/** 2002::/16 (RFC 3056). */
export const is6to4 = (address: Address): boolean => address.charCodeAt(0) === 0x2002

/** Can frames be sent there? No unspecified or IPv4-compatible address, no port 0 (the reference's ASSOCIATE: EINVAL). */
export const isPoint = ({ address, port }: TargetPoint): boolean =>
  Number.isInteger(port) && port >= 1 && port <= 65535 && !isAny(address) && !isCompatible(address)

/** Is it of no one host: a group of either family? */
export const isGroup = (address: Address): boolean => isMulticast(address)

/** Is it an IPv4 group? */
export const isIpv4Group = (address: Address): boolean => isIpv4(address) && isMulticast(address)
