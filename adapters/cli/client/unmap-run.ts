import { clock } from "#runtime"
import { type ClientEvent, type ClientServer, checkRequest, type Failure } from "../../../core/client/index.ts"
import { NatPmpResult, ResultCode } from "../../../core/wire/index.ts"
import { complain, note } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { wallClock } from "../wall-clock.ts"
import type { Deletion } from "./deletion.ts"
import { leftText } from "./duration.ts"
import { failureRecord, failureText, silenceText } from "./failure.ts"
import { complainOf, find, serverRecord } from "./find.ts"
import { type MappingMemory, openMemory } from "./mapping-memory.ts"
import { TIMEOUT } from "./server-options.ts"
import { openSession } from "./session.ts"
import { stopSignal } from "./stop-signal.ts"
import type { Target } from "./target.ts"
import { memoryFault, usageFault } from "./unmap-fault.ts"
import { planUnmap, type UnmapOptions, type UnmapPlan } from "./unmap-plan.ts"
import { worstOf } from "./verdict.ts"
import { waitingLine } from "./waiting-line.ts"

export type { UnmapOptions } from "./unmap-plan.ts"

/** Transmissions of NAT-PMP's deletion of all: a gateway that does not answer five in eight seconds speaks no NAT-PMP. */
const ALL_TRIES = 5

/** One thing to be deleted, and what came of it: `undefined`, nobody has answered. */
interface Item {
  readonly id: string
  /** Of events: `all` of a transport has its own. */
  readonly key: string
  readonly server: ClientServer
  readonly deletion: Deletion | undefined
  outcome: { readonly failure: Failure | undefined; readonly lifetime?: number | undefined } | undefined
  /** Datagrams that have gone and that nobody has answered. */
  sent: number
}

const misused = (text: string): ExitCode => {
  complain(text)
  return Exit.USAGE
}

/** Deletes mappings; gives the exit code. */
export const unmap = async (targets: readonly Target[], options: UnmapOptions): Promise<ExitCode> => {
  const fault = usageFault(targets, options)
  if (fault !== undefined) return misused(fault)
  const memory = openMemory(options)
  if (!memory.ok) return misused(memory.text)
  const found = await find(options)
  if (!found.ok) return misused(found.text)
  const vain = memoryFault(targets, options, memory.value.known, found.value.servers, Date.now())
  if (vain !== undefined) return misused(vain)
  const plan = planUnmap(targets, options, memory.value.known, found.value.servers)
  const { deletions, everywhere } = plan
  if (found.value.named || deletions.every(({ remembered }) => remembered === undefined)) complainOf(found.value)
  if (deletions.length === 0 && everywhere.length === 0) {
    if (!options.all) return Exit.FAILED
    note("nothing is remembered that could be deleted")
    return Exit.DONE
  }
  if (options.nonce !== undefined && deletions.length > 1)
    return misused("option '--nonce' is for one server: name it with --server (RFC 6887 11.2)")
  for (const { request } of deletions) {
    const error = checkRequest(request)
    if (error !== undefined) return misused(error.text)
  }
  return run(plan, found.value.named, memory.value, options)
}

const run = async (
  { deletions, everywhere }: UnmapPlan,
  named: boolean,
  memory: MappingMemory,
  options: UnmapOptions,
): Promise<ExitCode> => {
  const items: Item[] = [
    ...deletions.map((deletion) => {
      const { id, server } = deletion
      return { id, key: `${id} of ${server.name}`, server, deletion, outcome: undefined, sent: 0 }
    }),
    ...everywhere.flatMap((server) =>
      (["tcp", "udp"] as const).map((transport) => {
        const id = `all/${transport}`
        const key = `${id} by NAT-PMP of ${server.name}`
        return { id, key, server, deletion: undefined, outcome: undefined, sent: 0 }
      }),
    ),
  ]
  const servers = new Map([...everywhere, ...deletions.map(({ server }) => server)].map((one) => [one.name, one]))
  const opened = openSession({
    servers: [...servers.values()],
    settings: { natPmpTries: ALL_TRIES },
    tell: (event) => take(items, event),
  })
  if (!opened.ok) return misused(opened.text)
  const session = opened.value
  for (const { key, id, server, deletion } of items)
    if (deletion === undefined)
      session.command({
        type: "unmap-all",
        id: key,
        transport: id === "all/tcp" ? "tcp" : "udp",
        servers: [server.name],
      })
    else
      session.command({
        type: "delete",
        id: key,
        request: deletion.request,
        servers: [server.name],
        nonce: options.nonce,
        resume: deletion.lease === undefined ? [] : [deletion.lease],
      })
  const stop = stopSignal()
  const isDone = (): boolean => items.every(({ outcome }) => outcome !== undefined)
  const line = waitingLine(() => `waiting for ${items.filter(({ outcome }) => outcome === undefined).length} answers`)
  await session.wait(isDone, { milliseconds: options.timeout ?? TIMEOUT, signal: stop.signal })
  line.end()
  stop.forget()
  for (const { id, exchange } of session.state().tasks.values()) {
    const item = items.find(({ key }) => key === id)
    if (item !== undefined) item.sent = exchange?.sent ?? 0
  }
  await session.close()
  for (const item of items) tell(item, options, named, items)
  const deleted = items.filter(isDeleted)
  await memory.leave(
    deleted.flatMap(({ deletion, outcome }) => {
      const owner = deletion?.remembered
      return owner === undefined ? [] : { owner, lifetime: outcome?.lifetime ?? 0 }
    }),
  )
  const left = items.filter((item) => !isDeleted(item) && !isForgiven(item, named, items))
  if (left.length === 0) return Exit.DONE
  return deleted.length > 0 ? Exit.PARTLY : worstOf(left.map(({ outcome }) => outcome?.failure))
}

const isDeleted = ({ outcome }: Item): boolean => outcome !== undefined && outcome.failure === undefined

/** Gateways that were only guessed at may speak no NAT-PMP: then there is nothing that it could delete. */
const isForgiven = ({ deletion, outcome }: Item, named: boolean, items: readonly Item[]): boolean => {
  if (deletion !== undefined) return false
  const kind = outcome?.failure?.kind
  if (kind === "unsupported-version") return true
  if (outcome !== undefined && kind !== "no-answer" && kind !== "unreachable") return false
  return !named && items.some(isDeleted)
}

const take = (items: readonly Item[], event: ClientEvent): void => {
  if (!("id" in event)) return
  const item = items.find(({ key }) => key === event.id)
  if (item === undefined) return
  if (event.type === "unmapped-all") item.outcome = { failure: undefined }
  if (event.type === "failed") item.outcome = { failure: event.failure }
  if (event.type !== "state") return
  if (event.state.kind === "error") item.outcome = { failure: event.state.failure }
  // Without an answer, the machine sent as often as it is worth.
  if (event.state.kind === "revoked")
    item.outcome = {
      failure: event.state.answered ? undefined : { kind: "no-answer", sent: 3 },
      lifetime: event.state.lifetime,
    }
}

const tell = (item: Item, { json, nonce }: UnmapOptions, named: boolean, items: readonly Item[]): void => {
  const { id, server, deletion, outcome, sent } = item
  const { client: _, ...end } = server.ends[0]
  const failure = outcome === undefined ? ({ kind: "no-answer", sent } as const) : outcome.failure
  if (json) {
    const head = { time: wallClock(clock).time(), mapping: id, server: serverRecord(end) }
    const record =
      failure === undefined
        ? { ...head, event: "deleted", remembered: deletion?.remembered !== undefined, lifetime: outcome?.lifetime }
        : { ...head, event: "failed", ...failureRecord(failure) }
    process.stdout.write(`${JSON.stringify(record)}\n`)
    return
  }
  if (failure === undefined) {
    if (deletion === undefined) {
      const transport = id === "all/tcp" ? "TCP" : "UDP"
      process.stdout.write(`NAT-PMP has deleted all ${transport} mappings of this host at ${server.name}\n`)
      return
    }
    const isKnown = deletion.remembered !== undefined || nonce !== undefined
    // A server that has no such mapping succeeds as well (RFC 6887 section 15.1).
    const left = leftText(outcome?.lifetime)
    process.stdout.write(`${id} is ${isKnown ? "deleted" : "not mapped, or deleted,"} at ${server.name}${left}\n`)
    return
  }
  if (isForgiven(item, named, items)) {
    note(`${id}: ${server.name} does not speak NAT-PMP, which alone deletes all at once`)
    return
  }
  if (failure.kind === "natpmp-result" && failure.code === NatPmpResult.NOT_AUTHORIZED) {
    complain(
      `${id}: ${server.name}: NOT_AUTHORIZED (${failure.code}): NAT-PMP may not delete it: it was made by PCP or by hand, or the feature is off`,
    )
    return
  }
  const isRefused = failure.kind === "result" && failure.code === ResultCode.NOT_AUTHORIZED
  const hint =
    isRefused && deletion !== undefined && deletion.remembered === undefined && nonce === undefined
      ? "; its nonce is not in the state file, --nonce gives it"
      : ""
  complain(
    `${id}: ${server.name}: ${outcome === undefined ? silenceText(sent) : failureText(failure, deletion?.request)}${hint}`,
  )
}
