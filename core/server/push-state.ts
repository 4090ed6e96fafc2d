import { readAddress, sliceOctets, writeAddress } from "../wire/index.ts"
import { NO_PUSHES, type Pushes, type Series, type Update } from "./push.ts"
import { emptyQueue, firstOf, pushed, type Queue, shifted } from "./queue.ts"
import { getFrom, setIn } from "./trie.ts"

/** Octets of an announcement, and of an update but for its key and its datagram. */
const SERIES = 32
const UPDATE = 80

const NO_REALM = 1
const ERROR = 2

type Due = { readonly update: Update; readonly at: number }

/**
 * What is still to be sent, as octets, little-endian, times in milliseconds from `now` as 64-bit floats. First how many
 * announcements and how many updates, 4 octets each, then:
 *
 * | octets of an announcement | |
 * | --- | --- |
 * | 0, 1, 2–3 | 1 if it goes to one client, else 0; transmissions so far; that client's port |
 * | 8–15, 16–31 | when the next is due; the client's address |
 *
 * | octets of an update | |
 * | --- | --- |
 * | 0, 1, 2–3 | transmissions so far; 1 no realm, 2 error; port |
 * | 4–5, 6–7 | UTF-16 units of its key, octets of its datagram |
 * | 8–15, 16–23, 24–27 | when the next is due; when the lifetime told ends; the error's lifetime, seconds |
 * | 32–47, 48–63, 64–79 | destination, subscriber, realm |
 * | 80– | key, then datagram |
 */
export const savePushes = (pushes: Pushes, now: number): Uint8Array => {
  const updates = pushes.queues.flatMap((queue, stage) =>
    itemsOf<Due>(queue).flatMap(({ update, at }) =>
      getFrom(pushes.pending, update.key) === update ? [{ stage, update, at }] : [],
    ),
  )
  const length = updates.reduce((sum, { update }) => sum + UPDATE + 2 * update.key.length + update.bytes.length, 0)
  const bytes = new Uint8Array(8 + SERIES * pushes.series.length + length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, pushes.series.length, true)
  view.setUint32(4, updates.length, true)
  let from = 8
  for (const { to, sent, at } of pushes.series) {
    bytes.set([to === undefined ? 0 : 1, sent], from)
    view.setFloat64(from + 8, at - now, true)
    if (to !== undefined) {
      view.setUint16(from + 2, to.port, true)
      writeAddress(bytes, from + 16, to.address)
    }
    from += SERIES
  }
  for (const { stage, update, at } of updates) {
    const { key, destination, subscriber, realm, expires, errorLifetime } = update
    bytes.set([stage, (realm === undefined ? NO_REALM : 0) | (errorLifetime === undefined ? 0 : ERROR)], from)
    view.setUint16(from + 2, destination.port, true)
    view.setUint16(from + 4, key.length, true)
    view.setUint16(from + 6, update.bytes.length, true)
    view.setFloat64(from + 8, at - now, true)
    view.setFloat64(from + 16, expires - now, true)
    view.setUint32(from + 24, errorLifetime ?? 0, true)
    writeAddress(bytes, from + 32, destination.address)
    writeAddress(bytes, from + 48, subscriber)
    if (realm !== undefined) writeAddress(bytes, from + 64, realm)
    from += UPDATE
    for (let i = 0; i < key.length; i++) view.setUint16(from + 2 * i, key.charCodeAt(i), true)
    bytes.set(update.bytes, from + 2 * key.length)
    from += 2 * key.length + update.bytes.length
  }
  return bytes
}

const itemsOf = <T>(queue: Queue<T>): readonly T[] => {
  const items: T[] = []
  for (let rest = queue, item = firstOf(rest); item !== undefined; rest = shifted(rest), item = firstOf(rest))
    items.push(item)
  return items
}

/** What {@link savePushes} wrote, `now` being that instant on the clock of today; `undefined` if it wrote no such thing. */
export const restorePushes = (bytes: Uint8Array, now: number): Pushes | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8) return undefined
  let from = 8
  const series: Series[] = []
  for (let n = view.getUint32(0, true); n > 0; n--) {
    if (from + SERIES > bytes.length) return undefined
    const at = now + view.getFloat64(from + 8, true)
    if (bytes[from] > 1 || Number.isNaN(at)) return undefined
    const to = { address: readAddress(bytes, from + 16), port: view.getUint16(from + 2, true) }
    series.push({ to: bytes[from] === 0 ? undefined : to, sent: bytes[from + 1], at })
    from += SERIES
  }
  const queues: [Queue<Due>, Queue<Due>, Queue<Due>] = [emptyQueue(), emptyQueue(), emptyQueue()]
  let { pending } = NO_PUSHES
  const count = view.getUint32(4, true)
  for (let n = 0; n < count; n++) {
    if (from + UPDATE > bytes.length) return undefined
    const units = view.getUint16(from + 4, true)
    const start = from + UPDATE + 2 * units
    const end = start + view.getUint16(from + 6, true)
    const stage = bytes[from]
    const at = now + view.getFloat64(from + 8, true)
    if (end > bytes.length || (stage !== 0 && stage !== 1 && stage !== 2) || Number.isNaN(at)) return undefined
    const codes = Array.from({ length: units }, (_, i) => view.getUint16(from + UPDATE + 2 * i, true))
    const flags = bytes[from + 1]
    const update: Update = {
      key: String.fromCharCode(...codes),
      bytes: sliceOctets(bytes, start, end),
      destination: { address: readAddress(bytes, from + 32), port: view.getUint16(from + 2, true) },
      subscriber: readAddress(bytes, from + 48),
      realm: (flags & NO_REALM) !== 0 ? undefined : readAddress(bytes, from + 64),
      expires: now + view.getFloat64(from + 16, true),
      errorLifetime: (flags & ERROR) === 0 ? undefined : view.getUint32(from + 24, true),
    }
    queues[stage] = pushed(queues[stage], { update, at })
    pending = setIn(pending, update.key, update)
    from = end
  }
  if (from !== bytes.length) return undefined
  return series.length === 0 && count === 0 ? NO_PUSHES : { series, queues, pending }
}
