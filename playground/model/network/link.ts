/** How bad a network is, for both directions alike. */
export interface LinkSettings {
  /** Of datagrams that are lost: 0 none, 1 all. */
  readonly loss: number
  /** Milliseconds that a datagram takes one way, at least. */
  readonly delay: number
  /** Milliseconds more at most, at random. */
  readonly jitter: number
  /** Of datagrams that are held back so that later ones overtake them: 0 to 1. */
  readonly reordering: number
  /** Decides what is lost and what is late: the same seed, the same network. */
  readonly seed: number
}

export const GOOD_LINK: LinkSettings = { loss: 0, delay: 10, jitter: 0, reordering: 0, seed: 1 }

/** What becomes of one datagram: milliseconds that it takes, or that it is lost. */
export type Fate =
  | { readonly lost: true }
  | { readonly lost: false; readonly takes: number; readonly heldBack: boolean }

const within = (value: number, least: number, most: number): number =>
  Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : least

/** The fate of the next datagram of a link, drawn from its random numbers: four of each, so that no setting shifts the others. */
export const fateOf = ({ loss, delay, jitter, reordering }: LinkSettings, random: () => number): Fate => {
  const [lost, late, held, longer] = [random(), random(), random(), random()]
  if (lost < loss) return { lost: true }
  const base = within(delay, 0, 3_600_000)
  const spread = within(jitter, 0, 3_600_000)
  const heldBack = held < reordering
  // Held back for long enough to be overtaken by what is sent right after it.
  const extra = heldBack ? Math.max(base, 1) * (1 + longer) : 0
  return { lost: false, takes: base + late * spread + extra, heldBack }
}
