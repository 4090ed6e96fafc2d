import type { Session } from "../model/session/index.ts"

/** Where one was in a session. */
export interface Place {
  /** Milliseconds. */
  readonly at: number
  /** Which of its futures: 0 as it is, n the n-th that was tried. */
  readonly future: number
}

/** For as long as the session itself is kept by somebody: who looks at a packet in Inspect comes back to where they were. */
const places = new WeakMap<Session, Place>()

export const leave = (session: Session, place: Place): void => {
  places.set(session, place)
}

export const placeOf = (session: Session): Place => places.get(session) ?? { at: 0, future: 0 }
