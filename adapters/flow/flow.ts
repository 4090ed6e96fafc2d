import { setImmediate } from "node:timers"
import type { Closable } from "../client/index.ts"
import type { Endpoint } from "../udp.ts"
import type { Driver } from "./driver.ts"
import { FlowError } from "./flow-error.ts"
import type { Inbox, ReadOptions } from "./inbox.ts"

/** What may be done with a flow: `FLOWFRDONLY`, `FLOWFWRONLY` and `FLOWFRDWR` of `fccntl.h`. */
export type FlowAccess = "rdonly" | "wronly" | "rdwr"

/** A flow: messages both ways, each whole, in no order and none for sure but for what its layer promises. */
export interface Flow extends Closable, AsyncIterable<Uint8Array> {
  /** Its own endpoint id: the number by which the layer knows it. */
  readonly id: number
  /** The name that it was asked for by. */
  readonly name: string
  /** The other end. */
  readonly peer: Endpoint
  /** What came with the reply, or with the request. */
  readonly data: Uint8Array
  /** Messages that came and were lost, because nobody had read those before. */
  readonly lost: number
  /**
   * Sends one message. Resolves when the next may follow: much at once waits until the runtime has had a turn. Rejects with EMSGSIZE,
   * ENOTALLOC, EFLOWDOWN, EFLOWPEER, or EPERM on a flow that is `rdonly`. A message of no octets is not sent.
   */
  write(message: Uint8Array): Promise<void>
  /** The next message; `undefined` after `dealloc`, once all that came before is read. Rejects with EFLOWPEER or EFLOWDOWN where the flow went down. */
  read(options?: ReadOptions): Promise<Uint8Array | undefined>
  /** What may be done with it; `rdwr` at first. Of a flow that is `wronly` what comes is dropped. */
  readonly access: FlowAccess
  /** Changes that, as `fccntl` with `FLOWSFLAGS` does. */
  setAccess(access: FlowAccess): void
  /** Ends the flow here. No message tells the peer: it notices by its timeout. Twice is once. */
  dealloc(): Promise<void>
}

/**
 * Octets and messages that may leave in one turn of the runtime: libuv reads 32 datagrams of a socket in one, so that more would only fill
 * the receiver's buffer.
 */
const TURN_OCTETS = 128 * 1024
const TURN_MESSAGES = 32

/** What all flows of a layer share: how much has left since the runtime last had a turn. */
export interface Pace {
  /** Counts a message; a promise where the next is to wait. */
  sent(octets: number): Promise<void>
  /** A datagram came: the runtime has had a turn, unless somebody waits for one. */
  came(): void
}

const AT_ONCE: Promise<void> = Promise.resolve()

/**
 * `queued`: the runtime's sockets send in the background, one datagram after the other, as Deno's do: of its turns only a timer's lets them.
 */
export const pace = (queued: boolean): Pace => {
  const later = queued ? (call: () => void) => setTimeout(call, 0) : setImmediate
  let octets = 0
  let messages = 0
  let turn: Promise<void> | undefined
  return {
    came: () => {
      if (turn !== undefined) return
      octets = 0
      messages = 0
    },
    sent: (length) => {
      octets += length
      messages++
      if (octets < TURN_OCTETS && messages < TURN_MESSAGES) return AT_ONCE
      turn ??= new Promise((resolve) => {
        later(() => {
          octets = 0
          messages = 0
          turn = undefined
          resolve()
        })
      })
      return turn
    },
  }
}

export const openFlow = (
  driver: Driver,
  pacing: Pace,
  box: Inbox,
  known: Pick<Flow, "id" | "name" | "peer" | "data">,
  forget: () => void,
): Flow => {
  const { id } = known
  let ended = false
  let access: FlowAccess = "rdwr"
  const dealloc = async (): Promise<void> => {
    if (ended) return
    ended = true
    box.end(undefined)
    forget()
    try {
      driver.command({ type: "dealloc", flow: id })
    } catch {
      // It went down before.
    }
  }
  return {
    ...known,
    get lost() {
      return box.lost()
    },
    get access() {
      return access
    },
    setAccess: (next) => {
      access = next
      box.take(next !== "wronly")
    },
    write: (message) => {
      if (access === "rdonly") return Promise.reject(new FlowError("EPERM", `flow ${id} is for reading alone`))
      const error = driver.write(id, message)
      return error === undefined ? pacing.sent(message.length) : Promise.reject(error)
    },
    read: (options = {}) => box.read(options),
    dealloc,
    [Symbol.asyncDispose]: dealloc,
    // A generator would cost each message several turns of the queue more.
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const message = await box.read({})
        return message === undefined ? { done: true, value: undefined } : { done: false, value: message }
      },
    }),
  }
}
