import { type Address, isAny } from "../../core/wire/index.ts"
import type { Endpoint, Result, Udp, UdpSocket } from "../udp.ts"

/** How a run speaks to the server. Milliseconds. */
export interface Pace {
  /** From each datagram to the next, at least. */
  readonly gap: number
  /** Until a request that should be answered counts as not answered; it is sent three times by then. */
  readonly timeout: number
  /** Until a request that should not be answered counts as dropped. */
  readonly silence: number
}

/** What became of one request. */
export type Answer =
  | { readonly kind: "reply"; readonly bytes: Uint8Array }
  | { readonly kind: "silence" }
  /** The system could not send, or ICMP says that nobody listens there. */
  | { readonly kind: "unreachable"; readonly text: string }

export interface Asker {
  /** Sends a request from an address of ours and waits. `answered`: an answer is wanted, and the request repeated for it. */
  readonly ask: (bytes: Uint8Array, from: Address, answered: boolean) => Promise<Answer>
  /** Datagrams sent so far. */
  readonly sent: () => number
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** When a request is sent again, as parts of the timeout: three times in all, the waits doubling. */
const REPEATS = [0, 1 / 7, 3 / 7]

/**
 * Asks one server, one request at a time. Each has a socket of its own, connected to the server, so that a late answer to an
 * earlier request is never taken for its own, and no other host's datagram for the server's. `heard` is told of each answer.
 */
export const makeAsker = (udp: Udp, server: Endpoint, pace: Pace, heard: (reply: Uint8Array) => void): Asker => {
  let free = 0
  let sent = 0
  const send = async (socket: UdpSocket, bytes: Uint8Array): Promise<void> => {
    const wait = free - Date.now()
    if (wait > 0) await sleep(wait)
    free = Date.now() + pace.gap
    sent++
    socket.send(bytes, server)
  }
  const ask = async (bytes: Uint8Array, from: Address, answered: boolean): Promise<Answer> => {
    let wake = (): void => {}
    let answer: Answer | undefined
    const got = (next: Answer): void => {
      answer ??= next
      wake()
    }
    const bound: Result<UdpSocket> = await udp.bind(
      { local: { address: from, port: 0 }, remote: server },
      {
        receive: (datagram) => {
          const bytes = datagram.bytes.slice()
          heard(bytes)
          got({ kind: "reply", bytes })
        },
        error: (error) => got({ kind: "unreachable", text: error.text }),
      },
    )
    if (!bound.ok) return { kind: "unreachable", text: bound.error.text }
    const socket = bound.value
    const until = async (end: number): Promise<void> => {
      while (answer === undefined && Date.now() < end) {
        let timer: ReturnType<typeof setTimeout> | undefined
        await new Promise<void>((resolve) => {
          wake = resolve
          timer = setTimeout(resolve, end - Date.now())
        })
        clearTimeout(timer)
      }
    }
    if (answered) {
      const start = Math.max(Date.now(), free)
      for (const [i, part] of REPEATS.entries()) {
        if (answer !== undefined) break
        if (i > 0) await until(start + part * pace.timeout)
        if (answer === undefined) await send(socket, bytes)
      }
      await until(start + pace.timeout)
    } else {
      await send(socket, bytes)
      await until(Date.now() + pace.silence)
    }
    await socket.close()
    return answer ?? { kind: "silence" }
  }
  return { ask, sent: () => sent }
}

/** Our address on the way to the server, as the system chooses it. */
export const ownAddress = async (udp: Udp, server: Endpoint, any: Address): Promise<Result<Address>> => {
  const bound = await udp.bind(
    { local: { address: any, port: 0 }, remote: server },
    { receive: () => {}, error: () => {} },
  )
  if (!bound.ok) return bound
  const { address } = bound.value.local
  await bound.value.close()
  return isAny(address)
    ? {
        ok: false,
        error: { code: "EADDRNOTAVAIL", text: "this runtime cannot tell which of our addresses leads there" },
      }
    : { ok: true, value: address }
}
