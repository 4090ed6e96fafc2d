import type {
  Cgn,
  CgnDone,
  CgnResult,
  Change,
  InternalEnd,
  Mapping,
  NoncePolicy,
  PeerAsk,
} from "../../core/cgn/index.ts"
import { type Address, hasPorts, ResultCode } from "../../core/wire/index.ts"
import type { Adopted } from "./adopted.ts"
import type { Tracked, Tuple } from "./ctnetlink.ts"

/** Questions that one request may still have the kernel asked. */
export interface Questions {
  left: number
}

/** What the kernel knows that the server's own CGN does not. */
export interface KernelKnowledge {
  /**
   * Seconds until an internal end's mapping would end if its host sent no more packets by it, as its connections are the only ones
   * that tell; 0: it has none. Where no question is left, those that events told of are taken to be there, for as long as they can be.
   */
  remaining(end: InternalEnd, questions: Questions): number
  /** What one request may ask of the kernel. */
  questions(): Questions
  /** The most that {@link remaining} says of a protocol. */
  most(protocol: number): number
  /** Internal ends with connections by mappings, of these consecutive ports of a host. */
  endsOf(first: InternalEnd, ports: number): Iterable<InternalEnd>
  /** The connection that packets of this direction belong to. */
  connection(tuple: Tuple): Tracked | undefined
  /** Seconds for which a connection alone keeps its external end. */
  left(connection: Tracked): number
  /** Did the kernel choose this external end? */
  isKernels(end: ExternalEnd): boolean
  /** Is it any of this device's? */
  isOurs(external: Address): boolean
  readonly adopted: Adopted
  readonly limits: AdoptionLimits
}

/** An external address and port. */
export interface ExternalEnd {
  readonly external: Address
  readonly externalPort: number
}

/** What holds for PEER of the kernel's own connections. */
export interface AdoptionLimits {
  /** Such mappings of one host; 0: as many as it likes. */
  readonly quota: number
  readonly noncePolicy: NoncePolicy
}

/** Such mappings in all: some hundred octets each, and all of them are looked at again and again. */
const MOST = 1 << 16

/** Where a connection's packets of this direction leave, or came to. */
export const externalOf = ({ original, reply }: Tracked, { source, sourcePort }: Tuple): ExternalEnd =>
  original.source === source && original.sourcePort === sourcePort
    ? { external: reply.destination, externalPort: reply.destinationPort }
    : { external: original.destination, externalPort: original.destinationPort }

/**
 * A CGN that minds the connections which the kernel has (RFC 6887 sections 12.3 and 15).
 *
 * - A MAP request that deletes a mapping or makes it shorter leaves it what its outbound traffic alone would give it (S-131),
 *   and the answer says so. NAT-PMP has no such rule, and no lifetime above what was asked (RFC 6886 sections 3.3 and 3.4).
 * - A PEER request for a connection that is there is answered with the external end that the connection has, which the kernel chose.
 *   Such a mapping is in {@link Adopted}, not in the CGN's state: it is as good as its connection, whose external end no other
 *   connection with that remote peer can have while it lives. Its changes are like any other's.
 * - A MAP request for the internal end of such connections gets an external port of its own, and they keep theirs: section 11.3
 *   would have it copy theirs (S-47), but the kernel gives the same port to other hosts too, for other remote peers.
 */
export const trackedCgn = <S>(cgn: Cgn<S>, known: KernelKnowledge): Cgn<S> => ({
  ...cgn,
  addMapping: (state, ask, now) => {
    if (ask.origin !== "pcp" || ask.realm !== undefined || ask.lifetime >= known.most(ask.protocol))
      return cgn.addMapping(state, ask, now)
    let least = ask.lifetime
    let questions: Questions | undefined
    for (const end of known.endsOf(ask, ask.portSet?.size ?? 1)) {
      questions ??= known.questions()
      least = Math.max(least, known.remaining(end, questions))
      if (least >= known.most(ask.protocol)) break
    }
    return cgn.addMapping(state, least > ask.lifetime ? { ...ask, lifetime: least } : ask, now)
  },
  delMapping: (state, ask, now) => {
    const done = cgn.delMapping(state, ask, now)
    if (done.outcome === "refused" || ask.origin !== "pcp" || ask.realm !== undefined) return done
    // Only outbound ones are there: no request deletes those (RFC 6887 section 15.1).
    if (!done.changes.some(({ type }) => type === "deleted") && known.adopted.has(ask) && done.lifetime === 0)
      return { outcome: "refused", code: ResultCode.NOT_AUTHORIZED, lifetime: undefined }
    return leaveIdle(cgn, state, done, now, known)
  },
  addDynamic: (state, ask, now) => {
    const tuple = {
      protocol: ask.protocol,
      source: ask.internal,
      sourcePort: ask.internalPort,
      destination: ask.remote,
      destinationPort: ask.remotePort,
    }
    const isKnown = ask.realm === undefined && hasPorts(ask.protocol)
    const found = isKnown ? known.connection(tuple) : undefined
    const at = found === undefined ? undefined : externalOf(found, tuple)
    const before = isKnown ? known.adopted.of(tuple) : undefined
    if (found !== undefined && at !== undefined && known.isKernels(at))
      return adopt(state, ask, now, at, known.left(found), before, known)
    const done = dynamic(cgn, state, ask, now, at, known)
    // Its connection is over, and so is what there was of it.
    return done.outcome === "refused" || before === undefined
      ? done
      : { ...done, changes: [{ type: "expired", mapping: before }, ...done.changes] }
  },
})

/** What a deletion came to, but that mappings with outbound traffic go on for as long as that alone would keep them. */
const leaveIdle = <S>(cgn: Cgn<S>, state: S, done: CgnDone<S>, now: number, known: KernelKnowledge): CgnResult<S> => {
  let lifetime = 0
  const questions = known.questions()
  const left: Mapping[] = []
  const renewed = done.changes.map((change): Change => {
    const seconds =
      change.type === "deleted" && change.mapping.kind === "map" ? known.remaining(change.mapping, questions) : 0
    if (seconds === 0 || change.type !== "deleted") return change
    lifetime = Math.max(lifetime, seconds)
    left.push(change.mapping)
    return { type: "renewed", mapping: { ...change.mapping, expires: now + seconds * 1000 } }
  })
  if (lifetime === 0) return done
  // Their external ends are not free.
  const changes = renewed.filter((change) => !left.some((mapping) => isOfEnd(change, mapping)))
  return { ...done, state: cgn.apply(state, changes), lifetime, changes }
}

const isOfEnd = (change: Change, { protocol, external, externalPort }: Mapping): boolean => {
  switch (change.type) {
    case "held":
      return change.protocol === protocol && change.external === external && change.externalPort === externalPort
    case "block-over":
      return change.external === external && change.firstPort <= externalPort && externalPort <= change.lastPort
    default:
      return false
  }
}

/**
 * PEER by the CGN itself. Where the connection has an external end that mappings may have, from one that ran out perhaps, that is
 * asked for; what the client suggests does not matter to a connection that is there.
 */
const dynamic = <S>(
  cgn: Cgn<S>,
  state: S,
  ask: PeerAsk,
  now: number,
  at: ExternalEnd | undefined,
  known: KernelKnowledge,
): CgnResult<S> => {
  let idle = 0
  if (ask.realm === undefined) for (const end of known.endsOf(ask, 1)) idle = known.remaining(end, known.questions())
  const asked = ask.lifetime === 0 ? ask : { ...ask, lifetime: Math.max(ask.lifetime, idle) }
  const there =
    at !== undefined && known.isOurs(at.external)
      ? cgn.addDynamic(state, { ...asked, suggested: at.external, suggestedPort: at.externalPort }, now)
      : undefined
  const done = there === undefined || there.outcome === "refused" ? cgn.addDynamic(state, asked, now) : there
  return done.outcome === "refused" || done.lifetime === 0 ? done : { ...done, lifetime: Math.max(done.lifetime, idle) }
}

/**
 * PEER of a connection to which the kernel gave its external end. Lifetime 0 asks and changes nothing, and no request makes it
 * shorter (sections 12.1 and 15). Descriptions are not kept.
 */
const adopt = <S>(
  state: S,
  ask: PeerAsk,
  now: number,
  at: ExternalEnd,
  idle: number,
  before: Mapping | undefined,
  { adopted, limits }: KernelKnowledge,
): CgnResult<S> => {
  const had = before === undefined ? 0 : Math.max(1, Math.floor((before.expires - now) / 1000))
  const isNew = before === undefined
  const ok = (lifetime: number, changes: readonly Change[]): CgnDone<S> => {
    adopted.promise(changes)
    return {
      outcome: isNew && changes.length > 0 ? "new" : "ok",
      state,
      ...at,
      lifetime,
      changes,
      ports: 1,
      description: undefined,
    }
  }
  if (before !== undefined && limits.noncePolicy !== "off" && before.nonce !== ask.nonce)
    return { outcome: "refused", code: ResultCode.NOT_AUTHORIZED, lifetime: had }
  if (ask.lifetime === 0) return ok(Math.max(idle, had), [])
  const isFull = (limits.quota !== 0 && adopted.countOf(ask.internal) >= limits.quota) || adopted.size() >= MOST
  if (isNew && isFull) return { outcome: "refused", code: ResultCode.USER_EX_QUOTA, lifetime: undefined }
  const lifetime = Math.max(ask.lifetime, idle)
  if (had > lifetime) return ok(had, [])
  const mapping: Mapping = {
    kind: "peer",
    origin: "pcp",
    protocol: ask.protocol,
    internal: ask.internal,
    internalPort: ask.internalPort,
    realm: undefined,
    ...at,
    remote: ask.remote,
    remotePort: ask.remotePort,
    nonce: ask.nonce,
    expires: now + lifetime * 1000,
    clientPort: ask.clientPort ?? 0,
    details: undefined,
  }
  // The kernel gave the connection another end: it is a new one between the same ends.
  const other = before !== undefined && (before.external !== at.external || before.externalPort !== at.externalPort)
  return ok(
    lifetime,
    other
      ? [
          { type: "expired", mapping: before },
          { type: "created", mapping },
        ]
      : [{ type: isNew ? "created" : "renewed", mapping }],
  )
}
