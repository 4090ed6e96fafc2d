import {
  type CaseResult,
  compare,
  type FailedStep,
  type Kind,
  type RunResult,
  toHex,
  type Verdict,
  wantedTexts,
} from "../conformance/index.ts"
import type { Paint } from "./paint.ts"
import { wrap } from "./wrap.ts"

/** What a report is made from. */
export interface Report {
  /** Address and port. */
  readonly server: string
  readonly kind: Kind
  readonly run: Extract<RunResult, { ok: true }>
  readonly verdicts: readonly Verdict[]
  /** Failed cases that count at the run's level. */
  readonly failures: readonly CaseResult[]
}

/** The report for people: failures with expected and got side by side, then each requirement, then the sum. */
export const reportText = ({ server, kind, run, verdicts, failures }: Report, paint: Paint, width: number): string => {
  const lines = [
    paint.bold(`Conformance of ${server} as ${kind}`),
    ...wrap(`Offers ${[...run.capabilities].filter((one) => one !== "second-host").join(", ") || "nothing"}.`, width),
    "",
  ]
  for (const { test, result } of failures) {
    if (result.outcome !== "fail") continue
    lines.push(
      ...wrap(`${paint.red("FAIL")}  ${test.requirements.join(" ")}  ${test.id}: ${test.title}`, width, 6),
      `      ${paint.dim(`${test.clause}, step ${result.failed.step} of ${test.steps.length}`)}`,
      ...failedLines(result.failed, paint),
      "",
    )
  }
  for (const verdict of verdicts) lines.push(verdictLine(verdict, paint))
  const of = (outcome: Verdict["outcome"]): number => verdicts.filter((one) => one.outcome === outcome).length
  const cases = (outcome: string): number => run.results.filter(({ result }) => result.outcome === outcome).length
  lines.push(
    "",
    `Requirements: ${of("pass")} passed, ${of("fail")} failed, ${of("not applicable")} not applicable.`,
    `Cases: ${cases("pass")} passed, ${cases("fail")} failed, ${cases("not applicable")} not applicable. ${run.sent} datagrams sent.`,
  )
  if (cases("fail") > failures.length)
    lines.push(`${cases("fail") - failures.length} failed SHOULDs and MAYs do not count at this level.`)
  if (run.peers > 0)
    lines.push(
      `${run.peers} PEER ${run.peers === 1 ? "mapping is" : "mappings are"} left to run out: nobody can delete PEER's.`,
    )
  if (run.left > 0) lines.push(paint.yellow(`${run.left} deletions of our mappings got no answer.`))
  return `${lines.join("\n")}\n`
}

const verdictLine = ({ requirement, outcome, passed, failed, inapplicable }: Verdict, paint: Paint): string => {
  const { id, level, clause, text } = requirement
  const whyNot = inapplicable > 0 ? "needs what the server or this host has not" : "no case was run"
  const word = { pass: paint.green("pass"), fail: paint.red("FAIL"), "not applicable": paint.dim("n/a ") }[outcome]
  const counts = outcome === "not applicable" ? `  ${whyNot}` : `  ${passed} of ${passed + failed.length}`
  return `${word}  ${id.padEnd(5)}  ${level.padEnd(9)}  ${clause.padEnd(18)}  ${text}${paint.dim(counts)}`
}

/** The request, then each field of the answer that differs; all of them in hex for who wants to count. */
const failedLines = (failed: FailedStep, paint: Paint): readonly string[] => {
  const { request, wanted, got, bindings, faults } = failed
  const lines = [`      sent    ${toHex(request)}`]
  for (const text of wantedTexts(failed)) lines.push(`      wanted  ${text}`)
  lines.push(
    `      got     ${got.kind === "reply" ? toHex(got.bytes) : got.kind === "silence" ? "no answer" : got.text}`,
  )
  const template = wanted.find((one) => one !== null)
  if (got.kind === "reply" && typeof template === "string") {
    const pairs = compare(template, got.bytes, bindings)
    const column = (texts: readonly string[]): number => Math.min(40, Math.max(...texts.map((text) => text.length)))
    const names = column(pairs.map(({ name }) => name))
    const wants = column(["wanted", ...pairs.map(({ wanted: text }) => text ?? "")])
    lines.push(paint.dim(`        ${"".padEnd(names)}  ${"wanted".padEnd(wants)}  got`))
    for (const { name, wanted: left = "(none)", got: right = "(none)", same } of pairs) {
      const line = `${name.padEnd(names)}  ${left.padEnd(wants)}  ${right}`
      lines.push(same ? `        ${line}` : paint.yellow(`      ≠ ${line}`))
    }
  }
  for (const fault of faults) lines.push(paint.yellow(`      ${fault}`))
  return lines
}
