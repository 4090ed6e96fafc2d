import { useEffect, useRef } from "preact/hooks"
import uPlot from "uplot"
import "uplot/dist/uPlot.min.css"
import { formatAddress } from "../../core/wire/index.ts"
import type { EpochSeries } from "../model/capture/index.ts"

const HEIGHT = 120

const nameOf = ({ server, protocol }: EpochSeries): string =>
  `${protocol} server${server === undefined ? "" : ` ${formatAddress(server)}`}`

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** A server's clock against the capture's: a line that falls shows a restart, one that leans a clock that is wrong. */
export const DriftPlot = ({
  series,
  onChoose,
}: {
  readonly series: EpochSeries
  readonly onChoose: (row: number) => void
}) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const box = place.current
    if (box === null) return
    const { points } = series
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } }
    const plot = new uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false } },
        legend: { show: false },
        cursor: { y: false, points: { size: 7 } },
        axes: [
          { ...axis, values: (_, splits) => splits.map((value) => `${value} s`) },
          { ...axis, size: 44, values: (_, splits) => splits.map((value) => `${value}`) },
        ],
        series: [
          {},
          {
            stroke: colour("--class-lifetime"),
            width: 1.5,
            points: {
              show: true,
              size: 5,
              filter: (_plot, _series, _show, gaps) => (gaps === null && points.length > 200 ? [] : null),
            },
          },
        ],
        hooks: {
          ready: [
            (made) =>
              made.over.addEventListener("click", () => {
                const at = made.cursor.idx
                if (at !== undefined && at !== null) onChoose(points[at].row)
              }),
          ],
        },
      },
      [points.map(({ time }) => time / 1000), points.map(({ drift }) => drift)],
      box,
    )
    const watcher = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT }))
    watcher.observe(box)
    return () => {
      watcher.disconnect()
      plot.destroy()
    }
  }, [series, onChoose])
  const { points, losses } = series
  const drifts = points.map(({ drift }) => drift)
  const most = drifts.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
  return (
    <figure class="drift">
      <figcaption>
        {nameOf(series)}: {points.length} epoch times, drift at most {most.toFixed(1)} s
        {losses > 0 && <b>, state lost {losses === 1 ? "once" : `${losses} times`}</b>}
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  )
}
