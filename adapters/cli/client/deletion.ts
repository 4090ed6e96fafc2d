import type { ClientServer, Failure, InboundRequest, SavedLease } from "../../../core/client/index.ts"
import { familyOf, parseAddress } from "../../../core/wire/index.ts"
import { readEndpoint } from "../endpoint.ts"
import { readIdentifier } from "./hex.ts"
import { leaseOf } from "./mapping-memory.ts"
import type { Remembered } from "./memory.ts"
import { targetText } from "./target.ts"

/** One mapping to delete at one server. */
export interface Deletion {
  readonly id: string
  readonly request: InboundRequest
  readonly server: ClientServer
  /** What is remembered of it; `undefined`: nothing, so that its nonce is anybody's guess. */
  readonly remembered: Remembered | undefined
  readonly lease: SavedLease | undefined
}

/** What came of one. */
export type Deleted =
  /** The server said so. */
  { readonly kind: "deleted" } | { readonly kind: "failed"; readonly failure: Failure }

/** The request that deletes what is remembered; `undefined`: what the file says is no mapping that can be deleted. */
export const deletionOf = (one: Remembered): Deletion | undefined => {
  const { protocol, internalPort, ports } = one
  const end = readEndpoint(one.server)
  const client = parseAddress(one.client)
  if (!end.ok || client === undefined || one.remote !== undefined) return undefined
  if (familyOf(client) !== familyOf(end.value.address)) return undefined
  const identifier = one.thirdPartyId === undefined ? undefined : readIdentifier(one.thirdPartyId)
  return {
    id: targetText({ protocol, port: internalPort }),
    request: {
      kind: "inbound",
      protocol,
      internalPort,
      // Not sent: a deletion's lifetime is 0.
      lifetime: 1,
      thirdParty: one.thirdParty === undefined ? undefined : parseAddress(one.thirdParty),
      thirdPartyId: identifier?.ok ? identifier.value : undefined,
      portSet: ports === undefined ? undefined : { size: ports, parity: false },
    },
    // Asked from the address that it was made from: another one is another host to the server.
    server: { name: one.server, ends: [{ ...end.value, client }] },
    remembered: one,
    lease: leaseOf(one, false),
  }
}

/** Servers by name, each once; two that are asked from different addresses need two names. */
export const namedApart = (deletions: readonly Deletion[]): readonly Deletion[] => {
  const clients = new Map<string, string>()
  return deletions.map((deletion) => {
    const { name, ends } = deletion.server
    const [{ client }] = ends
    const first = clients.get(name)
    if (first === undefined) clients.set(name, client)
    if (first === undefined || first === client) return deletion
    const apart = `${name} from ${deletion.remembered?.client ?? "another address"}`
    const { lease } = deletion
    return {
      ...deletion,
      server: { ...deletion.server, name: apart },
      lease: lease === undefined ? undefined : { ...lease, server: apart },
    }
  })
}
