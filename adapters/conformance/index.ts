/**
 * The conformance kit: vectors for PCP and NAT-PMP servers, and a run of them against any server over {@link Udp}.
 *
 * @module
 */
export type { Capability, Case, Kind, Level, Requirement } from "./case.ts"
export { compare, type FieldPair } from "./compare.ts"
export type { Answer, Pace } from "./exchange.ts"
export { junit } from "./junit.ts"
export { type Kit, loadKit } from "./load.ts"
export {
  type CaseResult,
  type FailedStep,
  type Outcome,
  type RunOptions,
  type RunResult,
  run,
  wantedTexts,
} from "./run.ts"
export { type Bindings, fill, match, toHex } from "./template.ts"
export { failures, type RequirementOutcome, type Strictness, type Verdict, verdicts } from "./verdict.ts"
