import { useMemo } from "preact/hooks"
import { type Address, formatAddress } from "../../core/wire/index.ts"
import type { Story } from "../model/replay/index.ts"
import { clockText } from "./clock.ts"
import type { Selection, Stage } from "./room.ts"
import {
  type Arrow,
  arrowOf,
  countUntil,
  type Post,
  postsOf,
  type SequenceLine,
  sequenceLines,
} from "./sequence-line.ts"
import { useVirtualWindow } from "./virtual-window.ts"

const ROW = 30
const NARROW = 560

interface Lanes {
  readonly inside: readonly Address[]
  readonly outside: readonly Address[]
  /** Percents of the diagram's width. */
  readonly x: (post: Post) => number
  readonly cgn: number
}

const lanesOf = (replay: Story, width: number): Lanes => {
  const most = width < NARROW ? 1 : width < 900 ? 3 : 5
  const inside = postsOf(replay, "inside", most)
  const outside = postsOf(replay, "outside", most)
  const gap = width < NARROW ? 0 : 4
  const cgn = outside.length === 0 ? 92 : width < NARROW ? 50 : 50 + 2 * (inside.length - outside.length)
  const place = (all: readonly Address[], address: Address | undefined): number => {
    const found = address === undefined ? -1 : all.indexOf(address)
    return found < 0 ? Math.max(0, all.length - 1) : found
  }
  const x = (post: Post): number => {
    if (post === undefined) return cgn
    return post.side === "inside" ? 3 + gap * place(inside, post.address) : 97 - gap * place(outside, post.address)
  }
  return { inside, outside, x, cgn }
}

/** Clients, CGN and remote peers, and what went between them; past the instant that is looked at it is faint. */
export const Sequence = ({ room }: { readonly room: Stage }) => {
  const replay = room.replay.value
  const view = room.view.value
  const lines = replay === undefined ? [] : sequenceLines(replay)
  const place = view?.moment ?? 0
  const past = useMemo(() => countUntil(lines, place), [lines, place])
  const { ref, width, first, last, onScroll } = useVirtualWindow(lines.length, ROW, past)
  const lanes = useMemo(() => (replay === undefined ? undefined : lanesOf(replay, width)), [replay, width])
  const selection = room.selection.value
  const chosen = selection === undefined ? past - 1 : lines.findIndex((line) => isSame(line, selection))
  if (replay === undefined || lanes === undefined) return null
  const choose = (at: number): void => {
    const line = lines[Math.min(lines.length - 1, Math.max(0, at))]
    if (line === undefined) return
    room.playing.value = false
    room.goTo(replay.moments[line.moment].at)
    room.selection.value = line
  }
  if (lines.length === 0)
    return (
      <section class="rv-sequence" aria-label="sequence">
        <p class="rv-quiet">Nothing happens in this session. “+ try a packet here” makes something happen.</p>
      </section>
    )
  const names = Math.max(lanes.inside.length, lanes.outside.length, 1)
  return (
    <section class={width < NARROW ? "rv-sequence rv-is-narrow" : "rv-sequence"} aria-label="sequence">
      <div class="rv-lanes" style={{ height: `${names * 18 + 22}px` }} aria-hidden="true">
        <div class="rv-area">
          <span class="rv-side" style={{ left: "0" }}>
            inside
          </span>
          <span class="rv-side rv-middle" style={{ left: `${lanes.cgn}%` }}>
            CGN
          </span>
          {lanes.outside.length === 0 ? null : (
            <span class="rv-side rv-right" style={{ right: "0" }}>
              outside
            </span>
          )}
          {lanes.inside.map((address, i) => (
            <span
              key={address}
              class="rv-lane rv-mono"
              style={{ left: `${lanes.x({ side: "inside", address })}%`, top: `${20 + i * 18}px` }}
            >
              {formatAddress(address)}
            </span>
          ))}
          {lanes.outside.map((address, i) => (
            <span
              key={address}
              class="rv-lane rv-right rv-mono"
              style={{ right: `${100 - lanes.x({ side: "outside", address })}%`, top: `${20 + i * 18}px` }}
            >
              {formatAddress(address)}
            </span>
          ))}
        </div>
      </div>
      <div
        ref={ref}
        class="rv-rows"
        role="listbox"
        tabIndex={0}
        aria-label={`what happened, ${lines.length} rows`}
        aria-activedescendant={chosen >= first && chosen < last ? `rv-row-${chosen}` : undefined}
        onScroll={onScroll}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key]
          if (step === undefined) return
          event.preventDefault()
          choose(chosen + step)
        }}
      >
        <div class="rv-sheet" role="presentation" style={{ height: `${Math.max(lines.length, 1) * ROW}px` }}>
          <div class="rv-area" role="presentation" aria-hidden="true">
            {[
              ...lanes.inside.map((address) => lanes.x({ side: "inside", address })),
              lanes.cgn,
              ...lanes.outside.map((address) => lanes.x({ side: "outside", address })),
            ].map((x) => (
              <i key={x} class={x === lanes.cgn ? "rv-life rv-cgn" : "rv-life"} style={{ left: `${x}%` }} />
            ))}
          </div>
          {lines.slice(first, last).map((line, i) => (
            <Row
              key={first + i}
              id={first + i}
              count={lines.length}
              at={replay.moments[line.moment].at}
              isFirst={lines[first + i - 1]?.moment !== line.moment}
              arrow={arrowOf(replay, line)}
              lanes={lanes}
              isFuture={first + i >= past}
              isChosen={first + i === chosen}
              onChoose={() => choose(first + i)}
            />
          ))}
          <div class="rv-now-line" role="presentation" style={{ top: `${past * ROW}px` }} />
        </div>
      </div>
    </section>
  )
}

const isSame = (line: SequenceLine, { moment, part, index }: Selection): boolean =>
  line.moment === moment && line.part === part && line.index === index

interface RowProps {
  readonly id: number
  readonly count: number
  readonly at: number
  readonly isFirst: boolean
  readonly arrow: Arrow
  readonly lanes: Lanes
  readonly isFuture: boolean
  readonly isChosen: boolean
  readonly onChoose: () => void
}

const Row = ({ id, count, at, isFirst, arrow, lanes, isFuture, isChosen, onChoose }: RowProps) => {
  const { from, to, tokens, style, mark, isFinding } = arrow
  const text = tokens
    .map((token) => token.text)
    .join(" ")
    .replaceAll(" :", ":")
  const isNote = from === undefined && to === undefined
  const [a, b] = [lanes.x(from), lanes.x(to)]
  const side = (from ?? to)?.side ?? "inside"
  const inner =
    side === "inside" ? Math.max(...lanes.inside.map((address) => lanes.x({ side, address })), 3) : lanes.cgn
  const outer =
    side === "inside" ? lanes.cgn : Math.min(...lanes.outside.map((address) => lanes.x({ side, address })), 97)
  const names = [
    "rv-row",
    `rv-as-${style}`,
    isFuture ? "rv-future" : "",
    isChosen ? "rv-chosen" : "",
    isFinding ? "rv-finding" : "",
  ]
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list box has the keys, and its active option is this
    <div
      id={`rv-row-${id}`}
      role="option"
      tabIndex={-1}
      aria-selected={isChosen}
      aria-setsize={count}
      aria-posinset={id + 1}
      class={names.filter((name) => name !== "").join(" ")}
      style={{ top: `${id * ROW}px` }}
      onClick={onChoose}
    >
      <span class={isFirst ? "rv-time rv-mono" : "rv-unseen"}>{clockText(at)} </span>
      <span class="rv-unseen">{directionWords(arrow)}</span>
      <div class="rv-area">
        {isNote ? (
          <span class="rv-note" style={noteStyle(lanes)}>
            <span class="rv-text">{text}</span>
            {mark === undefined ? null : <small>{mark}</small>}
          </span>
        ) : (
          <>
            <i
              class={b > a ? "rv-arrow rv-to-right" : "rv-arrow rv-to-left"}
              style={{ left: `${Math.min(a, b)}%`, width: `${Math.abs(b - a)}%` }}
            />
            <span
              class={`rv-label rv-label-${side}`}
              style={{ left: `${inner}%`, width: `${outer - inner}%` }}
              title={text}
            >
              <span class="rv-text">
                {tokens.map((token, i) => [
                  i === 0 || token.text.startsWith(":") ? "" : " ",
                  <span
                    key={`${i} ${token.text}`}
                    class={token.class === "plain" ? "" : "rv-t"}
                    data-class={token.class === "plain" ? undefined : token.class}
                  >
                    {token.text}
                  </span>,
                ])}
                {mark === undefined ? null : <small> {mark}</small>}
              </span>
            </span>
          </>
        )}
      </div>
    </div>
  )
}

/** Notes stand at the CGN's lifeline, where there is room for them. */
const noteStyle = ({ cgn, outside }: Lanes) =>
  outside.length === 0
    ? { right: `${100 - cgn}%`, maxWidth: `${cgn}%` }
    : { left: `${cgn}%`, transform: "translateX(-50%)" }

const directionWords = ({ from, to }: Arrow): string => {
  const name = (post: Post): string =>
    post?.address === undefined ? (post?.side ?? "CGN") : formatAddress(post.address)
  return from === undefined && to === undefined ? "" : `${name(from)} to ${name(to)}: `
}
