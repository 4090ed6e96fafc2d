import {
  type FlowCommand,
  type FlowEffect,
  type FlowEnd,
  type FlowEvent,
  type FlowLayer,
  LAYER_SOCKET,
  stepFlow,
} from "../../core/flow/index.ts"
import { ANY4, ANY6, isIpv4 } from "../../core/wire/index.ts"
import { bindAll } from "../bind-all.ts"
import type { Clock } from "../host.ts"
import { octets } from "../octets.ts"
import type { BindOptions, Datagram, Endpoint, Outgoing, Receiver, Udp, UdpError, UdpSocket } from "../udp.ts"
import { FlowError } from "./flow-error.ts"
import { scopes } from "./scope.ts"

/** What drives a layer: its sockets, its timer, and the way of its events. */
export interface Driver {
  /** Where the layer listens. */
  readonly local: readonly Endpoint[]
  /** An end as commands and `state` have it. */
  end(end: Endpoint): FlowEnd
  /** The layer as it stands. */
  state(): FlowLayer
  /**
   * Gives a command; the number of the flow that it is about. Throws a FlowError where it cannot be. `known` is told the number before any event
   * that the command itself brings.
   */
  command(command: FlowCommand, known?: (flow: number) => void): number
  /** The same for a message, which is most of what is done. Undefined: it went. */
  write(flow: number, data: Uint8Array): FlowError | undefined
  /** Closes all sockets. Twice is once. */
  close(): Promise<void>
}

/** What a driver needs. */
export interface DriverOptions {
  readonly udp: Udp
  readonly clock: Clock
  readonly layer: FlowLayer
  /** The layer's own sockets: one a family at most is used to send. */
  readonly sockets: readonly BindOptions[]
  /** What the layer tells. Called within the step: not to call back into the driver before it returns. */
  readonly event: (event: FlowEvent) => void
  /** A name is to be made known, or to be forgotten. */
  readonly directory: (effect: FlowEffect & { readonly type: "publish" | "withdraw" }) => void
  /** A socket lost a datagram or heard an ICMP error; the layer goes on. */
  readonly socketError?: ((error: UdpError) => void) | undefined
}

/** A flow's own socket, of the first form: what is to leave from it waits until it is open. */
type OwnSocket =
  | { readonly kind: "opening"; readonly waiting: Outgoing[]; closed: boolean }
  | { readonly kind: "open"; readonly socket: UdpSocket }

/** Drives a layer, or says which of its sockets cannot be bound. */
export const drive = async (options: DriverOptions): Promise<Driver> => {
  const { udp, clock, event, directory, socketError } = options
  let layer = options.layer
  let timer: (() => void) | undefined
  let closing: Promise<void> | undefined
  const own = new Map<number, OwnSocket>()
  const zones = scopes()

  const receiverOf = (socket: number): Receiver => ({
    receive: ({ bytes, source }: Datagram) => {
      if (closing !== undefined) return
      const now = clock.now()
      const from = source.zone === undefined ? source : zones.in(source)
      // They are valid during the call only; and a part of a Buffer, which runtimes give, costs more than one of a plain array.
      const own = octets(bytes.length)
      own.set(bytes)
      const [next, effects] = stepFlow(layer, {
        type: "datagram",
        now,
        socket,
        bytes: own,
        source: from.address,
        sourcePort: from.port,
      })
      layer = next
      run(effects)
    },
    error: (error) => socketError?.(error),
  })

  const run = (effects: readonly FlowEffect[], known?: (flow: number) => void): void => {
    for (const effect of effects)
      switch (effect.type) {
        case "send":
          send(effect.socket, { bytes: effect.bytes, destination: zones.out(effect.destination) })
          break
        case "result":
          if (effect.ok) known?.(effect.flow)
          break
        case "event":
          event(withZone(effect.event))
          break
        case "wake":
          arm(effect.at)
          break
        case "open":
          void open(effect.socket, effect.peer)
          break
        case "close":
          close(effect.socket)
          break
        case "publish":
        case "withdraw":
          directory(effect)
      }
  }

  /** What tells of a peer tells of it as the runtime knows it. */
  const withZone = (one: FlowEvent): FlowEvent => {
    if (one.type !== "request" && one.type !== "allocated") return one
    return { ...one, peer: zones.out(one.peer) }
  }

  const send = (socket: number, outgoing: Outgoing): void => {
    if (socket === LAYER_SOCKET) {
      const family = isIpv4(outgoing.destination.address)
      const from = sockets.find(({ local }) => isIpv4(local.address) === family)
      if (from === undefined) socketError?.({ code: "EAFNOSUPPORT", text: "the layer has no socket of this family" })
      else from.send(outgoing.bytes, outgoing.destination)
      return
    }
    const one = own.get(socket)
    if (one?.kind === "open") one.socket.send(outgoing.bytes, outgoing.destination)
    else one?.waiting.push(outgoing)
  }

  /** The first form: a port of the system's choice, on the layer's own address. */
  const open = async (number: number, peer: FlowEnd): Promise<void> => {
    const opening: OwnSocket = { kind: "opening", waiting: [], closed: false }
    own.set(number, opening)
    const family = isIpv4(peer.address)
    const near = sockets.find(({ local }) => isIpv4(local.address) === family)?.local
    const local = { ...(near ?? { address: family ? ANY4 : ANY6 }), port: 0 }
    const bound = await udp.bind({ local }, receiverOf(number))
    if (!bound.ok) {
      own.delete(number)
      socketError?.(bound.error)
      if (closing === undefined) step({ type: "socket-failed", socket: number })
      return
    }
    if (opening.closed || closing !== undefined) {
      await bound.value.close()
      return
    }
    own.set(number, { kind: "open", socket: bound.value })
    bound.value.sendMany(opening.waiting)
  }

  const close = (number: number): void => {
    const one = own.get(number)
    own.delete(number)
    if (one?.kind === "open") void one.socket.close()
    else if (one !== undefined) one.closed = true
  }

  const arm = (at: number | undefined): void => {
    timer?.()
    timer = at === undefined || closing !== undefined ? undefined : clock.after(Math.max(0, at - clock.now()), tick)
  }

  const tick = (): void => {
    timer = undefined
    if (closing !== undefined) return
    step({ type: "tick" })
    // A runtime's timer may fire early, and then nothing has changed.
    if (timer === undefined && layer.wake !== undefined) arm(layer.wake)
  }

  const step = (
    input: FlowCommand | { readonly type: "tick" } | { readonly type: "socket-failed"; readonly socket: number },
    known?: (flow: number) => void,
  ): readonly FlowEffect[] => {
    const [next, effects] = stepFlow(layer, { ...input, now: clock.now() })
    layer = next
    run(effects, known)
    return effects
  }

  const bound = await bindAll(udp, options.sockets, receiverOf(LAYER_SOCKET))
  if (!bound.ok) {
    const { error, local } = bound
    throw new FlowError("EIPCP", `cannot listen: ${error.text}`, { cause: { ...error, local } })
  }
  const sockets = bound.sockets

  return {
    local: sockets.map(({ local }) => local),
    end: zones.in,
    state: () => layer,
    command: (command, known) => {
      if (closing !== undefined) throw closed()
      for (const effect of step(command, known))
        if (effect.type === "result") {
          if (effect.ok) return effect.flow
          throw new FlowError(effect.error, effect.text)
        }
      return 0
    },
    write: (flow, data) => {
      if (closing !== undefined) return closed()
      const [next, effects] = stepFlow(layer, { type: "write", now: clock.now(), flow, data, octets })
      layer = next
      run(effects)
      for (const effect of effects)
        if (effect.type === "result" && !effect.ok) return new FlowError(effect.error, effect.text)
      return undefined
    },
    close: () => {
      closing ??= (async () => {
        timer?.()
        const flows = [...own.values()].flatMap((one) => (one.kind === "open" ? [one.socket] : []))
        await Promise.all([...sockets, ...flows].map((socket) => socket.close()))
      })()
      return closing
    },
  }
}

const closed = (): FlowError => new FlowError("EIRMD", "the layer is closed")
