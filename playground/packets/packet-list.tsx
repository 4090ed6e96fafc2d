import { useSignal } from "@preact/signals"
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks"
import { SEVERITY_SIGNS } from "../inspector/findings-view.tsx"
import { type Exchange, type Row, readFilter, summaryOf } from "../model/capture/index.ts"
import { lazy } from "../shell/lazy.tsx"
import type { PageState } from "../shell/page-state.ts"
import { useVirtualRows } from "./virtual-rows.ts"

const DriftPlot = lazy(async () => (await import("./drift-plot.tsx")).DriftPlot)

const HEIGHT = 28
const PAGE = 20
/** Packets among which nobody needs a filter. */
const FEW = 5

const secondsText = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? "" : (milliseconds / 1000).toFixed(3)

const latencyText = (row: Row, exchange: Exchange | undefined): string => {
  if (exchange === undefined) return row.part === "unsolicited" ? "unasked" : ""
  if (row.part === "retransmission") return `again, #${exchange.requests.indexOf(row.index) + 1}`
  if (row.part === "repeated answer") return "repeated"
  if (row.part === "request") return exchange.answers.length === 0 ? "no answer" : ""
  const { latency } = exchange
  return latency === undefined ? "" : latency < 10 ? `${latency.toFixed(1)} ms` : `${Math.round(latency)} ms`
}

interface LineProps {
  readonly row: Row
  readonly exchange: Exchange | undefined
  readonly isChosen: boolean
  readonly isPartner: boolean
  readonly place: number
  readonly top: number
  readonly onClick: () => void
}

const Line = ({ row, exchange, isChosen, isPartner, place, top, onClick }: LineProps) => (
  <div
    role="row"
    id={`row-${row.index}`}
    class={`line${isChosen ? " chosen" : ""}${isPartner ? " partner" : ""}`}
    aria-rowindex={place + 2}
    aria-selected={isChosen}
    tabIndex={-1}
    style={{ transform: `translateY(${top}px)` }}
    onClick={onClick}
  >
    <span role="gridcell">{row.index + 1}</span>
    <span role="gridcell">{secondsText(row.time)}</span>
    <span role="gridcell" aria-label={row.facts.response ? "answer" : "request"}>
      {row.facts.response ? "◀" : "▶"}
    </span>
    <span role="gridcell" class="summary">
      {summaryOf(row.facts)}
    </span>
    <span role="gridcell" class="latency">
      {latencyText(row, exchange)}
    </span>
    <span role="gridcell" data-severity={row.worst} aria-label={row.worst ?? "no findings"}>
      {row.worst === undefined ? "" : SEVERITY_SIGNS[row.worst]}
    </span>
  </div>
)

/** The packets of a capture: filtered, paired by nonce, with latencies and what was found; and the epoch's drift. */
export const PacketList = ({ page }: { readonly page: PageState }) => {
  const { bench } = page
  const { capture, opened } = bench.work.value
  const text = useSignal("")
  const isReplaying = useSignal(false)
  const list = useRef<HTMLDivElement>(null)
  const filter = useMemo(() => readFilter(text.value, capture?.exchanges), [text.value, capture])
  const rows = useMemo(
    () => (text.value.trim() === "" ? (capture?.rows ?? []) : (capture?.rows.filter(filter.test) ?? [])),
    [capture, filter, text.value],
  )
  const isTimed = useMemo(() => capture?.rows.some(({ time }) => time !== undefined) ?? false, [capture])
  const { scroller, virtualizer } = useVirtualRows(rows.length, HEIGHT)
  const chosen = bench.packetIndex.value
  const at = rows.findIndex(({ index }) => index === chosen)
  const exchange = capture?.rows[chosen]?.exchange ?? -1
  const items = virtualizer.getVirtualItems()

  useEffect(() => {
    if (at >= 0) virtualizer.scrollToIndex(at, { align: "auto" })
  }, [at, virtualizer])

  const choose = useCallback((row: number) => bench.choosePacket(row), [bench])
  const STEPS: Readonly<Record<string, (place: number) => number>> = {
    ArrowDown: (place) => place + 1,
    ArrowUp: (place) => place - 1,
    PageDown: (place) => place + PAGE,
    PageUp: (place) => place - PAGE,
    Home: () => 0,
    End: () => rows.length - 1,
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key]
    if (step === undefined || event.ctrlKey || event.metaKey || rows.length === 0) return
    const to = rows[Math.max(0, Math.min(rows.length - 1, step(at)))]
    bench.choosePacket(to.index)
    event.preventDefault()
  }
  const replay = async (): Promise<void> => {
    if (capture === undefined) return
    isReplaying.value = true
    const { sessionFromCapture } = await import("../model/session/index.ts")
    const made = sessionFromCapture(capture, bench.work.value.title)
    isReplaying.value = false
    page.session.value = made.session
    page.mode.value = "replay"
  }
  return (
    <section class="pane packets" aria-labelledby="packets-title">
      <h2 id="packets-title">
        packets{" "}
        <span class="muted">
          {rows.length === opened.packets.length ? rows.length : `${rows.length} of ${opened.packets.length}`}
        </span>
      </h2>
      <div
        ref={(element) => {
          scroller.current = element
          list.current = element
        }}
        class={isTimed ? "list" : "list untimed"}
        style={{ "--rows": `${rows.length + 1}` }}
        role="grid"
        aria-label="Packets"
        aria-rowcount={rows.length + 1}
        aria-activedescendant={items.some(({ index }) => rows[index]?.index === chosen) ? `row-${chosen}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div class="line head" role="row" aria-rowindex={1}>
          {["#", "s", "dir", "what", "latency", "worst"].map((name) => (
            <span role="columnheader" key={name}>
              {name === "dir" || name === "worst" ? <span class="hidden">{name}</span> : name}
            </span>
          ))}
        </div>
        <div class="all-lines" role="rowgroup" style={{ height: `${virtualizer.getTotalSize()}px` }}>
          {items.map(({ index, start }) => {
            const row = rows[index]
            return (
              row !== undefined && (
                <Line
                  key={row.index}
                  row={row}
                  exchange={capture?.exchanges[row.exchange]}
                  isChosen={row.index === chosen}
                  isPartner={exchange >= 0 && row.exchange === exchange && row.index !== chosen}
                  place={index}
                  top={start}
                  onClick={() => bench.choosePacket(row.index)}
                />
              )
            )
          })}
        </div>
      </div>
      <div class="list-tools">
        {opened.packets.length > FEW && (
          <input
            type="search"
            aria-label="Filter packets"
            placeholder="filter: map refused 10.0.0.1"
            spellcheck={false}
            value={text.value}
            aria-describedby="filter-words"
            onInput={(event) => {
              text.value = event.currentTarget.value
            }}
          />
        )}
        <button type="button" disabled={capture === undefined || isReplaying.value} onClick={replay}>
          replay them
        </button>
      </div>
      <p id="filter-words" class="filter-words">
        {filter.unknown.length > 0 ? (
          <span class="fault">not understood: {filter.unknown.map((word) => word.text).join(", ")}</span>
        ) : (
          filter.terms.map(({ meaning }) => meaning).join(", ")
        )}
      </p>
      {capture?.epochs
        .filter(({ points }) => points.length > 1)
        .slice(0, 4)
        .map((series, i) => (
          <DriftPlot key={i} series={series} onChoose={choose} />
        ))}
    </section>
  )
}
