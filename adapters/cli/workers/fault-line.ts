import type { SettingPath } from "../config/fault.ts"
import type { ServePlan } from "../config/plan.ts"

/** A line about a setting, for the thread that has the file at hand and knows where it stands. */
const MARK = "\u0001"

/** As `ServePlan.line`, where the plan is elsewhere. */
export const markedLine = (path: SettingPath, rule: string): string => MARK + JSON.stringify({ path, rule })

/** A worker's line as the plan has it. */
export const lineOf = (plan: ServePlan, line: string): string => {
  if (!line.startsWith(MARK)) return line
  const read: unknown = JSON.parse(line.slice(MARK.length))
  if (typeof read !== "object" || read === null || !("path" in read) || !("rule" in read)) return line
  const { path, rule } = read
  return Array.isArray(path) ? plan.line(path.filter(isStep), String(rule)) : String(rule)
}

const isStep = (step: unknown): step is string | number => typeof step === "string" || typeof step === "number"
