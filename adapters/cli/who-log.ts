import { z } from "zod"
import type { LoggedChange, LogRecord, Prefix } from "../../core/cgn/index.ts"
import { type Address, parseAddress } from "../../core/wire/index.ts"
import { readPrefix } from "./config/text.ts"
import { poolAddresses, readPool, readPorts } from "./pool.ts"
import type { Read } from "./read.ts"

/** A text of a log with a value of its own. */
const textual = <T>(read: (text: string) => Read<T>) =>
  z.string().transform((text, context): T => {
    const value = read(text)
    if (value.ok) return value.value
    context.addIssue({ code: "custom", message: value.text })
    return z.NEVER
  })

const address = textual((text): Read<Address> => {
  const parsed = parseAddress(text)
  return parsed === undefined ? { ok: false, text: "no address" } : { ok: true, value: parsed }
})
const port = z.int().min(0).max(65535)
const end = z.object({ address, port })
const time = z.string().transform((text) => Date.parse(text))
const prefix = textual<Prefix>(readPrefix)
const count = z.int().min(0)

const mapping = z
  .object({
    kind: z.enum(["map", "peer", "implicit", "static"]),
    protocol: z.int().min(0).max(255),
    realm: address.optional(),
    internal: end,
    external: end,
    remote: end.optional(),
  })
  .transform(({ kind, protocol, realm, internal, external, remote }) => ({
    kind,
    protocol,
    realm,
    internal: internal.address,
    internalPort: internal.port,
    external: external.address,
    externalPort: external.port,
    remote: remote?.address,
    remotePort: remote?.port ?? 0,
  }))

const common = {
  event: z.literal("assignment"),
  fresh: z.boolean(),
  external: textual(readPool).transform((spans) => poolAddresses(spans)),
  ports: textual((text) => readPorts(text)),
  subscriberPrefix: z.object({ ipv4: z.int().min(0).max(32), ipv6: z.int().min(0).max(128) }),
}

const assignment = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("random"), ...common }),
  z.object({ kind: z.literal("blocks"), size: count, limit: count, ...common }),
  z.object({
    kind: z.literal("deterministic"),
    internal: z.array(prefix),
    realms: z.boolean().optional(),
    ratio: count.optional(),
    dynamic: z.object({ factor: count, size: count, maximum: count }).optional(),
    ...common,
  }),
])

const change = z.union([
  z
    .object({ event: z.enum(["created", "deleted", "expired"]), mapping })
    .transform(({ event, mapping }): LoggedChange => ({ type: event, mapping })),
  z.object({ event: z.literal("moved"), mapping, from: end }).transform(
    ({ mapping, from }): LoggedChange => ({
      type: "moved",
      mapping,
      external: from.address,
      externalPort: from.port,
    }),
  ),
  z
    .object({
      event: z.enum(["block", "block-over"]),
      subscriber: prefix.optional(),
      realm: address.optional(),
      external: z.object({ address, firstPort: port, lastPort: port }),
    })
    .transform(
      ({ event, subscriber, realm, external }): LoggedChange => ({
        type: event,
        internal: subscriber?.address ?? external.address,
        prefixLength: subscriber?.prefixLength ?? 0,
        realm,
        external: external.address,
        firstPort: external.firstPort,
        lastPort: external.lastPort,
      }),
    ),
  assignment.transform(
    ({ event: _event, fresh, external, ports, subscriberPrefix, ...assigned }): LoggedChange => ({
      type: "assignment",
      fresh,
      settings: { assignment: assigned, external, ports, subscriberPrefix },
    }),
  ),
])

const TOLD = new Set(["created", "deleted", "expired", "moved", "block", "block-over", "assignment"])
const head = z.object({ event: z.string(), time: time.optional() })

/** What a line of a log says: `undefined` where that decides nothing here, "bad" where it cannot be read. */
export const readLine = (line: string): LogRecord | "bad" | undefined => {
  const value = parsed(line)
  const start = head.safeParse(value)
  if (!start.success) return "bad"
  if (!TOLD.has(start.data.event)) return undefined
  const at = start.data.time ?? Number.NaN
  const read = change.safeParse(value)
  return read.success && !Number.isNaN(at) ? { at, change: read.data } : "bad"
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
