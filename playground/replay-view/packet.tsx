import { useMemo } from "preact/hooks"
import { type Inspection, inspect } from "../model/inspect/index.ts"
import type { Story, Verdict } from "../model/replay/index.ts"
import { clockText } from "./clock.ts"
import type { Selection, Stage } from "./room.ts"
import { arrowOf, comparisonOf, countUntil, sequenceLines } from "./sequence-line.ts"
import { Twins } from "./twins.tsx"

/** The row that is looked at: the one chosen, or else the last that has happened. */
export const lookedAt = (replay: Story, moment: number, chosen: Selection | undefined): Selection | undefined => {
  if (chosen !== undefined) return chosen
  const lines = sequenceLines(replay)
  return lines[countUntil(lines, moment) - 1]
}

/** The chosen packet: its fields, what is wrong with it, what became of it, and how the captured answer differs. */
export const SelectedPacket = ({
  room,
  onOpen,
}: {
  readonly room: Stage
  readonly onOpen: (bytes: Uint8Array) => void
}) => {
  const replay = room.replay.value
  const place = room.view.value?.moment ?? 0
  const selected = replay && lookedAt(replay, place, room.selection.value)
  const moment = selected && replay?.moments[selected.moment]
  if (replay === undefined || selected === undefined || moment === undefined)
    return <p class="rv-quiet">choose a row of the sequence</p>
  const arrow = arrowOf(replay, selected)
  const isDatagram = arrow.style === "pcp" || arrow.style === "captured"
  const { verdict } = moment
  const comparison = selected.part === "ours" || selected.part === "captured" ? comparisonOf(moment) : undefined
  return (
    <div class="rv-packet">
      {comparison !== undefined ? (
        <>
          <div class="rv-packet-head">
            <strong>{comparison.captured && inspect(comparison.captured).title}</strong>
            <span class="rv-quiet rv-mono">{clockText(moment.at)}</span>
          </div>
          <Twins comparison={comparison} dropped={moment.dropped} onOpen={onOpen} />
        </>
      ) : isDatagram && arrow.bytes !== undefined ? (
        <Tree bytes={arrow.bytes} at={moment.at} onOpen={onOpen} />
      ) : verdict === undefined ? (
        <p>{arrow.tokens.map(({ text }) => text).join(" ")}</p>
      ) : null}
      {verdict === undefined ? null : <VerdictLines verdict={verdict} />}
    </div>
  )
}

const VERDICTS: Readonly<Record<Verdict["kind"], string>> = {
  translated: "translated",
  passed: "passes as it is",
  hairpinned: "hairpinned",
  filtered: "filtered",
  dropped: "dropped",
  returned: "dropped, and its sender is told",
  kept: "kept until its fragments are together",
}

export const VerdictLines = ({ verdict }: { readonly verdict: Verdict }) => (
  <div class="rv-verdict">
    <p>
      <strong>{VERDICTS[verdict.kind]}</strong>
      {verdict.clause === undefined ? null : <span class="rv-quiet"> {verdict.clause}</span>}
    </p>
    <p class="rv-mono">{verdict.text}</p>
  </div>
)

interface TreeProps {
  readonly bytes: Uint8Array
  readonly at: number
  readonly onOpen: (bytes: Uint8Array) => void
}

const Tree = ({ bytes, at, onOpen }: TreeProps) => {
  const inspection: Inspection = useMemo(() => inspect(bytes), [bytes])
  return (
    <>
      <div class="rv-packet-head">
        <strong>{inspection.title}</strong>
        <span class="rv-quiet rv-mono">{clockText(at)}</span>
        <button type="button" onClick={() => onOpen(bytes)}>
          open in Inspect
        </button>
      </div>
      <ul class="rv-fields-list">
        {inspection.fields.slice(1).map(({ id, depth, name, text, class: own, children }) => (
          <li
            key={id}
            class={children.length > 0 ? "rv-group" : "rv-leaf"}
            style={{ paddingInlineStart: `${depth * 12}px` }}
          >
            <span>
              {children.length > 0 ? null : <span class="swatch" data-class={own} />}
              {name}
            </span>
            {children.length > 0 ? null : <span class="rv-mono">{text}</span>}
          </li>
        ))}
      </ul>
      {inspection.findings.length === 0 ? null : (
        <ul class="rv-findings">
          {inspection.findings.map(({ severity, why, clause }) => (
            <li key={`${clause.text}${why}`}>
              <strong>{severity}</strong> {why} <span class="rv-quiet">{clause.text}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
