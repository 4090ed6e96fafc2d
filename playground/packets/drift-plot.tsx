import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import uPlot from "uplot"
import "uplot/dist/uPlot.min.css"
import { formatAddress } from "../../core/wire/index.ts"
import type { EpochPoint, EpochSeries } from "../model/capture/index.ts"
import { secondsText } from "./packet-line.tsx"

const HEIGHT = 104
/** Points among which each is drawn as one. */
const FEW = 200
/** Losses of state that are named one by one. */
const MOST_LOSSES = 20

const nameOf = ({ server, protocol }: EpochSeries): string =>
  `${protocol} server${server === undefined ? "" : ` ${formatAddress(server)}`}`

/** A colour as the theme has it now: a canvas knows nothing of CSS variables. */
const colourIn = (box: HTMLElement, name: string): string => {
  const probe = document.createElement("i")
  probe.style.color = `var(${name})`
  box.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** Of a step by keys: where it leads from point `at`. */
const STEPS: Readonly<Record<string, (points: readonly EpochPoint[], at: number) => number>> = {
  ArrowRight: (_, at) => at + 1,
  ArrowUp: (_, at) => at + 1,
  ArrowLeft: (_, at) => at - 1,
  ArrowDown: (_, at) => at - 1,
  Home: () => 0,
  End: (points) => points.length - 1,
  PageDown: (points, at) => {
    const next = points.findIndex(({ valid }, i) => i > at && !valid)
    return next < 0 ? at : next
  },
  PageUp: (points, at) => {
    const before = points.findLastIndex(({ valid }, i) => i < at && !valid)
    return before < 0 ? at : before
  },
}

interface DriftProps {
  readonly series: EpochSeries
  /** Place of the packet that is looked at. */
  readonly chosen: number
  /** Redrawn when it changes. */
  readonly theme: string
  readonly onChoose: (row: number) => void
}

/** A server's clock against the capture's: a line that begins anew shows a restart, one that leans a clock that is wrong. */
export const DriftPlot = ({ series, chosen, theme, onChoose }: DriftProps) => {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const systemTheme = useSignal("")
  const { points, losses } = series
  const own = points.findIndex(({ row }) => row === chosen)

  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)")
    const change = (): void => {
      systemTheme.value = query.matches ? "dark" : "light"
    }
    query.addEventListener("change", change)
    return () => query.removeEventListener("change", change)
  }, [systemTheme])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the themes are not read, but say what the colours are now
  useEffect(() => {
    const box = place.current
    if (box === null) return
    const axis = {
      stroke: colourIn(box, "--muted"),
      grid: { stroke: colourIn(box, "--line"), width: 1 },
      ticks: { show: false },
    }
    const lost = points.map(({ drift, valid }) => (valid ? null : drift))
    const made = new uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT,
        // A drift of nothing is a line in the middle, not noise over the whole height.
        scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(low, -1), Math.max(high, 1)] } },
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false, click: () => undefined } },
        axes: [
          { ...axis, size: 28, space: 64, values: (_, splits) => splits.map((value) => `${value} s`) },
          { ...axis, size: 52, values: (_, splits) => splits.map((value) => `${value} s`) },
        ],
        series: [
          {},
          {
            stroke: colourIn(box, "--class-lifetime"),
            width: 1.5,
            points: { show: points.length <= FEW, size: 5 },
          },
          {
            stroke: colourIn(box, "--error"),
            width: 0,
            points: { show: true, size: 9, width: 2, stroke: colourIn(box, "--error") },
          },
        ],
        hooks: {
          ready: [
            (ready) =>
              ready.over.addEventListener("click", ({ offsetX }) => onChoose(points[ready.posToIdx(offsetX)].row)),
          ],
        },
      },
      [points.map(({ time }) => time / 1000), points.map(({ drift }) => drift), lost],
      box,
    )
    plot.current = made
    const watcher = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT }))
    watcher.observe(box)
    return () => {
      watcher.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [points, onChoose, theme, systemTheme.value])

  useEffect(() => {
    const point = points[own]
    if (plot.current === undefined || point === undefined) return
    plot.current.setCursor({ left: plot.current.valToPos(point.time / 1000, "x"), top: 0 }, false)
  }, [own, points])

  const drifts = points.map(({ drift }) => drift)
  const most = drifts.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
  const lossRows = points.filter(({ valid }) => !valid).slice(0, MOST_LOSSES)
  const at = Math.max(0, own)
  const words = ({ row, time, epoch, drift, valid }: EpochPoint): string =>
    `packet ${row + 1} at ${secondsText(time)} s: epoch time ${epoch} s, drift ${drift.toFixed(1)} s${valid ? "" : ", state lost"}`
  return (
    <figure class="drift">
      <figcaption>
        {nameOf(series)}: {points.length} epoch times, drift at most {most.toFixed(1)}&nbsp;s
        {losses > 0 && (
          <>
            , <b>state lost {losses === 1 ? "once" : `${losses} times`}</b>, at
            {lossRows.map(({ row }) => (
              <button
                key={row}
                type="button"
                class="quiet"
                aria-label={`Go to packet ${row + 1}, state lost`}
                onClick={() => onChoose(row)}
              >
                #{row + 1}
              </button>
            ))}
            {losses > MOST_LOSSES && "…"}
          </>
        )}
      </figcaption>
      <div
        ref={place}
        role="slider"
        tabIndex={0}
        aria-label={`Drift of the ${nameOf(series)}`}
        aria-valuemin={1}
        aria-valuemax={points.length}
        aria-valuenow={at + 1}
        aria-valuetext={own < 0 ? "none of its packets is chosen" : words(points[own])}
        onKeyDown={(event) => {
          const step = STEPS[event.key]
          if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return
          const to = own < 0 && event.key.startsWith("Arrow") ? 0 : step(points, own)
          onChoose(points[Math.max(0, Math.min(points.length - 1, to))].row)
          event.preventDefault()
        }}
      />
      <p class="muted">{own < 0 ? "arrow keys or a click choose a packet" : words(points[own])}</p>
    </figure>
  )
}
