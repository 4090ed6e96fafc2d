import { type Draft, freeNatPmp, put, setServer, tell } from "./draft.ts"
import type { IgnoredReason } from "./event.ts"
import { fail } from "./fail.ts"
import type { ServerState } from "./server.ts"
import type { Task } from "./task.ts"

/** Changes of version that one exchange may see: down to NAT-PMP, and no more, or up from it. */
const MOST_SWITCHES = 1

/** What a version error says. */
export interface VersionError {
  /** The closest version that the server knows. */
  readonly version: number
  /** Seconds; 0: it does not say. */
  readonly lifetime: number
  /** It has no response bit, as RFC 6886 section 3.5 wants. */
  readonly lacksBit?: boolean
}

/**
 * A server said that it does not know the version, and which it does: RFC 6887 section 9, RFC 6886 section 3.5. What waits for its
 * answer is asked again in the closest version of ours, PCP 2 or NAT-PMP (0); where that is refused too, and where the server is
 * newer than PCP 2, there is nothing to say to it for a while (C-20, C-21, C-22). Version 1, a vendor's that nobody may use
 * (RFC 6886 section 1.1), is below PCP 2: NAT-PMP is what is left to try.
 *
 * That it speaks NAT-PMP is remembered for `versionCache` seconds, and PCP tried first again after that. RFC 6886 section 1.1 would
 * have it tried each time, since firmware gets updated; each would cost a round trip and be refused like the one before.
 */
export const takeVersionError = (
  draft: Draft,
  name: string,
  { version, lifetime, lacksBit = false }: VersionError,
): IgnoredReason | undefined => {
  const server = draft.servers.get(name)
  if (server === undefined) return "no-request"
  const refused: Task["protocol"] = version === 2 ? "nat-pmp" : "pcp"
  const waiting = [...draft.tasks.values()].filter((task) => task.server === name && task.exchange !== undefined)
  if (waiting.length === 0) return "no-request"
  // A server that refuses what it says it speaks has nothing to offer.
  const those = waiting.filter(({ protocol }) => protocol === refused)
  const tasks = those.length > 0 ? those : waiting
  const next = followed(server, version)
  // Of version 1 it is a guess what else the server may know.
  note(draft, server, version === 1 ? undefined : next)
  if (lacksBit) tell(draft, { type: "quirk", server: name, id: undefined, quirk: "version-error-without-r-bit" })
  for (const task of tasks) {
    if (next === undefined || next === task.protocol || task.switches >= MOST_SWITCHES || isNatPmpOnly(task)) {
      const after = draft.servers.get(name)
      if (after !== undefined) fail(draft, task, after, { kind: "unsupported-version", version, lifetime })
      continue
    }
    freeNatPmp(draft, task)
    put(draft, { ...task, protocol: next, exchange: undefined, due: draft.now, switches: task.switches + 1 })
  }
  return undefined
}

/** The protocol to go on in; `undefined`: none. */
const followed = ({ server: { protocol = "auto" } }: ServerState, version: number): Task["protocol"] | undefined => {
  if (protocol !== "auto" || version > 2) return undefined
  return version === 2 ? "pcp" : "nat-pmp"
}

/** The external address by itself, and to delete all, are questions of NAT-PMP alone. */
const isNatPmpOnly = ({ kind }: Task): boolean => kind === "address" || kind === "unmap-all"

const note = (draft: Draft, { server: { name }, speaks }: ServerState, next: Task["protocol"] | undefined): void => {
  const { now, settings } = draft
  const never = Number.NEGATIVE_INFINITY
  setServer(draft, name, {
    answeredAt: now,
    exhaustedUntil: never,
    natPmpUntil: next === "nat-pmp" ? now + settings.versionCache * 1000 : never,
    ...(next === undefined ? {} : { speaks: next }),
  })
  if (next !== undefined && next !== speaks) tell(draft, { type: "speaks", server: name, protocol: next })
}
