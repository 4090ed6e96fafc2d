/** Hosts of the network in memory that map a port, meet and talk. */
import assert from "node:assert/strict"
import type { Mapping } from "../../../../core/cgn/index.ts"
import { map, read } from "../../server/scene.ts"
import { digits } from "../stage.ts"
import type { Backbone } from "./gateway.ts"
import { type Datagram, type Host, pcpAddress } from "./host.ts"
import type { LinkSettings, Network, Receive } from "./network.ts"

export const BAD: LinkSettings = { delay: [5, 400], loss: 4, twice: 10 }
export const HOUR = 3_600_000

/** Where a host can be reached. */
export interface End {
  readonly address: string
  readonly port: number
}

/** Between a backbone and one side's hosts. */
export interface Box {
  readonly fromInside: Receive
  readonly fromOutside: Receive
  lead(side: "inside" | "outside", way: Receive): void
}

/** What stands at the inside of a box: a host, or what leads to one. */
export interface Attached {
  readonly receive: Receive
  out: Receive
}

/** Puts a box with one host behind it at the backbone, with links of these settings on both sides. */
export const attach = (
  network: Network,
  backbone: Backbone,
  box: Box,
  host: Attached,
  routes: string,
  settings: LinkSettings,
) => {
  const [toBox, toHost] = network.link(host.receive, box.fromInside, settings)
  host.out = toBox
  box.lead("inside", toHost)
  const [out, back] = network.link(box.fromOutside, backbone.receive, settings)
  box.lead("outside", out)
  backbone.route(routes, routes.includes(":") ? 6 : 4, back)
}

/** What a MAP request asks besides its host's UDP port 4000. */
export interface Asked {
  readonly options?: readonly number[]
  /** Seconds. */
  readonly lifetime?: number
  /** All-zeros of the external family, where that is not the host's. */
  readonly suggested?: string
}

/** Asks for a MAP of the host's UDP port 4000; the answer's external end is there once it has come. */
export const mapPort = (network: Network, host: Host, server: string, asked: Asked = {}) => {
  const six = host.address.includes(":")
  const { options = [], lifetime = 7200, suggested = six ? "0".repeat(32) : "0.0.0.0" } = asked
  const client = six ? digits(host.address) : host.address
  const nonce = Array.from({ length: 12 }, () => network.random.below(256))
  const got: { end: End | undefined } = { end: undefined }
  const ask = (extra: readonly number[], seconds = lifetime): void => {
    got.end = undefined
    const request = map({ client, nonce, port: 4000, lifetime: seconds, suggested, options: extra })
    host.ask(server, 5350, request, (reply) => {
      const { result, external, externalPort } = read(reply)
      assert.equal(result, 0)
      got.end = { address: pcpAddress(external), port: externalPort }
    })
  }
  ask(options)
  return { got, ask }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = ({ data }: Datagram): string => new TextDecoder().decode(data)

/** Each end learns of the other's from a host that both can reach: `ADDRESS PORT` in, the other's back once it is known. */
export const rendezvous = (host: Host): void => {
  const known = new Map<string, string>()
  host.bind(7, (datagram) => {
    const [name, end] = textOf(datagram).split("=")
    known.set(name, end)
    const other = known.get(name === "a" ? "b" : "a")
    if (other !== undefined) host.send(7, datagram.source, datagram.sourcePort, bytesOf(other))
  })
}

export const learn = (host: Host, meeting: string, name: string, own: End) => {
  const other: { end: End | undefined } = { end: undefined }
  host.bind(4001, (datagram) => {
    const [address, port] = textOf(datagram).split(" ")
    other.end = { address, port: Number(port) }
  })
  const message = bytesOf(`${name}=${own.address} ${own.port}`)
  host.repeat(
    700,
    () => other.end !== undefined,
    () => host.send(4001, meeting, 7, message),
  )
  return other
}

/** Sends numbered messages until each is answered, and answers the other's; `more`: octets of each behind its number. */
export const talk = (host: Host, to: End, count: number, more: (n: number) => number = () => 0) => {
  const answered = new Set<number>()
  const heard = new Set<number>()
  const sources = new Set<string>()
  host.bind(4000, (datagram) => {
    sources.add(`${datagram.source} ${datagram.sourcePort}`)
    const [kind, number] = textOf(datagram).split(" ")
    if (kind === "answer") answered.add(Number(number))
    if (kind !== "hello") return
    heard.add(Number(number))
    host.send(
      4000,
      datagram.source,
      datagram.sourcePort,
      bytesOf(`answer ${number} ${".".repeat(more(Number(number)))}`),
    )
  })
  for (let n = 0; n < count; n++)
    host.repeat(
      500,
      () => answered.has(n),
      () => host.send(4000, to.address, to.port, bytesOf(`hello ${n} ${".".repeat(more(n))}`)),
    )
  return { answered, heard, sources }
}

export const shown = (mappings: readonly Mapping[]): string[] => mappings.map((one) => JSON.stringify(one)).sort()
