import { useMemo, useState } from "preact/hooks"
import { compareFutures, type FutureDifference, type MappingRow, viewAt } from "../model/replay/index.ts"
import type { Branch } from "./branch.ts"
import { clockText, leftText } from "./clock.ts"
import type { Room } from "./room.ts"
import { comparisonOf } from "./sequence-line.ts"
import { SideBySide } from "./side-by-side.tsx"

/** Moments whose captured answers are looked at: each takes both packets apart. */
const LOOKED_AT = 3000
const LISTED = 200

/** Two futures side by side, and captured answers beside ours. */
export const Futures = ({ room }: { readonly room: Room }) => {
  const branches = room.branches.value
  const current = room.branch.value
  const [leftId, setLeft] = useState<number | undefined>(undefined)
  const [rightId, setRight] = useState<number | undefined>(undefined)
  const right = branches.find(({ id }) => id === rightId) ?? (current?.id === 0 ? branches.at(-1) : current)
  const left =
    branches.find(({ id }) => id === leftId) ?? branches.find(({ id }) => id === (right?.attempt?.parent ?? 0))
  return (
    <section class="rv-futures" aria-label="comparison">
      <h3>two futures</h3>
      {branches.length < 2 || left === undefined || right === undefined ? (
        <p class="rv-quiet">
          There is one future so far. “+ try a packet here” makes another at the instant you look at.
        </p>
      ) : (
        <>
          <div class="rv-row-of-controls">
            <BranchChoice label="left" branches={branches} value={left.id} onChoose={setLeft} />
            <BranchChoice label="right" branches={branches} value={right.id} onChoose={setRight} />
          </div>
          <Pair room={room} left={left} right={right} />
        </>
      )}
      <CapturedAnswers room={room} />
    </section>
  )
}

interface BranchChoiceProps {
  readonly label: string
  readonly branches: readonly Branch[]
  readonly value: number
  readonly onChoose: (id: number) => void
}

const BranchChoice = ({ label, branches, value, onChoose }: BranchChoiceProps) => (
  <label class="rv-field">
    <span>{label}</span>
    <select value={`${value}`} onChange={(event) => onChoose(Number(event.currentTarget.value))}>
      {branches.map(({ id, name }) => (
        <option key={id} value={`${id}`}>
          {name}
        </option>
      ))}
    </select>
  </label>
)

const Pair = ({ room, left, right }: { readonly room: Room; readonly left: Branch; readonly right: Branch }) => {
  const differences = useMemo(() => compareFutures(left.replay, right.replay), [left.replay, right.replay])
  const at = room.view.value?.at ?? 0
  const views = useMemo(
    () => [viewAt(left.replay, at).mappings, viewAt(right.replay, at).mappings] as const,
    [left.replay, right.replay, at],
  )
  return (
    <>
      <p role="status">
        {differences.length === 0
          ? "Both go the same way."
          : `${differences.length} ${differences.length === 1 ? "difference" : "differences"}.`}
      </p>
      <SideBySide room={room} left={left} right={right} />
      <FutureList differences={differences.slice(0, LISTED)} left={left.name} right={right.name} onGo={room.goTo} />
      {differences.length > LISTED ? <p class="rv-quiet">and {differences.length - LISTED} more</p> : null}
      <h3>
        mappings at <span class="rv-mono">{clockText(at)}</span>
      </h3>
      <div class="rv-side-by-side">
        <MappingColumn name={left.name} own={views[0]} other={views[1]} />
        <MappingColumn name={right.name} own={views[1]} other={views[0]} />
      </div>
    </>
  )
}

interface MappingColumnProps {
  readonly name: string
  readonly own: readonly MappingRow[]
  readonly other: readonly MappingRow[]
}

const MappingColumn = ({ name, own, other }: MappingColumnProps) => {
  const others = new Map(other.map((row) => [row.key, row]))
  return (
    <section aria-label={`mappings of ${name}`}>
      <h4>{name}</h4>
      {own.length === 0 ? <p class="rv-quiet">none</p> : null}
      <ul class="rv-plain-list">
        {own.slice(0, 100).map(({ key, text, left, mapping }) => {
          const twin = others.get(key)
          const mark =
            twin === undefined
              ? "only here"
              : twin.text !== text || twin.mapping.expires !== mapping.expires
                ? "otherwise there"
                : ""
          return (
            <li key={key} class={mark === "" ? "" : "rv-marked"}>
              <span class="rv-mono">{text}</span>{" "}
              <span class="rv-quiet">
                <span class="rv-mono">{leftText(left)}</span>
                {mark === "" ? "" : ` · ${mark}`}
              </span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

interface FutureListProps {
  readonly differences: readonly FutureDifference[]
  readonly left: string
  readonly right: string
  readonly onGo: (at: number) => void
}

/** Differences as a table; an instant is a button that goes there. */
export const FutureList = ({ differences, left, right, onGo }: FutureListProps) =>
  differences.length === 0 ? null : (
    <table class="rv-table rv-differences">
      <thead>
        <tr>
          <th scope="col">at</th>
          <th scope="col">in</th>
          <th scope="col">what</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ at, side, text, kind, fields }, i) => (
          <tr key={i}>
            <td>
              <button type="button" class="rv-plain rv-mono" onClick={() => onGo(at)}>
                {clockText(at)}
              </button>
            </td>
            <td>{{ left: `only ${left}`, right: `only ${right}`, both: "both, otherwise" }[side]}</td>
            <td>
              {kind === "answer" && fields.length > 0
                ? fields.map(({ path, left: one, right: other }) => (
                    <div key={path}>
                      {path}: <span class="rv-mono">{one?.text ?? "none"}</span> ·{" "}
                      <span class="rv-mono">{other?.text ?? "none"}</span>
                    </div>
                  ))
                : text}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )

/** Captured answers that ours differs from, and how many there are. */
const CapturedAnswers = ({ room }: { readonly room: Room }) => {
  const replay = room.branches.value[0]?.replay
  const found = useMemo(() => {
    const all = (replay?.moments ?? []).filter(
      ({ cause }) => cause.type === "step" && cause.step.type === "datagram" && cause.step.answer !== undefined,
    )
    const looked = all.slice(0, LOOKED_AT).flatMap((moment) => {
      const comparison = comparisonOf(moment)
      return comparison === undefined ? [] : [{ at: moment.at, comparison }]
    })
    return { all: all.length, differing: looked.filter(({ comparison }) => comparison.outcome !== "same") }
  }, [replay])
  return (
    <>
      <h3>captured answers and ours</h3>
      {found.all === 0 ? (
        <p class="rv-quiet">This session has no captured answers: one made of a capture has.</p>
      ) : (
        <p>
          {found.differing.length === 0
            ? `All ${Math.min(found.all, LOOKED_AT)} say the same, but for clocks and for what each CGN chooses.`
            : `${found.differing.length} of ${Math.min(found.all, LOOKED_AT)} differ:`}
        </p>
      )}
      {found.differing.length === 0 ? null : (
        <table class="rv-table">
          <thead>
            <tr>
              <th scope="col">at</th>
              <th scope="col">captured · ours</th>
            </tr>
          </thead>
          <tbody>
            {found.differing.slice(0, LISTED).map(({ at, comparison }, i) => (
              <tr key={i}>
                <td>
                  <button type="button" class="rv-plain rv-mono" onClick={() => room.goTo(at)}>
                    {clockText(at)}
                  </button>
                </td>
                <td>
                  {comparison.outcome === "missing"
                    ? "ours has no answer"
                    : comparison.differences
                        .filter(({ weight }) => weight === "difference")
                        .map(({ pair }) => (
                          <div key={pair.path}>
                            {pair.path}: <span class="rv-mono">{pair.left?.text ?? "none"}</span> ·{" "}
                            <span class="rv-mono">{pair.right?.text ?? "none"}</span>
                          </div>
                        ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
