import { type Address, readAddress, writeAddress } from "../../../core/wire/index.ts"
import type { Endpoint } from "../../udp.ts"

/** A datagram that another worker heard. */
export interface Forwarded {
  /** Which of the sockets it came to: every worker has the same in the same order. */
  readonly socket: number
  readonly source: Endpoint
  /** The address that it was sent to. */
  readonly local: Address
  readonly bytes: Uint8Array
}

/** Octets before a datagram's zone and payload. */
const HEAD = 40

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

/**
 * Datagrams on their way to their owner, packed one after the other, big-endian:
 *
 * | octets | what |
 * | --- | --- |
 * | 0–1 | octets of payload |
 * | 2–3 | number of the socket |
 * | 4–5 | source port |
 * | 6–7 | octets of the source's zone |
 * | 8–23 | source address |
 * | 24–39 | address that it was sent to |
 * | | zone in UTF-8, then the payload |
 */
export interface Batch {
  /** Copies it: what a runtime tells of a datagram is valid during its call only. */
  add(forwarded: Forwarded): void
  readonly count: number
  /** The octets, in memory of their own, and an empty batch. */
  take(): Uint8Array<ArrayBuffer>
}

export const createBatch = (): Batch => {
  let memory = new Uint8Array(4096)
  let end = 0
  let count = 0
  return {
    add: ({ socket, source, local, bytes }) => {
      const zone = source.zone === undefined ? undefined : utf8.encoder.encode(source.zone)
      const size = HEAD + (zone?.length ?? 0) + bytes.length
      if (end + size > memory.length) {
        const larger = new Uint8Array(2 * memory.length + size)
        larger.set(memory.subarray(0, end))
        memory = larger
      }
      const head = [bytes.length, socket, source.port, zone?.length ?? 0]
      for (let i = 0; i < head.length; i++) {
        memory[end + 2 * i] = head[i] >>> 8
        memory[end + 2 * i + 1] = head[i]
      }
      writeAddress(memory, end + 8, source.address)
      writeAddress(memory, end + 24, local)
      if (zone !== undefined) memory.set(zone, end + HEAD)
      memory.set(bytes, end + size - bytes.length)
      end += size
      count++
    },
    get count() {
      return count
    },
    take: () => {
      const octets = memory.slice(0, end)
      end = 0
      count = 0
      return octets
    },
  }
}

/** Hands out what {@link createBatch} packed, in its order; gives how many those were. */
export const readBatch = (octets: Uint8Array, each: (forwarded: Forwarded) => void): number => {
  const u16 = (at: number): number => (octets[at] << 8) | octets[at + 1]
  let count = 0
  for (let at = 0; at < octets.length; count++) {
    const zoneEnd = at + HEAD + u16(at + 6)
    const end = zoneEnd + u16(at)
    const zone = zoneEnd === at + HEAD ? undefined : utf8.decoder.decode(octets.subarray(at + HEAD, zoneEnd))
    const source: Endpoint = { address: readAddress(octets, at + 8), port: u16(at + 4) }
    each({
      socket: u16(at + 2),
      local: readAddress(octets, at + 24),
      source: zone === undefined ? source : { ...source, zone },
      bytes: octets.subarray(zoneEnd, end),
    })
    at = end
  }
  return count
}
