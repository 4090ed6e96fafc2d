/** A capture in which things go wrong, its times and epoch times written down by hand. */
import { toPcap } from "../../core/wire/text/index.ts"
import { address, MAP_REQUEST, MAP_RESPONSE } from "./packets.ts"

const CLIENT = { address: address("10.0.0.1"), port: 50_000 }
const SERVER = { address: address("10.0.0.254"), port: 5351 }
const OTHER = { address: address("10.0.0.253"), port: 5351 }

/** With another nonce, and where it is a response with that epoch time. */
const variant = (bytes: Uint8Array, nonce: number, epoch?: number): Uint8Array => {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  view.setUint32(24, nonce)
  if (epoch !== undefined) view.setUint32(8, epoch)
  return copy
}

const at = (milliseconds: number, bytes: Uint8Array, server = SERVER) => {
  const isAnswer = bytes[1] > 127
  const [from, to] = isAnswer ? [server, CLIENT] : [CLIENT, server]
  return {
    bytes,
    source: from.address,
    sourcePort: from.port,
    destination: to.address,
    destinationPort: to.port,
    at: { seconds: 1_700_000_000 + Math.floor(milliseconds / 1000), nanoseconds: (milliseconds % 1000) * 1e6 },
  }
}

/**
 * Ten packets: a request sent four times, at 0, 3.1, 9 and 10 s, answered twice; one that nobody answers; one answered from another
 * address; an announcement of a server that restarted; and, ten seconds later, its clock, eleven seconds on.
 */
export const troubled = (): Uint8Array =>
  toPcap([
    at(0, variant(MAP_REQUEST, 1)),
    at(3100, variant(MAP_REQUEST, 1)),
    at(9000, variant(MAP_REQUEST, 1)),
    at(10_000, variant(MAP_REQUEST, 1)),
    at(10_040, variant(MAP_RESPONSE, 1, 1000)),
    at(10_050, variant(MAP_RESPONSE, 1, 1000)),
    at(12_000, variant(MAP_REQUEST, 2)),
    at(13_000, variant(MAP_REQUEST, 3)),
    at(13_004.5, variant(MAP_RESPONSE, 3, 1002), OTHER),
    at(20_050, variant(MAP_RESPONSE, 9, 5)),
    at(30_050, variant(MAP_REQUEST, 4)),
    at(30_050, variant(MAP_RESPONSE, 4, 16)),
  ])
