/** Sets of ports in the model: RFC 7753, each port a mapping of its own. */
import { type Chosen, checkChoice, openEnds } from "./model-choice.ts"
import { type Ask, type Done, type ModelRequest, roomFor, serveDelete, serveMap } from "./model-mapping.ts"
import { endKey, live, type Model, type ModelEnd, type ModelSettings } from "./model-state.ts"

/** Ports that one request maps or deletes at most, and with filters. */
const MOST = 1024
const MOST_FILTERED = 32

const sizeOf = ({ options, internalPort }: Ask): number => {
  const { portSet, deleteFilters, filters } = options
  const most = deleteFilters || filters.length > 0 ? MOST_FILTERED : MOST
  return Math.min(portSet?.size ?? 1, most, 65536 - internalPort)
}

/** What is asked of port `i` of the set, as if it were asked for alone. */
const alone = (ask: Ask, i: number): Ask => ({
  ...ask,
  internalPort: ask.internalPort + i,
  suggestedPort: i === 0 ? ask.suggestedPort : 0,
  options: { ...ask.options, portSet: undefined },
})

/** The same without its filters: ports that are renewed beside the set keep theirs. */
const unfiltered = (ask: Ask): Ask => ({ ...ask, options: { ...ask.options, deleteFilters: false, filters: [] } })

const wantOf = (ask: Ask) => ({ ...ask, natPmp: false, exact: false })

interface Start {
  readonly external: string
  readonly externalPort: number
}

/** Renews ports of the range from `from` on that are there, where they may be. */
const renewRest = (
  settings: ModelSettings,
  model: Model,
  request: ModelRequest,
  ask: Ask,
  from: number,
  size: number,
): Model => {
  let after = model
  for (let i = from; i < size; i++) {
    const one = unfiltered(alone(ask, i))
    if (endOf(model, one, request.now) === undefined) continue
    // Where it is mapped already nothing is chosen.
    const done = serveMap(settings, after, request, undefined, { ...one, suggestedPort: 0 })
    if ("model" in done) after = done.model
  }
  return after
}

const endOf = (model: Model, ask: Ask, now: number): ModelEnd | undefined =>
  live(model.ends.get(endKey(ask.protocol, ask.internal, ask.internalPort)), now)

/** RFC 7753 sections 4.2 and 4.4.1. */
export const serveMapSet = (
  settings: ModelSettings,
  model: Model,
  request: ModelRequest,
  _: Chosen,
  ask: Ask,
): Done => {
  const { now } = request
  const size = sizeOf(ask)
  const first = alone(ask, 0)
  const lead = endOf(model, first, now)
  if (lead !== undefined) return extend(settings, model, request, ask, size, lead)
  let free = 1
  while (free < size && endOf(model, alone(ask, free), now) === undefined) free++
  const wanted = Math.min(free, roomFor(settings, model, ask.internal, now))
  if (wanted === 0) return { code: 10 }
  const start = request.made.find(({ internalPort }) => internalPort === ask.internalPort)
  if (start === undefined) {
    // A set with too many filters was chosen ends, but nobody learns which.
    if (request.answered === 13 && isTooMany(settings, ask)) return { code: 13 }
    const choice = checkChoice(settings, model, now, wantOf(first), undefined)
    return choice.is === "refused" ? { code: choice.code } : { wrong: choice.is === "wrong" ? choice.why : "a set" }
  }
  let run = 1
  while (run < free && isMade(request, ask.internalPort + run, start, run)) run++
  const wrong = judgeRun(settings, model, now, ask, wanted, run, start)
  if (wrong !== undefined) return { wrong }
  const mapped = mapRun(settings, model, request, ask, 0, run, start)
  if (!("model" in mapped)) return mapped
  return { ...mapped, model: renewRest(settings, mapped.model, request, ask, run, size), ports: run }
}

/** Did the server map this internal port `i` ports on from the set's start? */
const isMade = ({ made }: ModelRequest, port: number, { external, externalPort }: Start, i: number): boolean =>
  made.some((one) => one.internalPort === port && one.external === external && one.externalPort === externalPort + i)

const isTooMany = (settings: ModelSettings, { options }: Ask): boolean => {
  const { filters } = options
  const distinct = new Set(filters.map((one) => `${one.remote} ${one.prefixLength} ${one.remotePort}`))
  return distinct.size > settings.filterLimit
}

/** Maps ports `from` to `to` of the range side by side. */
const mapRun = (
  settings: ModelSettings,
  model: Model,
  request: ModelRequest,
  ask: Ask,
  from: number,
  to: number,
  start: Start,
): Done => {
  let last: Done = { wrong: "a set of no ports" }
  let first: Done | undefined
  let after = model
  for (let i = from; i < to; i++) {
    const end = { external: start.external, externalPort: start.externalPort + i }
    // Which end it is was judged as the run's: nothing is suggested for each port.
    const one = { ...alone(ask, i), suggested: end.external, suggestedPort: end.externalPort }
    last = serveMap({ ...settings, quota: 0, subscriberQuota: 0 }, after, request, end, one)
    if (!("model" in last)) return last
    after = last.model
    first ??= last
  }
  return first !== undefined && "model" in first ? { ...first, model: after } : last
}

/** Is a run of ports one that may be had, on an address that may be, and as long as RFC 7753 section 4.2 wants it? */
const judgeRun = (
  settings: ModelSettings,
  model: Model,
  now: number,
  ask: Ask,
  wanted: number,
  run: number,
  { external, externalPort }: Start,
): string | undefined => {
  const { ports } = settings
  const open = Array.from({ length: wanted }, (_, i) => openEnds(settings, model, now, wantOf(alone(ask, i))))
  const may = (start: number, i: number): boolean => open[i].mayHave(external, start + i)
  if (run < 1 || run > wanted) return `${run} ports are mapped, of ${wanted} that may be`
  for (let i = 0; i < run; i++) if (!may(externalPort, i)) return `port ${externalPort + i} can't be had`
  if (run < wanted && may(externalPort, run)) return `port ${externalPort + run} goes on with the set and is left out`
  const all = Array.from({ length: ports.last - ports.first + 1 }, (_, i) => ports.first + i)
  const isChoice = (port: number): boolean =>
    checkChoice(settings, model, now, wantOf(alone(ask, 0)), { external, externalPort: port }).is === "chosen"
  if (!all.some(isChoice)) return `${external} is not the address to be chosen`
  const fits = (port: number): boolean => !ask.options.portSet?.parity || port % 2 === ask.internalPort % 2
  const lengthFrom = (start: number): number => {
    let length = 0
    while (length < wanted && open[length].isFree(external, start + length)) length++
    return length
  }
  const longest = Math.max(0, ...all.filter(fits).map(lengthFrom))
  if (longest > 0 && !fits(externalPort)) return `port ${externalPort} has not the parity that can be had`
  return run < longest ? `${run} ports are mapped, and ${longest} side by side can be had` : undefined
}

/** The first port is mapped already: the run goes on from its external end. */
const extend = (
  settings: ModelSettings,
  model: Model,
  request: ModelRequest,
  ask: Ask,
  size: number,
  lead: ModelEnd,
): Done => {
  const { now } = request
  const first = serveMap(settings, model, request, undefined, alone(ask, 0))
  if (!("model" in first) || lead.fixed) return first
  const start = { external: lead.external, externalPort: lead.externalPort }
  let after = first.model
  let length = 1
  for (; length < size; length++) {
    const one = alone(ask, length)
    const end = endOf(after, one, now)
    if (end !== undefined) {
      if (end.external !== start.external || end.externalPort !== start.externalPort + length) break
      const done = serveMap(settings, after, request, undefined, one)
      // What was asked for the set is refused for the set: filters on one of its ports.
      if ("code" in done && serves(settings, after, request, one)) return done
      if (!("model" in done)) break
      after = done.model
      continue
    }
    const { mayHave } = openEnds(settings, after, now, wantOf(one))
    if (!settings.pool.includes(start.external) || !mayHave(start.external, start.externalPort + length)) break
    if (roomFor(settings, after, ask.internal, now) === 0) break
    const mapped = mapRun(settings, after, request, ask, length, length + 1, start)
    if (!("model" in mapped)) return mapped
    after = mapped.model
  }
  return { ...first, model: renewRest(settings, after, request, ask, length, size), ports: length }
}

/** Would a port be renewed but for its filters? */
const serves = (settings: ModelSettings, model: Model, request: ModelRequest, one: Ask): boolean =>
  "model" in serveMap(settings, model, request, undefined, unfiltered(one))

/** RFC 7753 section 4.4: the first as if alone; of the rest what the nonce has a right to. */
export const serveDeleteSet = (
  settings: ModelSettings,
  model: Model,
  request: ModelRequest,
  chosen: Chosen,
  ask: Ask,
): Done => {
  const size = sizeOf(ask)
  const first = serveDelete(settings, model, request, chosen, alone(ask, 0))
  if (!("model" in first)) return first
  let { model: after, lifetime } = first
  for (let i = 1; i < size; i++) {
    const done = serveDelete(settings, after, request, undefined, alone(ask, i))
    if (!("model" in done)) continue
    after = done.model
    lifetime = Math.max(lifetime, done.lifetime)
  }
  return { model: after, lifetime, end: undefined, ports: size }
}
