import { type Draft, put, setServer, tell } from "./draft.ts"
import type { IgnoredReason } from "./event.ts"
import { fail } from "./fail.ts"
import type { Task } from "./task.ts"

/** Changes of version that one exchange may see: down to NAT-PMP, and no more, or up from it. */
const MOST_SWITCHES = 1

/**
 * A server said that it does not know the version, and which it does: RFC 6887 section 9, RFC 6886 section 3.5. What waits for its
 * answer is asked again in that version if it is one of ours, NAT-PMP (0) or PCP 2; else there is nothing to say to it for a while
 * (C-20, C-21, C-22).
 *
 * That it speaks NAT-PMP is remembered for `versionCache` seconds and for what is asked anew in that time. RFC 6887 appendix A would
 * send PCP first each time; each would cost a round trip and be refused like the one before.
 */
export const takeVersionError = (draft: Draft, name: string, version: number): IgnoredReason | undefined => {
  const server = draft.servers.get(name)
  if (server === undefined) return "no-request"
  const refused: Task["protocol"] = version === 2 ? "nat-pmp" : "pcp"
  const waiting = [...draft.tasks.values()].filter((task) => task.server === name && task.exchange !== undefined)
  if (waiting.length === 0) return "no-request"
  // A server that refuses what it says it speaks has nothing to offer.
  const those = waiting.filter(({ protocol }) => protocol === refused)
  const tasks = those.length > 0 ? those : waiting
  const { protocol: choice = "auto" } = server.server
  const speaks = version === 0 ? "nat-pmp" : version === 2 ? "pcp" : undefined
  const canFollow = choice === "auto" && speaks !== undefined
  setServer(draft, name, {
    answeredAt: draft.now,
    tried: 0,
    exhaustedUntil: Number.NEGATIVE_INFINITY,
    natPmpUntil:
      canFollow && speaks === "nat-pmp" ? draft.now + draft.settings.versionCache * 1000 : Number.NEGATIVE_INFINITY,
    ...(canFollow ? { speaks } : {}),
  })
  if (canFollow && speaks === "nat-pmp")
    tell(draft, { type: "quirk", server: name, id: undefined, quirk: "version-error-without-r-bit" })
  if (canFollow && server.speaks !== speaks) tell(draft, { type: "speaks", server: name, protocol: speaks })
  for (const task of tasks) {
    // What NAT-PMP alone can be asked has no other version.
    const isFixed = task.kind === "address" || task.kind === "unmap-all"
    if (!canFollow || isFixed || speaks === task.protocol || task.switches >= MOST_SWITCHES) {
      const after = draft.servers.get(name)
      if (after !== undefined) fail(draft, task, after, { kind: "unsupported-version", version })
      continue
    }
    if (server.natPmpTask === task.key) setServer(draft, name, { natPmpTask: undefined })
    put(draft, { ...task, protocol: speaks, exchange: undefined, due: draft.now, switches: task.switches + 1 })
  }
  return undefined
}
