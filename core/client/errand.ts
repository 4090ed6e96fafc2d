import { ANNOUNCE_BODY, encode, NO_OPTIONS } from "../wire/index.ts"
import { type Draft, put, setServer } from "./draft.ts"
import type { Failure } from "./event.ts"
import { errorLifetime, fail, giveUp } from "./fail.ts"
import { endOf, natPmpBar, type ServerState } from "./server.ts"
import type { AddressTask, Probe, UnmapAll } from "./task.ts"
import { isOver, transmit } from "./transmit.ts"

/** What is asked of a server once, and has no lifetime. */
export type Errand = Probe | AddressTask | UnmapAll

/** Sends an errand's request, for the first time or again, or gives it up. */
export const runErrand = (draft: Draft, task: Errand, server: ServerState): void => {
  const failure = { kind: "no-answer", sent: task.exchange?.sent ?? 0 } as const
  if (isOver(draft, task, server)) {
    // A gateway that maps ports and does not say its address is there.
    if (isOwn(task)) failOwn(draft, task, server, failure)
    else giveUp(draft, task, server, failure)
    return
  }
  const bar = task.kind === "probe" && task.protocol === "nat-pmp" ? natPmpBar(server) : undefined
  if (bar !== undefined) {
    fail(draft, task, server, { kind: "beyond-nat-pmp", text: bar })
    return
  }
  if (server.silentUntil > draft.now) {
    put(draft, { ...task, due: server.silentUntil })
    return
  }
  const encoded = encode(packetOf(task, server))
  if (encoded.ok) transmit(draft, task, server, encoded.bytes, "create")
  else fail(draft, task, server, failure)
}

/** Did the client ask by itself, for the address of its mappings? */
export const isOwn = ({ kind, id }: Errand): boolean => kind === "address" && id === ""

/** The address is not said: mappings go without it until it is worth asking again. */
export const failOwn = (draft: Draft, task: Errand, server: ServerState, failure: Failure): void => {
  fail(draft, task, server, failure)
  setServer(draft, task.server, { noExternalUntil: draft.now + errorLifetime(failure, draft.settings) * 1000 })
}

const packetOf = (task: Errand, server: ServerState): Parameters<typeof encode>[0] => {
  if (task.kind === "unmap-all")
    return { kind: "natpmp-map-request", protocol: task.transport, internalPort: 0, externalPort: 0, lifetime: 0 }
  if (task.protocol === "nat-pmp") return { kind: "natpmp-address-request" }
  // A lifetime of 0 (RFC 6887 section 14.1.2, C-55).
  return { kind: "pcp-request", lifetime: 0, client: endOf(server).client, body: ANNOUNCE_BODY, options: NO_OPTIONS }
}
