import { type CacheEntry, formatMac, macOf, type Outcome } from "../../../core/overlay/index.ts"
import { type Overlay, type OverlayEndpoint, OverlayError, readProperty } from "../../overlay/index.ts"
import type { Answers } from "../control/request.ts"
import { formatEndpoint } from "../endpoint.ts"
import { propertyRecord } from "./property-record.ts"
import { type OverlayRequest, readOverlayRequest } from "./request.ts"
import { targetRecord } from "./target.ts"

/** Entries in one part of a listing. */
const PAGE = 500
/** Milliseconds that a lookup may take: whoever asks waits ten seconds for a line. */
const PATIENCE = 8000

/** Answers what running overlays are asked. */
export const overlayAnswers = (endpoint: OverlayEndpoint): Answers<OverlayRequest> => ({
  read: readOverlayRequest,
  answer: (request) => answer(endpoint, request),
})

async function* answer(endpoint: OverlayEndpoint, request: OverlayRequest): AsyncGenerator<readonly object[]> {
  const { command } = request
  const all =
    request.overlay === undefined ? endpoint.overlays : endpoint.overlays.filter((one) => one.name === request.overlay)
  const [only, ...others] = all
  if (only === undefined) {
    yield [misused(`there is no overlay ${request.overlay}`)]
    return
  }
  if (command === "status") {
    yield all.map(statusRecord)
    yield [{ end: true, ...endpoint.counters() }]
    return
  }
  if (command === "cache-list") {
    for (const one of all) yield* listing(one)
    yield [{ end: true }]
    return
  }
  if (command === "props") {
    yield all.flatMap((one) =>
      one.properties().map(({ info, octets }) => ({ overlay: one.name, ...propertyRecord(info, octets) })),
    )
    yield [{ end: true }]
    return
  }
  if (others.length > 0) {
    yield [misused(`there are several overlays, choose one: ${all.map(({ name }) => name).join(", ")}`)]
    return
  }
  yield [await single(only, request)]
}

const single = async (
  overlay: Overlay,
  request: Exclude<OverlayRequest, { command: "status" | "cache-list" | "props" }>,
): Promise<object> => {
  switch (request.command) {
    case "lookup":
      return lookup(overlay, request.mac)
    case "cache-flush":
      return ended(overlay.flush())
    case "cache-delete":
      return ended(overlay.remove(request.mac))
    case "cache-set":
      return ended(overlay.set({ mac: request.mac, target: request.target }))
    case "set": {
      const known = overlay.properties().find(({ info }) => info.name === request.property)
      if (known === undefined) return misused(`EINVAL: there is no property ${request.property}`)
      const octets = readProperty(known.info, request.value)
      const set = octets.ok ? await overlay.setProperty(request.property, octets.value) : octets
      return set.ok ? { end: true } : misused(`${set.error}: ${set.text}`)
    }
    default:
      return { error: "there is no such command" }
  }
}

/** What is wrong is what was asked for. */
const misused = (error: string): object => ({ error, usage: true })

const ended = (result: Outcome<unknown>): object =>
  result.ok ? { end: true } : { error: `${result.error}: ${result.text}` }

const lookup = async (overlay: Overlay, mac: CacheEntry["mac"]): Promise<object> => {
  try {
    const target = await overlay.lookup(mac, { timeout: PATIENCE })
    return { end: true, ...entryRecord(overlay, { mac, target }) }
  } catch (cause) {
    if (cause instanceof OverlayError && cause.code === "ETIMEDOUT") return { end: true, late: true }
    throw cause
  }
}

const entryRecord = ({ name }: Overlay, { mac, target }: CacheEntry): object => ({
  overlay: name,
  mac: formatMac(mac),
  target: targetRecord(target),
})

async function* listing(overlay: Overlay): AsyncGenerator<readonly object[]> {
  for (let from: CacheEntry["mac"] | undefined = macOf(0); from !== undefined; ) {
    const page = overlay.list(from, PAGE)
    if (!page.ok) return
    yield page.value.entries.map((entry) => entryRecord(overlay, entry))
    from = page.value.next
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** What `status` says of an overlay. */
const statusRecord = (overlay: Overlay): object => {
  const { name, vnetid, plugin, id, mtu, local, kernel } = overlay
  const text = overlay.degraded()
  return {
    overlay: name,
    vnetid,
    plugin,
    id,
    mtu,
    listen: formatEndpoint(local),
    kernel: kernel === undefined ? null : formatEndpoint(kernel),
    status: text === undefined ? "online" : "degraded",
    reason: text ?? null,
    counters: overlay.counters(),
  }
}
