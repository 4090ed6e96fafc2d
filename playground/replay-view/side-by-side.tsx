import { useMemo } from "preact/hooks"
import { alignFutures, type MomentPair, type Replay } from "../model/replay/index.ts"
import type { Branch } from "./branch.ts"
import { clockText } from "./clock.ts"
import type { Room } from "./room.ts"
import { type Arrow, arrowOf, linesOf, type SequenceLine } from "./sequence-line.ts"
import { useVirtualWindow } from "./virtual-window.ts"

const ROW = 24

interface PairLine {
  readonly at: number
  readonly isFirst: boolean
  readonly state: MomentPair["state"]
  readonly left: SequenceLine | undefined
  readonly right: SequenceLine | undefined
}

const MARKS: Readonly<Record<MomentPair["state"], string>> = {
  shared: "",
  same: "=",
  different: "≠",
  left: "◂",
  right: "▸",
}
const MARK_WORDS: Readonly<Record<MomentPair["state"], string>> = {
  shared: "before they part",
  same: "the same",
  different: "otherwise",
  left: "only on the left",
  right: "only on the right",
}

const pairLines = (left: Replay, right: Replay): readonly PairLine[] =>
  alignFutures(left, right).flatMap((pair) => {
    const own = pair.left === undefined ? [] : linesOf(left.moments[pair.left], pair.left)
    const other = pair.right === undefined ? [] : linesOf(right.moments[pair.right], pair.right)
    return Array.from({ length: Math.max(own.length, other.length) }, (_, i) => ({
      at: pair.at,
      isFirst: i === 0,
      state: pair.state,
      left: own[i],
      right: other[i],
    }))
  })

/** Rows until an instant. */
const countUntil = (lines: readonly PairLine[], at: number): number => {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (lines[middle].at <= at) low = middle + 1
    else high = middle
  }
  return low
}

interface SideBySideProps {
  readonly room: Room
  readonly left: Branch
  readonly right: Branch
}

/** What happened in two futures, row by row, each beside its twin; an instant is a button that goes there. */
export const SideBySide = ({ room, left, right }: SideBySideProps) => {
  const lines = useMemo(() => pairLines(left.replay, right.replay), [left.replay, right.replay])
  const past = countUntil(lines, room.now.value)
  const { ref, first, last, onScroll } = useVirtualWindow(lines.length, ROW, past)
  return (
    <div class="rv-pair" role="table" aria-label="what happened in both" aria-rowcount={lines.length + 1}>
      <div class="rv-pair-row rv-pair-head" role="row" aria-rowindex={1}>
        <span role="columnheader">at</span>
        <span role="columnheader">{left.name}</span>
        <span role="columnheader">
          <span class="rv-unseen">which is</span>
        </span>
        <span role="columnheader">{right.name}</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <div ref={ref} class="rv-pair-rows" role="rowgroup" tabIndex={0} onScroll={onScroll}>
        <div class="rv-sheet" role="presentation" style={{ height: `${lines.length * ROW}px` }}>
          {lines.slice(first, last).map((line, i) => (
            <div
              key={first + i}
              role="row"
              aria-rowindex={first + i + 2}
              class={`rv-pair-row rv-pair-${line.state}${first + i >= past ? " rv-future" : ""}`}
              style={{ top: `${(first + i) * ROW}px` }}
            >
              <span role="cell">
                {line.isFirst ? (
                  <button type="button" class="rv-plain rv-mono" tabIndex={-1} onClick={() => room.goTo(line.at)}>
                    {clockText(line.at)}
                  </button>
                ) : null}
              </span>
              <Cell replay={left.replay} line={line.left} />
              <span role="cell" class="rv-pair-mark">
                <span aria-hidden="true">{MARKS[line.state]}</span>
                <span class="rv-unseen">{MARK_WORDS[line.state]}</span>
              </span>
              <Cell replay={right.replay} line={line.right} />
            </div>
          ))}
          <div class="rv-now-line" role="presentation" style={{ top: `${past * ROW}px` }} />
        </div>
      </div>
    </div>
  )
}

const Cell = ({ replay, line }: { readonly replay: Replay; readonly line: SequenceLine | undefined }) => {
  if (line === undefined) return <span role="cell" />
  const arrow = arrowOf(replay, line)
  const text = arrow.tokens.map((token) => token.text).join(" ")
  return (
    <span role="cell" class="rv-pair-cell" title={`${text}${arrow.mark === undefined ? "" : `, ${arrow.mark}`}`}>
      <span aria-hidden="true" class="rv-pair-way">
        {wayOf(arrow)}
      </span>{" "}
      {text}
      {arrow.mark === undefined ? null : <small> {arrow.mark}</small>}
    </span>
  )
}

/** Inside is on the left and outside on the right, as in the sequence. */
const wayOf = ({ from, to, style }: Arrow): string => {
  if (from === undefined && to === undefined) return style === "stopped" ? "×" : "·"
  const isRight = from === undefined ? to?.side === "outside" : from.side === "inside"
  return isRight ? "→" : "←"
}
