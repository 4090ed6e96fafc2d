import type { Level, Requirement } from "./case.ts"
import type { Kit } from "./load.ts"
import type { CaseResult } from "./run.ts"

/** What a run shows of a requirement. */
export type RequirementOutcome = "pass" | "fail" | "not applicable"

/** What a run shows of one requirement. */
export interface Verdict {
  /** The requirement. */
  readonly requirement: Requirement
  /** `fail` where one case fails, `pass` where one passes and none fails. */
  readonly outcome: RequirementOutcome
  /** Cases that passed. */
  readonly passed: number
  /** Failed cases that count at the run's level. */
  readonly failed: readonly CaseResult[]
  /** Cases that could not be tried on this server. */
  readonly inapplicable: number
}

/** Which failures count: those of MUST and of what is normative in effect, or of SHOULD and MAY too. */
export type Strictness = "must" | "should"

/** The keyword that a case is about: its own, else that of its first requirement. */
export const levelOf = ({ test }: CaseResult, requirements: ReadonlyMap<string, Requirement>): Level =>
  test.level ?? requirements.get(test.requirements[0])?.level ?? "in effect"

const counts = (level: Level, strictness: Strictness): boolean =>
  strictness === "should" || level === "MUST" || level === "in effect"

/** The failures that count. */
export const failures = (
  kit: Pick<Kit, "requirements">,
  results: readonly CaseResult[],
  strictness: Strictness,
): readonly CaseResult[] => {
  const byId = new Map(kit.requirements.map((requirement) => [requirement.id, requirement]))
  return results.filter((one) => one.result.outcome === "fail" && counts(levelOf(one, byId), strictness))
}

/** One verdict a requirement: a failed case fails it, else a passed one passes it, else it does not apply. */
export const verdicts = (
  kit: Pick<Kit, "requirements">,
  results: readonly CaseResult[],
  strictness: Strictness,
): readonly Verdict[] => {
  const failed = new Set(failures(kit, results, strictness))
  return kit.requirements.map((requirement) => {
    const own = results.filter(({ test }) => test.requirements.includes(requirement.id))
    const passed = own.filter(({ result }) => result.outcome === "pass").length
    const failing = own.filter((one) => failed.has(one))
    return {
      requirement,
      outcome: failing.length > 0 ? "fail" : passed > 0 ? "pass" : "not applicable",
      passed,
      failed: failing,
      inapplicable: own.filter(({ result }) => result.outcome === "not applicable").length,
    }
  })
}
