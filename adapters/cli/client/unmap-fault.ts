import type { ClientServer } from "../../../core/client/index.ts"
import type { Remembered } from "./memory.ts"
import { type Target, targetText } from "./target.ts"
import type { UnmapOptions } from "./unmap-plan.ts"

/** What is wrong with the arguments of `unmap` by themselves; `undefined`: nothing. */
export const usageFault = (
  targets: readonly Target[],
  { all, nonce, thirdParty }: UnmapOptions,
): string | undefined => {
  if (all && targets.length > 0) return "either mappings or --all, not both"
  if (!all && targets.length === 0) return "say what to delete, such as 8080/tcp, or --all"
  if (all && (nonce !== undefined || thirdParty !== undefined))
    return "with --all the state file says whose mappings and nonces: leave out '--nonce' and '--third-party'"
  return undefined
}

/**
 * What is remembered that makes a deletion vain before it is sent: the mapping is of the other protocol, or one of PEER. `now` is
 * that of the wall clock, milliseconds.
 */
export const memoryFault = (
  targets: readonly Target[],
  options: UnmapOptions,
  known: readonly Remembered[],
  servers: readonly ClientServer[],
  now: number,
): string | undefined => {
  // Whoever gives a nonce knows of a mapping that is not in the file.
  if (options.nonce !== undefined) return undefined
  const names = options.server === undefined ? undefined : new Set(servers.map(({ name }) => name))
  for (const { protocol, port } of targets) {
    // Without an external end nobody has granted it yet.
    const there = known.filter(
      (one) =>
        one.protocol === protocol &&
        one.internalPort === port &&
        one.external !== undefined &&
        Date.parse(one.ends) > now &&
        (names === undefined || names.has(one.server)),
    )
    const inbound = there.filter(({ remote }) => remote === undefined)
    const via = options.natPmp ? "nat-pmp" : options.pcp ? "pcp" : undefined
    if (via !== undefined && inbound.length > 0 && inbound.every((one) => one.via !== via)) {
      const [maker, option] = via === "pcp" ? ["NAT-PMP", "--pcp"] : ["PCP", "--nat-pmp"]
      return `${targetText({ protocol, port })} was made by ${maker}: leave out '${option}'`
    }
    const [outbound] = there
    if (!options.natPmp && inbound.length === 0 && outbound !== undefined)
      return `${targetText({ protocol, port })} is of 'sallyport peer', whose mappings cannot be deleted: it ends by itself, by ${outbound.ends}`
  }
  return undefined
}
