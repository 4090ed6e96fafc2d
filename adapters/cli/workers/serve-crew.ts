import { clock } from "#runtime"
import type { Page } from "../../../core/cgn/index.ts"
import { hasThirdParty } from "../../../core/server/index.ts"
import type { Endpoint } from "../../udp.ts"
import type { ServePlan } from "../config/plan.ts"
import type { Serving } from "../serving.ts"
import type { Sink } from "../sink.ts"
import type { Desk } from "./begin-crew.ts"
import type { Crew } from "./crew.ts"
import { lineOf } from "./fault-line.ts"
import type { Numbers } from "./orders.ts"
import { ownerOf, ownerRule } from "./owner.ts"
import { type Shared, shareOut, unsharable } from "./share.ts"
import { totalCount, totalCounters, totalKinds, totalPool } from "./total.ts"

type Shares = Extract<Shared, { readonly ok: true }>

/** Workers that listen, as one server. `isReset`: Epoch Time of some of them began again when they did. */
export const servingOf = (
  plan: ServePlan,
  { crew, failed, open }: Desk,
  first: Shares,
  local: readonly Endpoint[],
  isReset: boolean,
  sink: Sink,
): Serving => {
  let { settings } = plan
  let shares = first
  let numbers: readonly Numbers[] = []
  const read = async (): Promise<readonly Numbers[]> => crew.all("numbers", () => undefined)
  const page = pages(crew)

  const tellEpoch = (): Promise<undefined> => crew.call(0, "announce", undefined)
  /** One epoch for all clients (RFC 6887 section 8.5). `isTold`: there is a line of it, as external addresses came or went. */
  const beginEpoch = (isTold: boolean) => crew.all("reset", () => ({ isTold }))

  const apply = async (after: ServePlan): Promise<readonly string[]> => {
    const shared = reshare(plan, after, shares)
    if (!shared.ok) return [after.line(shared.fault.path, shared.fault.text)]
    const ask = (dry: boolean) => (number: number) => ({ settings: shared.shares[number], dry })
    for (const dry of [true, false]) {
      const done = await crew.all("apply", ask(dry))
      const lines = new Set(done.flatMap((one) => one.lines.map((line) => lineOf(after, line))))
      if (lines.size > 0) return [...lines]
      if (dry || !done.some(({ reset }) => reset)) continue
      await beginEpoch(true)
      await tellEpoch()
    }
    shares = shared
    settings = after.settings
    return []
  }

  return {
    check: undefined,
    local,
    page,
    count: async () => totalCount(await read()),
    filters: undefined,
    counters: async () => totalCounters((await read()).map(({ counters }) => counters)),
    announce: async () => {
      await tellEpoch()
    },
    revoke: async (internal, realm) => {
      const owner = ownerOf(ownerRule(settings, crew.workers), { internal, realm })
      const revoked = await crew.call(owner, "revoke", { internal, realm })
      // Of a third party's requests each worker may have to tell the source's own epoch.
      if (revoked.ok && hasThirdParty(settings.server))
        for (let other = 0; other < crew.workers; other++)
          if (other !== owner) await crew.call(other, "revoke", { internal, realm })
      return revoked
    },
    metrics: {
      refresh: async () => {
        numbers = await read()
      },
      counters: () => totalCounters(numbers.map(({ counters }) => counters)),
      epoch: () => numbers[0]?.epoch ?? 0,
      kinds: () => totalKinds(numbers),
      pool: () => totalPool(numbers, shares.kind, settings),
      latency: () => crew.all("latency", () => undefined),
    },
    open: async (lost) => {
      const isNew = lost || isReset
      if (isNew) await beginEpoch(isReset)
      const isDue = await crew.all("open", () => undefined)
      // One announcement (section 14.1.3), when whoever asks because of it is heard.
      if (isNew || isDue.includes(true)) await tellEpoch()
      // Whoever opens it says first that it listens.
      setImmediate(() => open(sink))
    },
    timed: () => {},
    apply,
    save: () =>
      plan.state &&
      crew
        .all("save", () => undefined)
        .then((all) => {
          const failedOne = all.find((saved) => saved?.ok === false)
          if (failedOne?.ok === false) return { ok: false, text: failedOne.text }
          return { ok: true, value: all.reduce((sum, saved) => sum + (saved?.ok ? saved.octets : 0), 0) }
        }),
    stop: async () => {
      const saved = await crew.settled("stop", () => ({ last: true }))
      // One that ended meanwhile is told already.
      return saved.every((one) => one.status === "fulfilled" && one.value?.ok !== false)
    },
    abandon: async () => {
      await crew.settled("stop", () => ({ last: false }))
    },
    end: () => crew.end(),
    failed,
  }
}

/** Other settings in shares, where the workers can go on with them: subscribers and addresses stay with whom they are. */
const reshare = (before: ServePlan, after: ServePlan, now: Shares): Shared => {
  const workers = now.shares.length
  if (workers === 1) return shareOut(after.settings, [undefined])
  const fault = unsharable(after.settings, workers)
  if (fault !== undefined) return { ok: false, fault }
  const anew = "is not changed while workers run: start it anew"
  const [was, is] = [before, after].map(({ settings }) => JSON.stringify(ownerRule(settings, workers)))
  if (was !== is) return { ok: false, fault: { path: ["subscriberPrefix"], text: `who has which subscriber ${anew}` } }
  const had = now.shares.map(({ cgn }) => new Set(cgn.external))
  const shared = shareOut(after.settings, had, true)
  if (!shared.ok) return shared
  const refused = (path: string): Shared => ({
    ok: false,
    fault: { path: [path], text: `how it is divided among ${workers} workers ${anew}` },
  })
  if (shared.kind !== now.kind)
    return refused(
      after.settings.cgn.assignment?.kind === before.settings.cgn.assignment?.kind ? "external" : "assignment",
    )
  // Another range has other parts, and one worker could assign what the next one still has.
  const [parts, others] = [now, shared].map(({ shares }) => JSON.stringify(shares.map(({ cgn }) => cgn.ports)))
  return shared.kind === "ports" && parts !== others ? refused("ports") : shared
}

/** Where in a listing of all workers a row of one of them is: rows are under 2^32. */
const SPAN = 2 ** 40

/** Pages of all workers' mappings, one worker after the other. */
const pages = (crew: Crew): Serving["page"] => {
  /** Milliseconds from a worker's clock to this thread's, taken once, so that a mapping's end reads the same in each listing. */
  const shifts = new Map<number, number>()
  return async (after, limit): Promise<Page> => {
    const number = Math.floor(after / SPAN)
    const next = number + 1 < crew.workers ? (number + 1) * SPAN : undefined
    const page = crew.isAlive(number)
      ? await crew.call(number, "page", { after: after % SPAN, limit }).catch(() => undefined)
      : undefined
    if (page === undefined) return { mappings: [], after: next }
    const shift = shifts.get(number) ?? clock.now() - page.now
    shifts.set(number, shift)
    return {
      mappings: page.mappings.map((mapping) => ({ ...mapping, expires: mapping.expires + shift })),
      after: page.after === undefined ? next : number * SPAN + page.after,
    }
  }
}
