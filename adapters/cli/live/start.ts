import { Buffer } from "node:buffer"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import { entropy } from "#runtime"
import type { Mapping, Page } from "../../../core/cgn/index.ts"
import type { Clock } from "../../host.ts"
import type { LiveMessage, LiveRow } from "../../live/index.ts"
import { reasonOf } from "../../system-error.ts"
import { complain } from "../complain.ts"
import type { ServePlan } from "../config/plan.ts"
import { findPage } from "../playground/page-file.ts"
import { isSameSecret, refuse, startWeb } from "../playground/web.ts"
import type { Read } from "../read.ts"
import type { Serving } from "../serving.ts"
import { version } from "../version.ts"
import type { Feed } from "./feed.ts"
import { createReaders, type Readers } from "./readers.ts"

/** A server that can be watched in the playground. */
export interface Live {
  /** Whoever has it may watch; nobody else on this machine does. */
  readonly url: string
  stop(): Promise<void>
}

/** Pages at the same time. */
const MOST_READERS = 8
/** Milliseconds between two messages. */
const BEAT = 100
/** Milliseconds until a message goes though nothing has happened, and until all mappings are looked at again. */
const IDLE = 1000
const AGAIN = 10_000
/** Mappings that a page is told of, and of one piece: between two the server answers. */
const WINDOW = 10_000
const PIECE = 250

/** Lets pages watch a server, on loopback: `port` 0 is one that the system chooses. */
export const startLive = async (
  port: number,
  plan: ServePlan,
  serving: Serving,
  feed: Feed,
  clock: Clock,
): Promise<Read<Live>> => {
  const file = findPage()
  if (!file.ok) return file
  const { html } = file.value
  if (!html.includes(NOWHERE)) return { ok: false, text: `${file.value.path} is no page of this playground` }
  const token = Buffer.from(entropy(16)).toString("base64url")
  const path = `/${token}/`
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false })
  const readers = createReaders({
    hello: () => helloOf(plan, serving, clock),
    now: clock.now,
    rows: (isWanted) => rowsOf(serving, isWanted),
    watched: (isWatched) => {
      feed.watch(isWatched)
      if (isWatched) beat = beating()
      else clearInterval(beat)
    },
  })
  let beat: NodeJS.Timeout | undefined
  const beating = (): NodeJS.Timeout => startBeat(readers, serving, feed, clock)

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, host: string): void => {
    // A page of another origin may open a WebSocket to anywhere: its browser says here whose it is, and asks nobody.
    if (request.headers.origin !== `http://${host}`) refuse(socket, "403 Forbidden")
    else if (!isSameSecret(request.url ?? "", `${path}live`)) refuse(socket, "404 Not Found")
    else if (readers.count() >= MOST_READERS) refuse(socket, "503 Service Unavailable")
    else sockets.handleUpgrade(request, socket, head, readers.add)
  }
  const web = await startWeb({ port, path, page: (host) => livePage(html, host), upgrade })
  if (!web.ok) return web
  return {
    ok: true,
    value: {
      url: web.value.url,
      stop: async () => {
        clearInterval(beat)
        readers.stop()
        await web.value.stop()
      },
    },
  }
}

const NOWHERE = "connect-src 'none'"

/** The page as it is served here: it may connect to this server alone, and knows that it can. */
const livePage = (html: string, host: string): string =>
  html.replace(NOWHERE, () => `connect-src ws://${host}`).replace("<html", "<html data-live")

const helloOf = ({ settings }: ServePlan, serving: Serving, clock: Clock): LiveMessage => ({
  type: "hello",
  version: version(),
  kind: settings.server.profile.kind,
  quota: settings.cgn.quota,
  local: serving.local,
  external: serving.metrics.pool() === undefined ? [] : settings.cgn.external.slice(0, 256),
  now: clock.now(),
})

const rowOf =
  ({ filters }: Serving) =>
  (mapping: Mapping): LiveRow => ({
    mapping,
    filters: mapping.kind === "map" && filters !== undefined ? filters(mapping) : [],
  })

async function* rowsOf(serving: Serving, isWanted: () => boolean): AsyncGenerator<LiveMessage> {
  let count = 0
  for (let after: number | undefined = 0; after !== undefined && count < WINDOW && isWanted(); ) {
    const page: Page = await serving.page(after, PIECE)
    count += page.mappings.length
    after = page.after
    yield { type: "rows", rows: page.mappings.map(rowOf(serving)) }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Tells again and again what has happened. */
const startBeat = (readers: Readers, serving: Serving, feed: Feed, clock: Clock): NodeJS.Timeout => {
  let [toldAt, listedAt] = [Number.NEGATIVE_INFINITY, clock.now()]
  let isBusy = false
  let isStale = false
  const tell = async (): Promise<void> => {
    const now = clock.now()
    const { set, gone, events, missed, overflowed } = feed.take()
    const total = await serving.count()
    isStale ||= overflowed || (total >= WINDOW && gone.length > 0)
    if (isStale && now - listedAt >= AGAIN) {
      isStale = false
      listedAt = now
      readers.renew()
    }
    if (set.length + gone.length + events.length === 0 && now - toldAt < IDLE) return
    toldAt = now
    const [counters, pool] = [await serving.counters(), serving.metrics.pool()]
    const epoch = serving.metrics.epoch()
    const rows = set.map(rowOf(serving))
    readers.tell({ type: "tick", now, epoch, total, set: rows, gone, events, missed, counters, pool })
  }
  return setInterval(() => {
    if (isBusy) return
    isBusy = true
    tell()
      .catch((cause) => complain(`playground: ${reasonOf(cause)}`))
      .finally(() => {
        isBusy = false
      })
  }, BEAT)
}
