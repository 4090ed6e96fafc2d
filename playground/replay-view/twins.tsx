import { useMemo } from "preact/hooks"
import { compare } from "../model/edit/index.ts"
import { inspect } from "../model/inspect/index.ts"
import type { AnswerComparison, AnswerDifference } from "../model/replay/index.ts"

const WEIGHTS: Readonly<Record<AnswerDifference["weight"], readonly [sign: string, words: string]>> = {
  difference: ["▲", "a difference"],
  choice: ["○", "the CGN's choice"],
  clock: ["○", "another clock"],
}

interface TwinsProps {
  readonly comparison: AnswerComparison
  /** Why we said nothing. */
  readonly dropped: string | undefined
  readonly onOpen: (bytes: Uint8Array) => void
}

/** The captured answer and ours: what is found to differ, and both taken apart, field by field. */
export const Twins = ({ comparison, dropped, onOpen }: TwinsProps) => {
  const { captured, ours, differences, outcome } = comparison
  const found = differences.filter(({ weight }) => weight === "difference")
  const title =
    outcome === "same"
      ? "the captured answer says the same"
      : outcome === "missing"
        ? "the captured answer has no twin"
        : `the captured answer differs in ${found.length} ${found.length === 1 ? "field" : "fields"}`
  return (
    <section class="rv-twins" aria-label="captured answer and ours">
      <h3>{title}</h3>
      {ours === undefined ? <p>We say nothing: {(dropped ?? "no reason is known").replaceAll("-", " ")}.</p> : null}
      {differences.length === 0 ? null : (
        <ul class="rv-twin-findings" aria-label="differences">
          {differences.map(({ pair: { path, left, right }, weight }) => (
            <li key={path} class={`rv-weight-${weight}`}>
              <span aria-hidden="true">{WEIGHTS[weight][0]}</span> <strong>{WEIGHTS[weight][1]}</strong> {path}:{" "}
              <span class="rv-mono">{left?.text ?? "none"}</span> captured,{" "}
              <span class="rv-mono">{right?.text ?? "none"}</span> ours
            </li>
          ))}
        </ul>
      )}
      <div class="rv-row-of-controls">
        {captured === undefined ? null : (
          <button type="button" onClick={() => onOpen(captured)}>
            open the captured one in Inspect
          </button>
        )}
        {ours === undefined ? null : (
          <button type="button" onClick={() => onOpen(ours)}>
            open ours in Inspect
          </button>
        )}
      </div>
      {captured === undefined || ours === undefined ? null : <Both captured={captured} ours={ours} />}
    </section>
  )
}

const Both = ({ captured, ours }: { readonly captured: Uint8Array; readonly ours: Uint8Array }) => {
  const { fields } = useMemo(() => compare(captured, ours), [captured, ours])
  const faults = useMemo(
    () =>
      [captured, ours].map((bytes) =>
        inspect(bytes).findings.map(({ severity, why, clause }) => `${severity}: ${why} ${clause.text}`),
      ),
    [captured, ours],
  )
  return (
    <>
      <table class="rv-table rv-both">
        <thead>
          <tr>
            <th scope="col">field</th>
            <th scope="col">captured</th>
            <th scope="col">ours</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ path, state, class: own, left, right }, i) => (
            <tr key={`${i} ${path}`} class={state === "same" ? "" : "rv-differs"}>
              <th scope="row" class="rv-leaf">
                <span class="swatch" data-class={own} />
                <span>{path}</span>
                {state === "same" ? null : <span class="rv-unseen"> differs</span>}
              </th>
              <td class="rv-mono">{left?.text ?? "none"}</td>
              <td class="rv-mono">{right?.text ?? "none"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {faults.map((texts, i) =>
        texts.map((text) => (
          <p key={`${i} ${text}`} class="rv-quiet">
            {i === 0 ? "captured" : "ours"}, {text}
          </p>
        )),
      )}
    </>
  )
}
