import type { Assigned, ClientEvent, Failure, QuirkName } from "../../../core/client/index.ts"

/** Where one mapping stands at one server, for whoever waits for it. */
export type Standing =
  /** Not answered yet; so many datagrams have gone. */
  | { readonly kind: "waiting"; readonly sent: number }
  | { readonly kind: "mapped"; readonly mapping: Assigned }
  | { readonly kind: "failed"; readonly failure: Failure }
  /**
   * Ended: deleted, left as it is, or its lifetime over. `answered`: the server said that it deleted it; `lifetime`: seconds for which
   * it leaves it all the same.
   */
  | {
      readonly kind: "over"
      readonly how: "revoked" | "dropped" | "expired"
      readonly answered: boolean
      readonly lifetime?: number | undefined
    }

/** One mapping at one server. */
export interface Place {
  readonly id: string
  readonly server: string
  readonly standing: Standing
  /** What was odd, each once, in its order. */
  readonly quirks: readonly QuirkName[]
}

/** What is wanted, and how it stands: a place for each mapping and server, in the order in which they were asked for. */
export type Board = readonly Place[]

/** The board after one event. Requests appear by their first state. */
export const note = (board: Board, event: ClientEvent): Board => {
  switch (event.type) {
    case "state": {
      const standing = standingOf(event.state)
      if (standing === undefined) return board
      const isThere = board.some((place) => isAt(place, event))
      if (!isThere) return [...board, { id: event.id, server: event.server, standing, quirks: [] }]
      return put(board, event, (place) => ({ ...place, standing }))
    }
    case "assigned":
    case "renewed":
      return put(board, event, (place) => ({ ...place, standing: { kind: "mapped", mapping: event.mapping } }))
    case "quirk":
      return put(board, event, (place) =>
        place.quirks.includes(event.quirk) ? place : { ...place, quirks: [...place.quirks, event.quirk] },
      )
    default:
      return board
  }
}

/** What a state says of itself; `undefined`: nothing that other events do not say better. */
const standingOf = (state: Extract<ClientEvent, { type: "state" }>["state"]): Standing | undefined => {
  switch (state.kind) {
    case "requested":
      return { kind: "waiting", sent: 0 }
    case "starting":
      return { kind: "waiting", sent: state.retransmissions + 1 }
    case "error":
      return { kind: "failed", failure: state.failure }
    case "expired":
    case "dropped":
      return { kind: "over", how: state.kind, answered: false }
    case "revoked":
      return { kind: "over", how: "revoked", answered: state.answered, lifetime: state.lifetime }
    case "running":
    case "updating":
      return undefined
  }
}

type At = { readonly id: string | undefined; readonly server: string }

/** A quirk of no mapping's own is one of all that the server has. */
const isAt = (place: Place, { id, server }: At): boolean =>
  place.server === server && (id === undefined || place.id === id)

const put = (board: Board, at: At, change: (place: Place) => Place): Board =>
  board.map((place) => (isAt(place, at) ? change(place) : place))

/** Does nobody wait for an answer any more? */
export const isSettled = (board: Board): boolean => board.every(({ standing }) => standing.kind !== "waiting")
