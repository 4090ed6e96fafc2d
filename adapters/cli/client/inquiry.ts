import {
  type AddressClass,
  type Assigned,
  type ClientEvent,
  type ClientServer,
  type Failure,
  listLeases,
} from "../../../core/client/index.ts"
import { type Address, familyOf, Protocol } from "../../../core/wire/index.ts"
import type { Read } from "../read.ts"
import { type ServerOptions, TIMEOUT } from "./server-options.ts"
import { openSession, type Session } from "./session.ts"
import { stopSignal } from "./stop-signal.ts"
import { waitingLine } from "./waiting-line.ts"

/** What a server said to one question; `undefined`: nothing yet, or it was not asked. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure }
  | undefined

/** What one server said of itself. */
export interface Inquiry {
  readonly server: ClientServer
  /** Of ANNOUNCE, or of NAT-PMP where it speaks that alone. */
  readonly announced: Reply<{ readonly protocol: "pcp" | "nat-pmp"; readonly epoch: number; readonly result: number }>
  /** Of NAT-PMP's external address (RFC 6886 section 3.2). */
  readonly address: Reply<{ readonly external: Address; readonly class: AddressClass }>
  /** Of a mapping of UDP port 9, which is deleted at the end. */
  readonly mapped: Reply<Assigned>
}

/** What to ask. */
export interface Questions {
  readonly announce?: boolean
  readonly address?: boolean
  /** `fallback`: only of servers that do not tell their address by NAT-PMP. */
  readonly mapping?: boolean | "fallback"
}

/** Discard (RFC 6887 section 11.6): nobody is let in to anything. Seconds: the shortest lifetime that servers should grant (section 15). */
const DISCARD = { kind: "inbound", protocol: Protocol.UDP, internalPort: 9, lifetime: 120 } as const

/** Milliseconds without a word of NAT-PMP, until PCP is asked instead: four transmissions (RFC 6886 section 3.1). */
const FALLBACK = 3000
/** Milliseconds that silent gateways which were only guessed at have, where another one has answered. */
const GRACE = 4000
/** Milliseconds for the answers to deletions. */
const FAREWELL = 3000

type Draft = { -readonly [K in keyof Inquiry]: Inquiry[K] }

/** Asks servers about themselves, and waits for the answers or until the time is up. */
export const inquire = async (
  servers: readonly ClientServer[],
  named: boolean,
  questions: Questions,
  options: ServerOptions,
): Promise<Read<readonly Inquiry[]>> => {
  const drafts = new Map<string, Draft>(
    servers.map((server) => [server.name, { server, announced: undefined, address: undefined, mapped: undefined }]),
  )
  const asksAddress = ({ ends }: ClientServer): boolean =>
    questions.address === true && !options.pcp && familyOf(ends[0].client) === "ipv4"
  const asksMapping = (draft: Draft): boolean =>
    questions.mapping === true ||
    (questions.mapping === "fallback" &&
      !options.natPmp &&
      (!asksAddress(draft.server) || draft.address?.ok === false || late))
  let late = false
  const opened = openSession({
    servers,
    tell: (event) => {
      if (!("server" in event)) return
      const draft = drafts.get(event.server)
      if (draft === undefined) return
      take(draft, event)
      if (questions.mapping === "fallback" && draft.address?.ok === false) map(draft)
    },
  })
  if (!opened.ok) return opened
  const session = opened.value
  const mapping = new Set<string>()
  const map = ({ server }: Draft): void => {
    const { name } = server
    if (mapping.has(name)) return
    mapping.add(name)
    session.command({
      type: "request",
      id: mappingOf(server),
      request: DISCARD,
      mode: { kind: "once" },
      servers: [name],
    })
  }
  for (const draft of drafts.values()) {
    const { name } = draft.server
    if (questions.announce) session.command({ type: "announce", id: `announce ${name}`, servers: [name] })
    if (asksAddress(draft.server)) session.command({ type: "external-address", id: `address ${name}`, servers: [name] })
    if (asksMapping(draft)) map(draft)
  }
  const isWhole = (draft: Draft): boolean =>
    (!questions.announce || draft.announced !== undefined) &&
    (!asksMapping(draft) || draft.mapped !== undefined) &&
    (!asksAddress(draft.server) || draft.address !== undefined || draft.mapped !== undefined)
  const stop = stopSignal()
  const limit = options.timeout ?? TIMEOUT
  const began = performance.now()
  const all = [...drafts.values()]
  const fallback = setTimeout(() => {
    late = true
    if (questions.mapping === "fallback") for (const draft of all) if (draft.address === undefined) map(draft)
  }, FALLBACK)
  const line = waitingLine(
    () => `asking ${all.flatMap((draft) => (isWhole(draft) ? [] : [draft.server.name])).join(", ")}`,
  )
  const isDone = (): boolean => all.every(isWhole)
  const isGood = (): boolean => !named && all.some((draft) => isWhole(draft) && hasAnswered(draft))
  const { signal } = stop
  await session.wait(() => isDone() || isGood(), { milliseconds: limit, signal })
  const left = Math.max(0, Math.min(limit, GRACE) - (performance.now() - began))
  if (!isDone() && isGood() && !signal.aborted) await session.wait(isDone, { milliseconds: left, signal })
  line.end()
  clearTimeout(fallback)
  await leave(session, all)
  stop.forget()
  await session.close()
  return { ok: true, value: all }
}

/** Has it said anything? */
export const hasAnswered = ({ announced, address, mapped }: Inquiry): boolean =>
  [announced, address, mapped].some(
    (reply) => reply !== undefined && (reply.ok || !["no-answer", "unreachable"].includes(reply.failure.kind)),
  )

const take = (draft: Draft, event: ClientEvent): void => {
  switch (event.type) {
    case "announced": {
      if (event.id === undefined) return
      const { protocol, epoch, result } = event
      draft.announced = { ok: true, value: { protocol, epoch, result } }
      break
    }
    case "external-address":
      if (event.id !== undefined) draft.address = { ok: true, value: { external: event.external, class: event.class } }
      break
    case "failed": {
      const failed = { ok: false, failure: event.failure } as const
      if (event.id.startsWith("announce ")) draft.announced = failed
      else draft.address = failed
      break
    }
    case "assigned":
      draft.mapped = { ok: true, value: event.mapping }
      break
    case "state":
      if (event.state.kind === "error" && draft.mapped === undefined)
        draft.mapped = { ok: false, failure: event.state.failure }
      break
    default:
      break
  }
}

/** Deletes what was mapped to learn something; what was not answered, if it is there, ends by itself soon. */
const leave = async (session: Session, drafts: readonly Draft[]): Promise<void> => {
  for (const { server, mapped } of drafts) if (mapped?.ok) session.command({ type: "revoke", id: mappingOf(server) })
  const isDone = (): boolean => listLeases(session.state()).every(({ mapping }) => mapping === undefined)
  await session.wait(isDone, { milliseconds: FAREWELL })
}

/** What events call the mapping that is made to learn something. */
const mappingOf = ({ name }: ClientServer): string => `map ${name}`
