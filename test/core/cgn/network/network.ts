/** A network in memory on a virtual clock: things to come in order of their time, and links that lose and reorder packets. */
import { type Random, randomFrom } from "../../../fuzz/random.ts"

/** Whatever is at the end of a link. */
export type Receive = (bytes: Uint8Array) => void

/** What a link does to packets, one at a time. */
export interface LinkSettings {
  /** Milliseconds on the way, at least and at most: where they differ, packets overtake each other. */
  readonly delay: readonly [number, number]
  /** One packet in so many is lost; 0: none. */
  readonly loss: number
  /** One in so many arrives twice; 0: none. */
  readonly twice: number
}

export const WIRE: LinkSettings = { delay: [1, 1], loss: 0, twice: 0 }

interface Event {
  readonly at: number
  readonly run: () => void
}

export class Network {
  /** Milliseconds. */
  now = 0
  readonly random: Random
  /** All that was carried by links, as `TIME OCTETS`: two runs of one seed have the same. */
  readonly log: string[] = []
  private readonly events: Event[] = []

  constructor(seed: number) {
    this.random = randomFrom(seed)
  }

  /** Has something done in so many milliseconds: later of those that are due at one instant. */
  after(delay: number, run: () => void): void {
    const event = { at: this.now + Math.max(0, delay), run }
    let place = this.events.length
    while (place > 0 && this.events[place - 1].at > event.at) place--
    this.events.splice(place, 0, event)
  }

  /** Lets so many milliseconds pass, or fewer where `done` says so. */
  run(milliseconds: number, done: () => boolean = () => false): void {
    const end = this.now + milliseconds
    while (!done()) {
      const [event] = this.events
      if (event === undefined || event.at > end) {
        this.now = end
        return
      }
      this.events.shift()
      this.now = event.at
      event.run()
    }
  }

  /** A link between two; what each is given sends to the other. */
  link(one: Receive, other: Receive, settings: LinkSettings = WIRE): readonly [Receive, Receive] {
    return [this.way(other, settings), this.way(one, settings)]
  }

  private way(to: Receive, { delay: [least, most], loss, twice }: LinkSettings): Receive {
    return (bytes) => {
      if (loss > 0 && this.random.once(loss)) return
      for (let n = twice > 0 && this.random.once(twice) ? 2 : 1; n > 0; n--) {
        const copy = bytes.slice()
        this.after(least + this.random.below(most - least + 1), () => {
          this.log.push(`${this.now} ${copy.join()}`)
          to(copy)
        })
      }
    }
  }
}
