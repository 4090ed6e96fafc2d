import { complain } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { InboundOptions } from "./mapping-options.ts"
import { inboundOf, type Wanted } from "./mapping-request.ts"
import { runMappings } from "./mapping-run.ts"
import { type Target, targetText } from "./target.ts"

/** Options that say which one mapping: with several they would be meant for one of them. */
const OF_ONE = [
  ["externalPort", "--external-port"],
  ["nonce", "--nonce"],
  ["portSet", "--port-set"],
] as const

/** What MAP is asked for by these arguments, or what is wrong with them. */
export const inboundWanted = (
  targets: readonly Target[],
  options: InboundOptions,
): { readonly ok: true; readonly value: readonly Wanted[] } | { readonly ok: false; readonly text: string } => {
  const given = OF_ONE.find(([name]) => options[name] !== undefined)
  if (targets.length > 1 && given !== undefined)
    return { ok: false, text: `option '${given[1]}' is for one mapping, and there are ${targets.length}` }
  const wanted: Wanted[] = []
  for (const target of targets) {
    const one = inboundOf(target, options)
    if (!one.ok) return one
    if (wanted.some(({ id }) => id === one.value.id)) return { ok: false, text: `${targetText(target)} is there twice` }
    wanted.push(one.value)
  }
  return { ok: true, value: wanted }
}

/** Maps; gives the exit code. */
export const map = async (targets: readonly Target[], options: InboundOptions): Promise<ExitCode> => {
  const wanted = inboundWanted(targets, options)
  if (wanted.ok) return runMappings(wanted.value, options)
  complain(wanted.text)
  return Exit.USAGE
}
