import { type CaseResult, compare, type FailedStep, toHex, wantedTexts } from "../conformance/index.ts"
import type { Report } from "./conformance-text.ts"

/** The report for programs: server, what it offers, requirements, cases. */
export const reportJson = ({ server, kind, run, verdicts, failures }: Report) => ({
  server,
  kind,
  offers: [...run.capabilities].filter((one) => one !== "second-host"),
  stopped: run.stopped ?? null,
  datagrams: run.sent,
  peerMappingsLeft: run.peers,
  deletionsUnanswered: run.left,
  requirements: verdicts.map(({ requirement, outcome, passed, failed, inapplicable }) => ({
    ...requirement,
    outcome,
    passed,
    failed: failed.map(({ test }) => test.id),
    notApplicable: inapplicable,
  })),
  cases: run.results.map((one) => caseJson(one, failures.includes(one))),
})

const caseJson = ({ test, result }: CaseResult, counted: boolean) => {
  const { id, title, requirements, clause } = test
  const shared = { id, title, requirements, clause, outcome: result.outcome }
  switch (result.outcome) {
    case "pass":
      return shared
    case "not applicable":
      return { ...shared, reason: result.reason }
    case "fail":
      return { ...shared, counted, ...failedJson(result.failed) }
  }
}

const failedJson = (failed: FailedStep) => {
  const { step, request, wanted, got, bindings, faults } = failed
  const template = wanted.find((one) => one !== null)
  return {
    step,
    sent: toHex(request),
    wanted: wantedTexts(failed),
    got: got.kind === "reply" ? toHex(got.bytes) : null,
    faults,
    fields: got.kind === "reply" && typeof template === "string" ? compare(template, got.bytes, bindings) : [],
  }
}
