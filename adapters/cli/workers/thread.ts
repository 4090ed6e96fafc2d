import type { MessagePort } from "node:worker_threads"
import { udp as runtimeUdp } from "#runtime"
import { reasonOf } from "../../system-error.ts"
import type { Ack, Handlers, Order, OrderName, Word } from "./orders.ts"
import type { Role } from "./role.ts"
import type { Peer, PeerMessage } from "./route.ts"
import { beginShift, type Shift } from "./worker.ts"

/** The ways to the other workers, by number: what a worker hears first. */
export interface Introduction {
  readonly peers: readonly (MessagePort | undefined)[]
}

export type ToWorker = Introduction | Ack | Order

/** A worker's thread: does what it is told, one word for each order. `entry` is the file that it runs. */
export const runWorker = (role: Role, port: MessagePort, entry: URL): void => {
  let ports: readonly (MessagePort | undefined)[] = []
  let shift: Shift | undefined
  const say = (word: Word): void => port.postMessage(word)

  const begin: Handlers["begin"] = async (ask) => {
    const peers = ports.map((to): Peer | undefined => to && { post: (message) => post(to, message) })
    const fast = ask.isFast ? (await import("../fast.ts")).fastSockets(entry, true) : undefined
    if (fast?.ok === false) return fast
    const made = await beginShift(role, ask, fast?.value ?? runtimeUdp, peers, (lines) => say({ lines }))
    if (!made.ok) return made
    const { route } = made.value.shift
    shift = {
      ...made.value.shift,
      handlers: {
        ...made.value.shift.handlers,
        stop: async (asked) => {
          const saved = await made.value.shift.handlers.stop(asked)
          fast?.value.rest()
          return saved
        },
      },
    }
    for (const [from, peer] of ports.entries()) peer?.on("message", (message: PeerMessage) => route.hear(from, message))
    return { ok: true, value: made.value.begun }
  }

  const obey = async <K extends OrderName>({ id, name, ask }: Order<K>): Promise<void> => {
    try {
      const handlers: Handlers | undefined = shift && { ...shift.handlers, begin }
      const known: Partial<Handlers> = handlers ?? { begin }
      const handler = known[name]
      if (handler === undefined) throw new Error("it has not begun")
      const answer = await handler(ask)
      port.postMessage({ id, answer })
    } catch (cause) {
      say({ id, fault: reasonOf(cause) })
    }
  }

  port.on("message", (message: ToWorker) => {
    if ("peers" in message) ports = message.peers
    else if ("taken" in message) shift?.taken(message.taken)
    else void obey(message)
  })
  say({ hears: true })
}

const post = (to: MessagePort, message: PeerMessage): void =>
  "batch" in message ? to.postMessage(message, [message.batch.buffer]) : to.postMessage(message)
