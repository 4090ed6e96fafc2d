import type { Libc } from "./libc.ts"

/** Interfaces by name and by index, as zones name them (RFC 4007 section 11). */
export interface Zones {
  /** 0: there is none of this name, nor of the index that it may be as text. */
  index(zone: string): number
  /** The name, or the index as text where the interface is gone. */
  name(index: number): string
}

/** Milliseconds for which an interface is remembered: each is asked of the system otherwise, a datagram. */
const REMEMBERED = 1000

export const createZones = (libc: Libc): Zones => {
  let indexes = new Map<string, number>()
  let names = new Map<number, string>()
  let forget = 0
  const age = (): void => {
    if (performance.now() < forget) return
    forget = performance.now() + REMEMBERED
    indexes = new Map()
    names = new Map()
  }
  const indexOf = (zone: string): number => {
    const named = libc.interfaceIndex(zone)
    if (named > 0 || !/^[1-9]\d{0,8}$/.test(zone)) return named
    return libc.interfaceName(Number(zone)) === undefined ? 0 : Number(zone)
  }
  return {
    index: (zone) => {
      age()
      const index = indexes.get(zone) ?? indexOf(zone)
      indexes.set(zone, index)
      return index
    },
    name: (index) => {
      age()
      const name = names.get(index) ?? libc.interfaceName(index) ?? `${index}`
      names.set(index, name)
      return name
    },
  }
}
