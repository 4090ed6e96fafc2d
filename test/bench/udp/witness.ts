/** Requests of several kinds, and whether each answer is what its request must have (RFC 6887). */

export const KINDS = ["renew", "other nonce", "malformed option", "create and delete", "announce"] as const
export type Kind = (typeof KINDS)[number]

export interface Asked {
  readonly kind: Kind
  readonly bytes: Uint8Array
}

/** Mappings that are renewed all the time. */
const RENEWED = 800
/** Internal ports whose mappings come and go. */
const TOGGLED = 100
const FIRST_PORT = 2000
const LIFETIME = 3600
const MAP = 60

const put16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 8
  bytes[at + 1] = value & 255
}
const get16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]
const get32 = (bytes: Uint8Array, at: number): number => get16(bytes, at) * 65536 + get16(bytes, at + 2)

/** RFC 6887 figure 9, from 127.0.0.1: UDP, no suggestion. The number goes into the nonce's last octets. */
const map = (number: number, internalPort: number, lifetime: number, options: readonly number[] = []): Uint8Array => {
  const bytes = new Uint8Array(MAP + options.length)
  bytes.set([2, 1])
  put16(bytes, 6, lifetime)
  bytes.set([255, 255, 127, 0, 0, 1], 18)
  bytes.fill(0x5a, 24, 34)
  put16(bytes, 34, number)
  bytes[36] = 17
  put16(bytes, 40, internalPort)
  bytes.set([255, 255], 54)
  bytes.set(options, MAP)
  return bytes
}

const announce = (): Uint8Array => {
  const bytes = new Uint8Array(24)
  bytes[0] = 2
  bytes.set([255, 255, 127, 0, 0, 1], 18)
  return bytes
}

/** FILTER of 4 octets. */
const CUT_FILTER = [3, 0, 0, 4, 0, 128, 0, 80]
const STRANGER = 60000

/** All requests once round: mostly renewals, every fourth of another kind. */
export const makeRequests = (): readonly Asked[] => {
  const asked: Asked[] = []
  for (let i = 0; i < RENEWED; i++) {
    const port = FIRST_PORT + i
    asked.push({ kind: "renew", bytes: map(i, port, LIFETIME) })
    if (i % 4 !== 3) continue
    switch ((i >> 2) % 4) {
      case 0:
        asked.push({ kind: "other nonce", bytes: map(STRANGER, port, LIFETIME) })
        break
      case 1:
        asked.push({ kind: "malformed option", bytes: map(i, port, LIFETIME, CUT_FILTER) })
        break
      case 2: {
        const number = RENEWED + ((i >> 4) % TOGGLED)
        asked.push({ kind: "create and delete", bytes: map(number, FIRST_PORT + number, LIFETIME) })
        asked.push({ kind: "create and delete", bytes: map(number, FIRST_PORT + number, 0) })
        break
      }
      default:
        asked.push({ kind: "announce", bytes: announce() })
    }
  }
  return asked
}

/** Hears all answers. */
export class Witness {
  answered = 0
  wrong = 0
  firstWrong = ""
  readonly kinds: Record<Kind, number> = {
    renew: 0,
    "other nonce": 0,
    "malformed option": 0,
    "create and delete": 0,
    announce: 0,
  }
  /** External port of each renewed mapping, as first told. */
  readonly #ends = new Uint16Array(RENEWED)
  readonly #malformed = new Map<number, Uint8Array>()
  #epoch = 0
  #fresh: ((bytes: Uint8Array) => void) | undefined

  constructor(requests: readonly Asked[]) {
    for (const { kind, bytes } of requests)
      if (kind === "malformed option") this.#malformed.set(get16(bytes, 40), bytes)
  }

  hear(bytes: Uint8Array): void {
    if (bytes.length === MAP && get16(bytes, 34) === FRESH) {
      this.#fresh?.(bytes)
      return
    }
    this.answered++
    const fault = this.#judge(bytes)
    if (fault === undefined) return
    this.wrong++
    if (this.wrong === 1) this.firstWrong = `${fault}: ${Buffer.from(bytes).toString("hex")}`
  }

  /**
   * Sends requests that nobody sent before, every 5 ms, until one is answered: milliseconds from `since` to the answer. What the
   * overload left in the server's queue is answered before it.
   */
  async fresh(send: (bytes: Uint8Array) => void, since: number): Promise<number> {
    const heard = new Promise<number>((resolve) => {
      this.#fresh = () => resolve(performance.now() - since)
    })
    const request = map(FRESH, FRESH, LIFETIME)
    send(request)
    const timer = setInterval(() => send(request), 5)
    const milliseconds = await heard
    clearInterval(timer)
    return milliseconds
  }

  /** What is wrong with an answer; `undefined`: nothing. */
  #judge(bytes: Uint8Array): string | undefined {
    if (bytes[0] !== 2 || bytes[1] < 128 || bytes[2] !== 0) return "no PCP response"
    const epoch = get32(bytes, 8)
    if (epoch < this.#epoch) return `epoch ${epoch} after ${this.#epoch}`
    this.#epoch = epoch
    if (bytes[1] === 128) {
      this.kinds.announce++
      return bytes.length === 24 && bytes[3] === 0 && get32(bytes, 4) === 0 ? undefined : "ANNOUNCE is refused"
    }
    if (bytes[1] !== 129 || bytes.length < MAP) return "no answer to MAP"
    const port = get16(bytes, 40)
    switch (bytes[3]) {
      case 0:
        return this.#judgeGranted(bytes, port)
      case 2:
        this.kinds["other nonce"]++
        return get16(bytes, 34) === STRANGER && get32(bytes, 4) <= LIFETIME ? undefined : "refused to its owner"
      case 6: {
        this.kinds["malformed option"]++
        const request = this.#malformed.get(port)
        if (request === undefined) return "MALFORMED_OPTION of a request without options"
        return sameFrom(request, bytes, 12) ? undefined : "an error that is no copy of its request"
      }
      default:
        return `result ${bytes[3]}`
    }
  }

  #judgeGranted(bytes: Uint8Array, port: number): string | undefined {
    const number = get16(bytes, 34)
    if (bytes.length !== MAP || port !== FIRST_PORT + number) return "another's nonce"
    const lifetime = get32(bytes, 4)
    if (number >= RENEWED) {
      this.kinds["create and delete"]++
      return lifetime === LIFETIME || (lifetime === 0 && get16(bytes, 42) === 0) ? undefined : `lifetime ${lifetime}`
    }
    this.kinds.renew++
    if (lifetime !== LIFETIME) return `lifetime ${lifetime}`
    const end = get16(bytes, 42)
    if (this.#ends[number] === 0) this.#ends[number] = end
    return end !== 0 && end === this.#ends[number] ? undefined : `external port ${end}, not ${this.#ends[number]}`
  }
}

/** The internal port, and the number, of the request that nobody sent before. */
const FRESH = 1999

const sameFrom = (a: Uint8Array, b: Uint8Array, from: number): boolean => {
  if (a.length !== b.length) return false
  for (let i = from; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
