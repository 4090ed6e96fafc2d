import { useSignal } from "@preact/signals"
import { useCallback, useEffect, useMemo } from "preact/hooks"
import { hasRoom } from "../shell/has-room.ts"
import { lazy } from "../shell/lazy.tsx"
import type { PageState } from "../shell/page-state.ts"
import { ExchangeStory } from "./exchange-story.tsx"
import { useFilteredRows } from "./filtered-rows.ts"
import { PacketLine, secondsText } from "./packet-line.tsx"
import { useVirtualRows } from "./virtual-rows.ts"

const DriftPlot = lazy(async () => (await import("./drift-plot.tsx")).DriftPlot)
const SaveDialog = lazy(async () => (await import("./save-dialog.tsx")).SaveDialog)

const HEIGHT = 28
const PAGE = 20
/** Packets among which nobody needs a filter. */
const FEW = 5
/** Servers whose clocks are plotted. */
const MOST_SERIES = 4

/** The packets of a capture: filtered, paired by nonce, with latencies and what was found; and the epoch's drift. */
export const PacketList = ({ page }: { readonly page: PageState }) => {
  const { bench } = page
  const { capture, opened } = bench.work.value
  const text = useSignal("")
  const isReplaying = useSignal(false)
  const isSaving = useSignal(false)
  const { rows, filter, isLooking } = useFilteredRows(capture, text.value)
  const lastTime = useMemo(() => capture?.rows.findLast(({ time }) => time !== undefined)?.time, [capture])
  const { scroller, virtualizer } = useVirtualRows(rows.length, HEIGHT)
  const chosen = bench.packetIndex.value
  const at = useMemo(() => rows.findIndex(({ index }) => index === chosen), [rows, chosen])
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
  const columns = {
    "--digits": `${`${opened.packets.length}`.length}ch`,
    "--time": `${secondsText(lastTime).length}ch`,
  }
  return (
    <section class="pane packets" aria-labelledby="packets-title">
      <h2 id="packets-title">
        packets{" "}
        <span class="muted" role="status">
          {rows.length === opened.packets.length ? rows.length : `${rows.length} of ${opened.packets.length}`}
          {isLooking && ", looking"}
        </span>
      </h2>
      <div
        ref={scroller}
        class={lastTime === undefined ? "list untimed" : "list"}
        style={{ "--rows": `${rows.length + 1}`, ...columns }}
        role="grid"
        aria-label="Packets"
        aria-rowcount={rows.length + 1}
        aria-activedescendant={items.some(({ index }) => rows[index]?.index === chosen) ? `row-${chosen}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div class="line head" role="row" aria-rowindex={1}>
          {["#", "s", "dir", "what", "latency", "worst"].map((name) => (
            <span role="columnheader" key={name} class={name === "s" ? "time" : undefined}>
              {name === "dir" || name === "worst" ? <span class="hidden">{name}</span> : name}
            </span>
          ))}
        </div>
        <div class="all-lines" role="rowgroup" style={{ height: `${virtualizer.getTotalSize()}px` }}>
          {items.map(({ index, start }) => {
            const row = rows[index]
            return (
              row !== undefined && (
                <PacketLine
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
        <button
          type="button"
          aria-haspopup="dialog"
          disabled={capture === undefined}
          onClick={() => {
            isSaving.value = true
          }}
        >
          save
        </button>
        <button type="button" disabled={capture === undefined || isReplaying.value} onClick={replay}>
          replay
        </button>
      </div>
      <p id="filter-words" class="filter-words">
        {filter.unknown.length > 0 ? (
          <span class="fault">not understood: {filter.unknown.map((word) => word.text).join(", ")}</span>
        ) : (
          filter.terms.map(({ meaning }) => meaning).join(", ")
        )}
      </p>
      {capture !== undefined && (
        <details class="about" open={hasRoom()}>
          <summary>
            <h2>exchange</h2>
          </summary>
          <ExchangeStory capture={capture} chosen={chosen} onChoose={choose} />
          {capture.epochs
            .filter(({ points }) => points.length > 1)
            .slice(0, MOST_SERIES)
            .map((series) => (
              <DriftPlot
                key={`${series.protocol} ${series.server ?? ""}`}
                series={series}
                chosen={chosen}
                theme={page.theme.value}
                onChoose={choose}
              />
            ))}
        </details>
      )}
      {isSaving.value && (
        <SaveDialog
          page={page}
          rows={rows}
          onClose={() => {
            isSaving.value = false
          }}
        />
      )}
    </section>
  )
}
