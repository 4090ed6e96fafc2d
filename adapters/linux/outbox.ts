import type { Endpoint, UdpError } from "../udp.ts"
import { EAGAIN, ECONNREFUSED, EINTR, lastError } from "./errno.ts"
import type { Libc } from "./libc.ts"
import { CONTROL_LENGTH, createHeaders, createSlots, NAME_LENGTH, SLOTS, wordOf } from "./message-ring.ts"
import { CONTROL_WORDS, type From, writeFrom } from "./pktinfo.ts"
import { NAME_WORDS, NAME4, NAME6, writeName } from "./sockaddr.ts"

/** Octets of the longest datagram that is given to the system: it says itself which of them are too long. */
const LONGEST = 65_535
/** Octets for the datagrams of one call. */
const ROOM = 4 * 65_536
/** Datagrams of one socket that wait for the system at most. */
const QUEUE = 65_536
/** Milliseconds until the system is asked again. */
const REST = 1
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

/** A socket that datagrams leave from. */
export interface Sender {
  readonly fd: number
  readonly family: 4 | 6
  /** The system knows where they go. */
  readonly isConnected: boolean
  /** For errors; it does not call back into whoever is sending. */
  failed(error: UdpError): void
  /** Datagrams that the system has no room for, in their order. */
  waiting: Waiting[]
  /** When they are tried again. */
  timer: NodeJS.Timeout | undefined
}

interface Waiting {
  readonly name: Uint32Array
  readonly nameLength: number
  readonly control: Uint32Array
  readonly controlLength: number
  readonly bytes: Uint8Array
}

/** Memory for one batch of datagrams to send, of any socket of this thread; they leave in the order of their putting. */
export interface Outbox {
  /** Copies one. `scope`: the interface of its zone, 0 for none; `from`: where it is to leave from. */
  put(sender: Sender, bytes: Uint8Array, destination: Endpoint, scope: number, from: From | undefined): void
  /** The same, to the name that begins there. */
  answer(sender: Sender, bytes: Uint8Array, names: Uint32Array, at: number, from: From | undefined): void
  /** Hands all to the system. */
  flush(): void
  /** What waits for this socket is tried once more, and then lost. */
  end(sender: Sender): void
}

export const createOutbox = (libc: Libc): Outbox => {
  const payload = libc.memory(ROOM)
  const slots = createSlots(libc)
  const { memory, words, partsMemory } = createHeaders(libc, slots, payload, 0, 0)
  const parts = new Uint32Array(partsMemory.octets.buffer, 0, partsMemory.octets.length / 4)
  const base = Number(payload.address)
  let sender: Sender | undefined
  let count = 0
  let used = 0

  /** Makes room for one more; its place is the slot `count`. */
  const open = (to: Sender, length: number): void => {
    if (sender === to && count < SLOTS && used + length <= ROOM) return
    flush()
    sender = to
  }
  /** The slot has a name and a control message: now the payload. */
  const close = (bytes: Uint8Array, nameLength: number, controlLength: number): void => {
    payload.octets.set(bytes, used)
    const at = base + used
    parts[4 * count] = at >>> 0
    parts[4 * count + 1] = at / 2 ** 32
    parts[4 * count + 2] = bytes.length
    words[wordOf(count, NAME_LENGTH)] = nameLength
    words[wordOf(count, CONTROL_LENGTH)] = controlLength
    // A number of 64 bits: the next payload begins where the processor likes it to.
    used += (bytes.length + 7) & ~7
    count++
    if (sender !== undefined && sender.waiting.length > 0) flush()
  }
  const isTooLong = (to: Sender, bytes: Uint8Array): boolean => {
    if (bytes.length <= LONGEST) return false
    to.failed({ code: "EMSGSIZE", text: `sendmmsg EMSGSIZE: ${bytes.length} octets` })
    return true
  }
  const control = (to: Sender, from: From | undefined): number =>
    from === undefined ? 0 : writeFrom(slots.controls, count * CONTROL_WORDS, to.family, from)

  const keep = (to: Sender, from: number): void => {
    for (let i = from; i < count; i++) {
      if (to.waiting.length >= QUEUE) {
        to.failed({ code: "ENOBUFS", text: `${QUEUE} datagrams wait for the system` })
        return
      }
      const at = parts[4 * i] - (base >>> 0)
      const start = at < 0 ? at + 2 ** 32 : at
      to.waiting.push({
        name: slots.names.slice(i * NAME_WORDS, (i + 1) * NAME_WORDS),
        nameLength: words[wordOf(i, NAME_LENGTH)],
        control: slots.controls.slice(i * CONTROL_WORDS, (i + 1) * CONTROL_WORDS),
        controlLength: words[wordOf(i, CONTROL_LENGTH)],
        bytes: payload.octets.slice(start, start + parts[4 * i + 2]),
      })
    }
    to.timer ??= setTimeout(() => {
      to.timer = undefined
      retry(to)
    }, REST)
  }
  const retry = (to: Sender): void => {
    const again = to.waiting
    to.waiting = []
    let next = 0
    while (next < again.length && to.waiting.length === 0) {
      const batch = again.slice(next, next + SLOTS)
      next += batch.length
      for (const { name, nameLength, control, controlLength, bytes } of batch) {
        open(to, bytes.length)
        slots.names.set(name, count * NAME_WORDS)
        slots.controls.set(control, count * CONTROL_WORDS)
        close(bytes, nameLength, controlLength)
      }
      flush()
    }
    if (next < again.length) to.waiting = [...to.waiting, ...again.slice(next)]
  }

  const flush = (): void => {
    const [to, end] = [sender, count]
    if (to === undefined || end === 0) return
    // Before anybody hears of an error, and may send something.
    const done = (): void => {
      sender = undefined
      count = 0
      used = 0
    }
    if (to.waiting.length > 0) {
      keep(to, 0)
      done()
      return
    }
    const errors: UdpError[] = []
    let refused = -1
    for (let next = 0; next < end; ) {
      const sent = libc.sendmmsg(to.fd, memory, next, end - next, MSG_DONTWAIT | MSG_NOSIGNAL)
      if (sent > 0) {
        next += sent
        continue
      }
      const errno = sent < 0 ? libc.errno() : 0
      if (errno === EINTR) continue
      if (errno === EAGAIN) {
        keep(to, next)
        break
      }
      errors.push(lastError(libc, "sendmmsg"))
      // An ICMP error is of a datagram before this one, which was not tried.
      if (errno === ECONNREFUSED && to.isConnected && refused !== next) refused = next
      else next++
    }
    done()
    for (const error of errors) to.failed(error)
  }

  return {
    put: (to, bytes, destination, scope, from) => {
      if (isTooLong(to, bytes)) return
      open(to, bytes.length)
      const length = to.isConnected ? 0 : writeName(slots.names, count * NAME_WORDS, to.family, destination, scope)
      close(bytes, length, control(to, from))
    },
    answer: (to, bytes, names, at, from) => {
      if (isTooLong(to, bytes)) return
      open(to, bytes.length)
      const own = count * NAME_WORDS
      for (let i = 0; i < NAME_WORDS; i++) slots.names[own + i] = names[at + i]
      close(bytes, to.isConnected ? 0 : to.family === 4 ? NAME4 : NAME6, control(to, from))
    },
    flush,
    end: (to) => {
      if (sender === to) flush()
      if (to.timer === undefined) return
      clearTimeout(to.timer)
      to.timer = undefined
      retry(to)
      clearTimeout(to.timer)
      to.timer = undefined
      to.waiting = []
    },
  }
}
