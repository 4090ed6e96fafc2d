import { SERVER_PORT } from "../wire/index.ts"
import { spend } from "./budget.ts"
import { choose, type Draft, put, setServer } from "./draft.ts"
import { natPmpWait, retransmissionTime } from "./schedule.ts"
import { endOf, type ServerState } from "./server.ts"
import type { ClientSettings } from "./settings.ts"
import type { Exchange, Task } from "./task.ts"

/**
 * Sends a task's request, or puts it off until its budgets have room: nothing leaves but through here, so whatever a server
 * does, it gets no more than `serverBudget` in all and `mappingBudget` for each task. Gives the task back, and whether it was sent.
 */
export const transmit = <T extends Task>(
  draft: Draft,
  task: T,
  server: ServerState,
  bytes: Uint8Array,
  purpose: Exchange["purpose"],
): { readonly sent: boolean; readonly task: T } => {
  const { now, settings } = draft
  const own = spend(task.budget, settings.mappingBudget, now)
  const all = spend(server.budget, settings.serverBudget, now)
  if (!own.ok || !all.ok) {
    const at = Math.max(own.ok ? now : own.at, all.ok ? now : all.at)
    return { sent: false, task: put(draft, { ...task, due: at }) }
  }
  const isNatPmp = task.protocol === "nat-pmp"
  setServer(draft, server.server.name, {
    budget: all.budget,
    ...(isNatPmp ? { natPmpTask: task.key } : {}),
  })
  const { address, port = SERVER_PORT, zone, client } = endOf(server)
  draft.effects.push({ type: "send", bytes, destination: { address, port, zone }, from: client })
  const before = task.exchange?.purpose === purpose ? task.exchange : undefined
  const sent = (before?.sent ?? 0) + 1
  const wait = isNatPmp ? natPmpWait(settings, sent) : retransmissionTime(settings, before?.wait, choose(draft))
  const exchange: Exchange = { sent, first: before?.first ?? now, wait, purpose }
  const due = Math.min(now + wait, isNatPmp ? Number.POSITIVE_INFINITY : endOfExchange(settings, exchange))
  return { sent: true, task: put(draft, { ...task, budget: own.budget, exchange, lastSent: now, due }) }
}

/** When an exchange fails for want of time, milliseconds: MRD (RFC 6887 section 8.1.1). */
const endOfExchange = ({ retransmissionDuration }: ClientSettings, { first }: Exchange): number =>
  retransmissionDuration === 0 ? Number.POSITIVE_INFINITY : first + retransmissionDuration * 1000

/** Transmissions that a RFC 7488 client makes to one of several addresses. */
const COUNT_OF_SEVERAL = 4

/** Transmissions to one address before it counts as silent: MRC; 0: no maximum (RFC 6887 section 8.1.1, RFC 7488 section 3). */
export const mostTransmissions = ({ settings }: Draft, server: ServerState): number =>
  server.server.ends.length > 1 ? COUNT_OF_SEVERAL : settings.retransmissionCount

/** Transmissions of what the client asks by itself, which keeps its other NAT-PMP requests waiting (RFC 6886 section 3.1). */
const OWN_TRIES = 4

/** Did this exchange fail, now that its time to be sent again has come (RFC 6887 section 8.1.1, RFC 7488 section 3)? */
export const isOver = (draft: Draft, task: Task, server: ServerState): boolean => {
  const { settings, now } = draft
  const { exchange } = task
  if (exchange === undefined) return false
  const { natPmpTries, deleteTries } = settings
  if (exchange.purpose === "delete" && exchange.sent >= deleteTries) return true
  if (task.kind === "probe" && exchange.sent >= task.tries) return true
  if (task.protocol === "nat-pmp") return exchange.sent >= (task.id === "" ? OWN_TRIES : natPmpTries)
  const most = mostTransmissions(draft, server)
  if (most !== 0 && exchange.sent >= most) return true
  return now >= endOfExchange(settings, exchange)
}
