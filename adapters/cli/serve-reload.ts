import { reasonOf } from "../system-error.ts"
import { complain } from "./complain.ts"
import { planServe, type ServePlan } from "./config/plan.ts"
import type { ServeOptions } from "./serve-options.ts"

/**
 * Reads the configuration file again, and what the machine has outside where that is the pool: these settings are in force from
 * then on, or, of a bad file, none of them. One reading at a time; whoever asks while one waits for its turn is served by that one.
 */
export const reloader = (
  options: ServeOptions,
  first: ServePlan,
  apply: (plan: ServePlan) => readonly string[] | Promise<readonly string[]>,
  applied: (plan: ServePlan) => void,
): (() => void) => {
  // Without a file it is the machine that is looked at again.
  const what = options.config ?? "addresses outside"
  let plan = first
  let reading: Promise<void> = Promise.resolve()
  const read = async (): Promise<void> => {
    const planned = await planServe(options, true)
    const refused = planned.ok ? (otherKind(plan, planned.value) ?? (await apply(planned.value))) : planned.lines
    for (const line of refused) complain(line)
    if (refused.length > 0 || !planned.ok) {
      complain(`${what}: not read: the settings stay as they were`)
      return
    }
    for (const warning of planned.value.warnings) complain(warning)
    plan = planned.value
    applied(plan)
    for (const name of fixedSettings(first, plan))
      complain(`${options.config}: ${name}: changed, and in force at the next start alone`)
    complain(`${what}: read again`)
  }
  let waiting = false
  return () => {
    if (waiting) return
    waiting = true
    reading = reading
      .then(() => {
        waiting = false
        return read()
      })
      // A file that no parser can take, or a fault of ours: neither is to end a server that runs.
      .catch((cause) => {
        complain(reasonOf(cause))
        complain(`${what}: not read: the settings stay as they were`)
      })
  }
}

/** Hosts of one family do not become hosts of another. */
const otherKind = (before: ServePlan, after: ServePlan): readonly string[] | undefined => {
  const [was, is] = [before, after].map(({ settings }) => settings.server.profile.kind)
  return was === is ? undefined : [after.line(["profile"], `a running ${was} does not become a ${is}: start it anew`)]
}

/** What a running server keeps as it began, and the new file has otherwise. */
const fixedSettings = (before: ServePlan, after: ServePlan): readonly string[] =>
  (["listen", "state", "metrics", "control"] as const).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
