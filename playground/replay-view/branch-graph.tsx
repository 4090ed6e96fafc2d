import { useMemo } from "preact/hooks"
import type { Branch } from "./branch.ts"
import { clockText } from "./clock.ts"
import type { Room } from "./room.ts"

const ROW = 22
/** Dots that are drawn of one branch: one a pixel says no more. */
const MOST_DOTS = 400

/** All branches over one axis of time, as a graph of commits is drawn. */
export const BranchGraph = ({ room }: { readonly room: Room }) => {
  const branches = room.branches.value
  const current = room.branch.value
  const end = Math.max(1, current?.replay.end ?? 1)
  const percent = (at: number): string => `${(100 * Math.min(at, end)) / end}%`
  const rowOf = new Map(branches.map(({ id }, row) => [id, row]))
  /** Where a line begins that leaves a branch before that branch itself began: at the one that it left. */
  const rowAt = (id: number, at: number): number => {
    const attempt = branches.find((one) => one.id === id)?.attempt
    return attempt !== undefined && attempt.at > at ? rowAt(attempt.parent, at) : (rowOf.get(id) ?? 0)
  }
  const y = (row: number): number => ROW / 2 + row * ROW
  // While it plays, the instant alone moves.
  const lines = useMemo(
    () =>
      branches.map((branch, row) => {
        const from = branch.attempt === undefined ? 0 : branch.attempt.at
        const parent = branch.attempt === undefined ? row : rowAt(branch.attempt.parent, from)
        const isCurrent = branch.id === current?.id
        return (
          <g key={branch.id} class={isCurrent ? "rv-line rv-current" : "rv-line"}>
            <line x1={percent(from)} x2={percent(from)} y1={y(parent)} y2={y(row)} />
            <line x1={percent(from)} x2="100%" y1={y(row)} y2={y(row)} />
            {dotsOf(branch, end).map(({ at, kind }) => (
              <circle key={at} cx={percent(at)} cy={y(row)} r={kind === "step" ? 3 : 1.75} class={`rv-dot-${kind}`} />
            ))}
          </g>
        )
      }),
    [branches, current, end],
  )
  return (
    <div class="rv-branches">
      <svg width="100%" height={branches.length * ROW} aria-hidden="true">
        {lines}
        <line
          class="rv-now"
          x1={percent(room.now.value)}
          x2={percent(room.now.value)}
          y1={0}
          y2={branches.length * ROW}
        />
      </svg>
      {branches.length < 2 ? null : (
        <ul class="rv-branch-names" aria-label="branches">
          {branches.map(({ id, name, attempt }) => (
            <li key={id}>
              <button type="button" aria-pressed={id === current?.id} onClick={() => room.choose(id)}>
                {name}
                {attempt === undefined ? "" : ` · from ${clockText(attempt.at)}`}
              </button>
              {attempt === undefined ? null : (
                <>
                  <button
                    type="button"
                    class="rv-plain"
                    aria-label={`keep ${name} as the session`}
                    onClick={() => room.keep(id)}
                  >
                    keep
                  </button>
                  <button type="button" class="rv-plain" aria-label={`remove ${name}`} onClick={() => room.remove(id)}>
                    remove
                  </button>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

const dotsOf = ({ replay }: Branch, end: number): readonly { readonly at: number; readonly kind: "step" | "due" }[] => {
  const dots = new Map<number, { readonly at: number; readonly kind: "step" | "due" }>()
  const { moments, forkedAt } = replay
  const stride = Math.max(1, Math.ceil((moments.length - forkedAt) / (50 * MOST_DOTS)))
  for (let i = forkedAt; i < moments.length; i += stride) {
    const { at, cause } = moments[i]
    if (cause.type === "start") continue
    const kind = cause.type === "step" ? "step" : "due"
    const place = Math.round((at / end) * MOST_DOTS)
    if (dots.get(place)?.kind !== "step") dots.set(place, { at, kind })
  }
  return [...dots.values()]
}
