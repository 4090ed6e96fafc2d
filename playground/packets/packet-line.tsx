import { SEVERITY_SIGNS } from "../inspector/findings-view.tsx"
import { briefOf, type Exchange, latencyText, type Row, summaryOf } from "../model/capture/index.ts"

/** Seconds since the capture began, as a list has room for. */
export const secondsText = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? "" : (milliseconds / 1000).toFixed(3)

const noteOf = (row: Row, exchange: Exchange | undefined): string => {
  if (exchange === undefined) return row.part === "unsolicited" ? "unasked" : ""
  switch (row.part) {
    case "retransmission":
      return `again ${exchange.requests.indexOf(row.index)}`
    case "repeated answer":
      return "repeated"
    case "request":
      return exchange.answers.length === 0 ? "no answer" : ""
    default:
      return exchange.latency === undefined ? "" : latencyText(exchange.latency)
  }
}

interface LineProps {
  readonly row: Row
  readonly exchange: Exchange | undefined
  readonly isChosen: boolean
  /** Of the chosen packet's exchange? */
  readonly isPartner: boolean
  readonly place: number
  readonly top: number
  readonly onClick: () => void
}

/** A packet in the list. */
export const PacketLine = ({ row, exchange, isChosen, isPartner, place, top, onClick }: LineProps) => (
  // biome-ignore lint/a11y/useKeyWithClickEvents: the grid's keys choose rows
  <div
    role="row"
    id={`row-${row.index}`}
    class={`line${isChosen ? " chosen" : ""}${isPartner ? " partner" : ""}`}
    aria-rowindex={place + 2}
    aria-selected={isChosen}
    style={{ transform: `translateY(${top}px)` }}
    onClick={onClick}
  >
    <span role="gridcell">{row.index + 1}</span>
    <span role="gridcell" class="time">
      {secondsText(row.time)}
    </span>
    <span role="gridcell" aria-label={row.facts.response ? "answer" : "request"}>
      {row.facts.response ? "◀" : "▶"}
    </span>
    <span role="gridcell" class="summary" title={summaryOf(row.facts)}>
      {briefOf(row.facts)}
    </span>
    <span role="gridcell" class="latency">
      {noteOf(row, exchange)}
    </span>
    <span role="gridcell" data-severity={row.worst} aria-label={row.worst ?? "no findings"}>
      {row.worst === undefined ? "" : SEVERITY_SIGNS[row.worst]}
    </span>
  </div>
)
