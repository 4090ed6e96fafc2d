import { useLayoutEffect, useRef, useState } from "preact/hooks"
import type { Flight, Run } from "../model/network/index.ts"
import { clockText } from "./clock.ts"

const HEIGHT = 184
const CLIENT = 56
const SERVER = 148
const MOST = 1500
/** Pixels below which the whole legend has no room. */
const LEGIBLE = 520
/** Pixels from one label of the axis to the next, at least. */
const APART = 110
const STEPS = [
  10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
  7_200_000, 21_600_000,
] as const

interface ClientTimelineProps {
  readonly run: Run
  /** Milliseconds. */
  readonly from: number
  readonly span: number
  readonly onOpen: (bytes: Uint8Array) => void
}

/** Datagrams between client and server as slanted lines over time; a cross where one was lost. */
export const ClientTimeline = ({ run, from, span, onOpen }: ClientTimelineProps) => {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(800)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const x = (at: number): number => 8 + ((at - from) / span) * (width - 16)
  const isShown = (at: number): boolean => at >= from && at <= from + span
  const flights = run.flights
    .filter(({ sent, arrived }) => isShown(sent) || (arrived !== undefined && isShown(arrived)))
    .slice(0, MOST)
  const numbered = spaced(flights, x)
  const step = STEPS.find((one) => (one / span) * width >= APART) ?? 86_400_000
  const ticks: number[] = []
  for (let at = Math.ceil(from / step) * step; at <= from + span; at += step) ticks.push(at)
  const acts = run.marks.flatMap((mark) =>
    mark.type === "act" && mark.act.type !== "request" && isShown(mark.at) ? [mark] : [],
  )
  const events = run.marks.flatMap((mark) => (mark.type === "event" && isShown(mark.at) ? [mark] : [])).slice(0, MOST)
  const timers = run.marks
    .flatMap((mark) => (mark.type === "timer" && isShown(mark.at) ? [mark.at] : []))
    .slice(0, MOST)
  return (
    <div ref={box} class="rv-timeline">
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`timeline from ${clockText(from)} to ${clockText(from + span)}: ${flights.length} datagrams; the log below says each`}
      >
        {ticks.map((at) => (
          <g key={at}>
            <line class="rv-tick" x1={x(at)} x2={x(at)} y1={CLIENT - 14} y2={SERVER + 10} />
            <text x={x(at)} y={HEIGHT - 6} text-anchor={x(at) < 40 ? "start" : x(at) > width - 40 ? "end" : "middle"}>
              {clockText(at)}
            </text>
          </g>
        ))}
        <text x={8} y={14}>
          client
        </text>
        <text x={width - 8} y={14} text-anchor="end">
          {width < LEGIBLE ? "× is lost, ▾ a wake-up" : "numbers are transmissions, × is lost, ▾ a wake-up"}
        </text>
        <text x={width - 8} y={SERVER - 6} text-anchor="end">
          CGN
        </text>
        <line class="rv-post" x1={8} x2={width - 8} y1={CLIENT} y2={CLIENT} />
        <line class="rv-post" x1={8} x2={width - 8} y1={SERVER} y2={SERVER} />
        {acts.map(({ at, act }) => (
          <g key={`${act.type}${at}`} class="rv-act">
            {act.type === "outage" ? (
              <rect
                x={x(at)}
                y={SERVER - 4}
                width={Math.max(2, x(Math.min(from + span, act.until)) - x(at))}
                height={8}
              />
            ) : (
              <line x1={x(at)} x2={x(at)} y1={SERVER - 10} y2={SERVER + 10} />
            )}
            <text x={x(at) + 4} y={SERVER - 10}>
              {act.type}
            </text>
          </g>
        ))}
        {timers.map((at, i) => (
          <path key={i} class="rv-timer" d={`M${x(at) - 3} ${CLIENT - 12}h6l-3 6z`} />
        ))}
        {flights.map((flight, i) => (
          <FlightLine
            key={i}
            flight={flight}
            x={x}
            isNumbered={numbered.has(flight)}
            onOpen={() => onOpen(flight.bytes)}
          />
        ))}
        {events.map(({ at }, i) => (
          <circle key={i} class="rv-event" cx={x(at)} cy={CLIENT} r={3} />
        ))}
      </svg>
    </div>
  )
}

/** Retransmissions whose numbers have room beside each other. */
const spaced = (flights: readonly Flight[], x: (at: number) => number): ReadonlySet<Flight> => {
  let last = Number.NEGATIVE_INFINITY
  return new Set(
    flights.filter(({ from, sent, transmission }) => {
      if (from !== "client" || transmission < 2 || x(sent) - last < 12) return false
      last = x(sent)
      return true
    }),
  )
}

interface FlightLineProps {
  readonly flight: Flight
  readonly x: (at: number) => number
  readonly isNumbered: boolean
  readonly onOpen: () => void
}

const FlightLine = ({ flight, x, isNumbered, onOpen }: FlightLineProps) => {
  const { from, sent, arrived, transmission } = flight
  const [y1, y2] = from === "client" ? [CLIENT, SERVER] : [SERVER, CLIENT]
  const isLost = arrived === undefined
  const end = isLost ? [x(sent) + 4, (y1 + y2) / 2] : [x(arrived), y2]
  const name = isLost ? "rv-flight rv-lost" : flight.heldBack ? "rv-flight rv-held" : "rv-flight"
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the pointer; the log below says the same to all
    <g class={`${name} rv-from-${from}`} onClick={onOpen}>
      <line x1={x(sent)} y1={y1} x2={end[0]} y2={end[1]} />
      {isLost ? <path d={`M${end[0] - 4} ${end[1] - 4}l8 8m0-8l-8 8`} /> : <circle cx={end[0]} cy={end[1]} r={2} />}
      {isNumbered ? (
        <text x={x(sent)} y={CLIENT - 16} text-anchor="middle">
          {transmission}
        </text>
      ) : null}
    </g>
  )
}
