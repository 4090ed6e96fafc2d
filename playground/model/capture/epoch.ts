import { type EpochMark, isNatPmpEpochValid, isPcpEpochValid } from "../../../core/client/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import type { Unpaired } from "./row.ts"

/** One Epoch Time that a server sent. */
export interface EpochPoint {
  /** Place in the list of rows. */
  readonly row: number
  /** Milliseconds since the capture's first packet. */
  readonly time: number
  /** Seconds, as sent. */
  readonly epoch: number
  /** Seconds that the server's clock went faster than the capture's since this run of it began. */
  readonly drift: number
  /** Is it what a server that lost no state would send (RFC 6887 section 8.5, RFC 6886 section 3.6)? */
  readonly valid: boolean
}

/** The Epoch Times of one server in one protocol: a plot. */
export interface EpochSeries {
  readonly server: Address | undefined
  readonly protocol: "PCP" | "NAT-PMP"
  readonly points: readonly EpochPoint[]
  /** Points that say that state was lost. */
  readonly losses: number
}

interface Running {
  readonly server: Address | undefined
  readonly protocol: "PCP" | "NAT-PMP"
  readonly points: EpochPoint[]
  mark: EpochMark | undefined
  start: { readonly time: number; readonly epoch: number } | undefined
  losses: number
}

/** Epoch times of all servers, in one pass. */
export const epochWatch = () => {
  const running = new Map<string, Running>()
  const add = ({ facts, packet, time, index }: Unpaired): void => {
    const { epoch, protocol, response } = facts
    if (!response || epoch < 0 || time === undefined || (protocol !== "PCP" && protocol !== "NAT-PMP")) return
    const server = packet.source?.address
    const key = `${protocol}${server ?? ""}`
    let own = running.get(key)
    if (own === undefined) {
      own = { server, protocol, points: [], mark: undefined, start: undefined, losses: 0 }
      running.set(key, own)
    }
    const client = Math.floor(time / 1000)
    const valid = (protocol === "PCP" ? isPcpEpochValid : isNatPmpEpochValid)(own.mark, epoch, client)
    if (!valid) own.losses++
    if (!valid || own.start === undefined) own.start = { time, epoch }
    own.mark = { server: epoch, client }
    const drift = epoch - own.start.epoch - (time - own.start.time) / 1000
    own.points.push({ row: index, time, epoch, drift, valid })
  }
  const series = (): readonly EpochSeries[] =>
    [...running.values()].map(({ server, protocol, points, losses }) => ({ server, protocol, points, losses }))
  return { add, series }
}
