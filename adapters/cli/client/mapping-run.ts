import { clock } from "#runtime"
import type { ClientEvent } from "../../../core/client/index.ts"
import { type AddressFamily, familyOf } from "../../../core/wire/index.ts"
import { complain, note as remark } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { openOutput } from "../output.ts"
import { paintFor } from "../paint.ts"
import { fileSink, type Sink } from "../sink.ts"
import { type Board, note, type Place } from "./board.ts"
import { complainOf, type Found, find } from "./find.ts"
import { firstOutcome } from "./first-outcome.ts"
import { liveTable } from "./live-table.ts"
import { leaseOf, type MappingMemory, openMemory, ownerOf, recall } from "./mapping-memory.ts"
import type { MappingOptions } from "./mapping-options.ts"
import { type MappingReport, mappingReport } from "./mapping-report.ts"
import type { Wanted } from "./mapping-request.ts"
import { TIMEOUT } from "./server-options.ts"
import { openSession, type Session } from "./session.ts"
import { type StopSignal, stopSignal } from "./stop-signal.ts"
import { isSilent, verdictOf } from "./verdict.ts"
import { waitingLine } from "./waiting-line.ts"
import { waitingText } from "./waiting-text.ts"

/** What one run of a command that maps has at hand. */
interface Run {
  readonly wanted: readonly Wanted[]
  readonly options: MappingOptions
  readonly found: Found
  readonly memory: MappingMemory
  readonly session: Session
  readonly report: MappingReport
  readonly board: () => Board
  readonly stop: StopSignal
}

/** Maps, says what came of it, and with --keep stays until it is told to stop; gives the exit code. */
export const runMappings = async (wanted: readonly Wanted[], options: MappingOptions): Promise<ExitCode> => {
  const found = await find(options, familyWanted(wanted))
  if (!found.ok) return misused(found.text)
  complainOf(found.value)
  if (found.value.servers.length === 0) return Exit.FAILED
  if (options.nonce !== undefined && found.value.servers.length > 1)
    return misused("option '--nonce' is for one server: name it with --server (RFC 6887 11.2)")
  const memory = openMemory(options)
  if (!memory.ok) return misused(memory.text)
  const stop = stopSignal()
  const sink = outputFor(stop)
  let board: Board = []
  let refusal: string | undefined
  let later: ((event: ClientEvent) => void) | undefined
  const opened = openSession({
    servers: found.value.servers,
    announcements: options.keep ? found.value.announcements : [],
    tell: (event) => {
      board = note(board, event)
      if (event.type === "refused") refusal = event.error.text
      later?.(event)
    },
    socketError: ({ text }, { port }) => {
      // Errors on the way to a server are told as what becomes of its mappings.
      if (options.keep && port !== 0) complain(`announcements of servers are not heard: ${text}`)
    },
  })
  if (!opened.ok) return misused(opened.text)
  const session = opened.value
  const report = mappingReport({
    json: options.json === true,
    wanted,
    chosen: options.externalPort !== undefined,
    timed: options.keep === true,
    state: session.state,
    print: sink.print,
  })
  const run: Run = {
    wanted,
    options,
    found: found.value,
    memory: memory.value,
    session,
    report,
    board: () => board,
    stop,
  }
  await ask(run)
  const code = refusal !== undefined && board.length === 0 ? misused(refusal) : tellOutcome(run)
  await remember(run)
  const isAnyMapped = board.some(({ standing }) => standing.kind === "mapped")
  const last = options.keep && isAnyMapped ? await stay(run, (next) => (later = next)) : code
  stop.forget()
  await session.close()
  await sink.end()
  return last
}

/** The family of the hosts that the mappings are about, where they say so. */
const familyWanted = (wanted: readonly Wanted[]): AddressFamily | undefined => {
  const families = wanted.flatMap(({ request }) => [
    ...(request.thirdParty === undefined ? [] : [familyOf(request.thirdParty)]),
    ...(request.kind === "outbound" ? [familyOf(request.remote)] : []),
    ...(request.kind === "inbound" ? (request.filters ?? []).map(({ remote }) => familyOf(remote)) : []),
  ])
  return families.every((family) => family === families[0]) ? families[0] : undefined
}

const misused = (text: string): ExitCode => {
  complain(text)
  return Exit.USAGE
}

/** Standard output. Whoever read it may be gone: then nothing is kept any longer. */
const outputFor = (stop: StopSignal): Sink =>
  fileSink(
    openOutput(),
    (cause) => {
      if (cause.code !== "EPIPE") complain(`standard output: ${cause.message}`)
      stop.now()
    },
    (count) => `... ${count} lines left out`,
  )

/** Asks for all mappings and waits for the answers. */
const ask = async ({ wanted, options, found, memory, session, board, stop }: Run): Promise<void> => {
  const suggests = options.externalPort === undefined && options.external === undefined
  for (const { id, request } of wanted)
    session.command({
      type: "request",
      id,
      request,
      mode: { kind: options.keep ? "keep" : "once" },
      nonce: options.nonce,
      resume: found.servers.flatMap(({ name, ends }) => {
        const known = recall(memory.known, request, name, ends)
        return (known === undefined ? undefined : leaseOf(known, suggests)) ?? []
      }),
    })
  // Before anybody answers: whatever happens to this process, a later one can delete what may be there by then.
  await memory.note(session.state(), clock.now())
  const limit = options.timeout ?? TIMEOUT
  const line = waitingLine((elapsed) => waitingText(board(), limit - elapsed))
  await firstOutcome(session, board, found.named, limit, stop.signal)
  line.end()
}

const tellOutcome = ({ board, found, report }: Run): ExitCode => {
  const places = board()
  const mapped = new Set(places.filter(({ standing }) => standing.kind === "mapped").map(({ id }) => id))
  for (const place of places) {
    const { id, server, standing } = place
    if (standing.kind === "mapped") report.mapped(place, standing.mapping)
    else if (!found.named && mapped.has(id) && isSilent(place))
      remark(`${id}: gateway ${server} does not answer: it may speak neither PCP nor NAT-PMP`)
    else report.failed(place, standing.kind === "failed" ? standing.failure : undefined)
  }
  return verdictOf(places, found.named)
}

/** What was refused is not there: its nonce is forgotten, unless an earlier run has left it. What was not answered may be there. */
const remember = async ({ board, memory, session, wanted }: Run): Promise<void> => {
  await memory.note(session.state(), clock.now())
  const refused = board().filter(({ standing }) => standing.kind === "failed" && standing.failure.kind !== "no-answer")
  await memory.forget(ownersOf({ wanted, session }, refused).filter((one) => !memory.isKnown(one)))
}

const ownersOf = ({ wanted, session }: Pick<Run, "wanted" | "session">, places: readonly Place[]) =>
  places.flatMap(({ id, server }) => {
    const request = wanted.find((one) => one.id === id)?.request
    const known = session.state().servers.get(server)
    return request === undefined || known === undefined
      ? []
      : [ownerOf(request, server, known.server.ends[known.end].client)]
  })

/** Keeps the mappings until it is told to stop, and deletes them then. */
const stay = async (run: Run, listen: (later: (event: ClientEvent) => void) => void): Promise<ExitCode> => {
  const { options, memory, session, report, board, stop } = run
  const isLive = options.live === true && options.json !== true && process.stdout.isTTY === true
  const table = isLive ? liveTable(board, paintFor(process.stdout)) : undefined
  listen((event) => {
    if (table === undefined) report.event(event)
    else table.update()
    if (event.type === "assigned" || event.type === "renewed") void memory.note(session.state(), clock.now())
  })
  await session.wait(() => false, { signal: stop.signal })
  session.command({ type: "stop", revoke: true })
  await session.wait(() => session.state().tasks.size === 0, { milliseconds: options.timeout ?? TIMEOUT })
  table?.end()
  await memory.leave(
    board().flatMap((place) => {
      const { standing } = place
      if (standing.kind !== "over" || !standing.answered) return []
      return ownersOf(run, [place]).map((owner) => ({ owner, lifetime: standing.lifetime ?? 0 }))
    }),
  )
  // PEER's are never deleted (RFC 6887 section 12.1): to leave them is all that can be done.
  const isDone = ({ standing }: Place): boolean =>
    standing.kind === "failed" || (standing.kind === "over" && (standing.answered || standing.how !== "revoked"))
  return board().every(isDone) ? Exit.DONE : Exit.PARTLY
}
