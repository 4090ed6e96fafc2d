import { type CaseResult, wantedTexts } from "./run.ts"
import { toHex } from "./template.ts"
import type { Verdict } from "./verdict.ts"

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

/** Text for XML 1.0, which has no control characters but tab and the ends of lines, escaped or not. */
const escaped = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that XML does not allow
  text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "?").replace(/[&<>"]/g, (sign) => ESCAPES[sign])

/** JUnit's XML: a suite a requirement, a case each; what does not apply is skipped. */
export const junit = (server: string, verdicts: readonly Verdict[], results: readonly CaseResult[]): string => {
  const suites = verdicts.flatMap(({ requirement, failed }) => {
    const own = results.filter(({ test }) => test.requirements[0] === requirement.id)
    if (own.length === 0) return []
    const counted = own.filter((one) => failed.includes(one)).length
    const skipped = own.filter(({ result }) => result.outcome === "not applicable").length
    const name = escaped(`${requirement.id} ${requirement.text}`)
    return [
      `  <testsuite name="${name}" tests="${own.length}" failures="${counted}" errors="0" skipped="${skipped}">`,
      ...own.map((one) => caseXml(one, requirement.id, failed.includes(one))),
      "  </testsuite>",
    ]
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(`PCP and NAT-PMP conformance of ${server}`)}">`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n")
}

const caseXml = ({ test, result }: CaseResult, suite: string, counted: boolean): string => {
  const open = `    <testcase classname="${escaped(suite)}" name="${escaped(`${test.id}: ${test.title}`)}"`
  if (result.outcome === "not applicable") return `${open}><skipped message="${escaped(result.reason)}"/></testcase>`
  if (result.outcome === "pass" || !counted) return `${open}/>`
  const { failed } = result
  const got = failed.got.kind === "reply" ? toHex(failed.got.bytes) : "no answer"
  const text = [
    `${test.clause}, step ${failed.step}`,
    `sent   ${toHex(failed.request)}`,
    ...wantedTexts(failed).map((one) => `wanted ${one}`),
    `got    ${got}`,
    ...failed.faults,
  ].join("\n")
  return `${open}><failure message="${escaped(failed.faults[0] ?? "")}">${escaped(text)}</failure></testcase>`
}
