import { reconfigure } from "../../core/server/index.ts"
import { pushedOutput } from "../server-machine.ts"
import { complain } from "./complain.ts"
import { planServe, type ServePlan } from "./config/plan.ts"
import { settingOf } from "./config/settings.ts"
import type { ServeHost } from "./serve-listen.ts"
import type { ServeOptions } from "./serve-options.ts"

/**
 * Reads the configuration file again: its settings are in force from then on, or, of a bad file, none of them. One reading at
 * a time.
 */
export const reloader = (options: ServeOptions, first: ServePlan, host: ServeHost): (() => void) => {
  let plan = first
  let reading: Promise<void> = Promise.resolve()
  const read = async (): Promise<void> => {
    const planned = await planServe(options)
    const refused = planned.ok ? (otherKind(plan, planned.value) ?? applySettings(planned.value, host)) : planned.lines
    for (const line of refused) complain(line)
    if (refused.length > 0 || !planned.ok) {
      complain(`${options.config}: not read: the settings stay as they were`)
      return
    }
    for (const warning of planned.value.warnings) complain(warning)
    const fixed = fixedSettings(plan, planned.value)
    plan = planned.value
    const later = fixed.length === 0 ? "" : `; ${fixed.join(", ")}: at the next start`
    complain(`${options.config}: read again${later}`)
  }
  return () => {
    reading = reading.then(read)
  }
}

/** Puts a plan's settings in force; gives the lines that say why not, and then nothing is changed. */
export const applySettings = ({ settings, line }: ServePlan, host: ServeHost): readonly string[] => {
  // The profile says these for itself.
  const { internalFamily, otherProtocols, port0, oneToOne, ...cgn } = settings.cgn
  let refused: readonly string[] = []
  host.act((state, now) => {
    const done = reconfigure(state, { ...settings.server, ...cgn }, now)
    if (done.ok) return [done.state, pushedOutput(done.pushed)]
    refused = [line(settingOf(done.error), done.error.text)]
    return [state, pushedOutput({ changes: [], next: undefined })]
  })
  return refused
}

/** Hosts of one family do not become hosts of another. */
const otherKind = (before: ServePlan, after: ServePlan): readonly string[] | undefined => {
  const [was, is] = [before, after].map(({ settings }) => settings.server.profile.kind)
  return was === is ? undefined : [after.line(["profile"], `a running ${was} does not become a ${is}: start it anew`)]
}

/** What a running server cannot change and the new file has otherwise. */
const fixedSettings = (before: ServePlan, after: ServePlan): readonly string[] =>
  (["listen", "state", "metrics", "control"] as const).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
