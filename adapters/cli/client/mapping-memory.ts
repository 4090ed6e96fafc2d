import { existsSync } from "node:fs"
import { dirname } from "node:path"
import {
  type ClientState,
  type MappingRequest,
  type SavedLease,
  type ServerEnd,
  saveMappings,
} from "../../../core/client/index.ts"
import { type Address, formatAddress, formatNonce, parseAddress } from "../../../core/wire/index.ts"
import { complain } from "../complain.ts"
import type { Read } from "../read.ts"
import { readNonceText, toHexDigits } from "./hex.ts"
import type { MemoryOptions } from "./mapping-options.ts"
import { changeMemory, keyOf, type Remembered, readMemory, usualMemory } from "./memory.ts"

/** What a command remembers of mappings: see `memory.ts`. */
export interface MappingMemory {
  /** What was there when the command began. */
  readonly known: readonly Remembered[]
  /** Writes down what a client has and wants, its nonces above all. A failure is said once and ends nothing. */
  note(state: ClientState, now: number): Promise<void>
  isKnown(owner: Owner): boolean
  forget(owners: readonly Owner[]): Promise<void>
  /** What was deleted: forgotten where it is gone, else kept for as many seconds as the server leaves it, whose nonce still has its port. */
  leave(deleted: readonly Left[]): Promise<void>
}

/** A deleted mapping, and the seconds for which the server leaves it all the same; 0: it is gone. */
export interface Left {
  readonly owner: Owner
  readonly lifetime: number
}

/** Whose mapping it is, and which. */
export type Owner = Omit<Remembered, "nonce" | "ends" | "via">

const NOTHING: MappingMemory = {
  known: [],
  note: async () => {},
  isKnown: () => false,
  forget: async () => {},
  leave: async () => {},
}

/** An answer may yet come after the command has given up: seconds for which an unanswered request is remembered at least. */
const UNANSWERED = 3600

/**
 * Opens the memory that the options name. A file that the user names must be readable; the usual one is done without if it is not,
 * with a warning.
 */
export const openMemory = ({ state }: MemoryOptions): Read<MappingMemory> => {
  if (state === false) return { ok: true, value: NOTHING }
  const path = state ?? usualMemory()
  // A slip of the pen makes no folders: the usual one's are made, and no others.
  if (state !== undefined && !existsSync(dirname(state)))
    return { ok: false, text: `option '--state': ${state}: there is no folder ${dirname(state)}` }
  const read = readMemory(path)
  if (!read.ok) {
    if (state !== undefined) return { ok: false, text: `option '--state': ${read.text}` }
    complain(`nonces are not remembered: ${read.text}`)
    return { ok: true, value: NOTHING }
  }
  let silent = false
  let last: Promise<void> = Promise.resolve()
  const change = (to: (before: readonly Remembered[]) => readonly Remembered[]): Promise<void> => {
    last = last.then(async () => {
      const changed = await changeMemory(path, to, Date.now())
      if (changed.ok || silent) return
      silent = true
      complain(`nonces are not remembered: ${changed.text}`)
    })
    return last
  }
  return {
    ok: true,
    value: {
      known: read.value,
      note: (client, now) => {
        const noted = rememberedOf(client, now, Date.now())
        const keys = new Set(noted.map(keyOf))
        return change((before) => [...before.filter((one) => !keys.has(keyOf(one))), ...noted])
      },
      isKnown: (owner) => read.value.some((one) => keyOf(one) === keyOf(owner)),
      forget: async (owners) => {
        if (owners.length === 0) return
        const keys = new Set(owners.map(keyOf))
        await change((before) => before.filter((one) => !keys.has(keyOf(one))))
      },
      leave: async (deleted) => {
        if (deleted.length === 0) return
        const lifetimes = new Map(deleted.map(({ owner, lifetime }) => [keyOf(owner), lifetime]))
        await change((before) =>
          before.flatMap((one) => {
            const lifetime = lifetimes.get(keyOf(one))
            if (lifetime === undefined) return one
            return lifetime === 0 ? [] : { ...one, ends: new Date(Date.now() + lifetime * 1000).toISOString() }
          }),
        )
      },
    },
  }
}

const rememberedOf = (state: ClientState, now: number, wallClock: number): readonly Remembered[] =>
  saveMappings(state, now).flatMap(({ request, leases }) =>
    leases.flatMap((lease) => {
      const known = state.servers.get(lease.server)
      if (known === undefined) return []
      const { client } = known.server.ends[known.end]
      const lasts = lease.remaining > 0 ? lease.remaining : Math.max(request.lifetime, UNANSWERED)
      return [
        {
          ...ownerOf(request, lease.server, client),
          via: lease.protocol,
          ...(request.kind === "inbound" && request.portSet !== undefined ? { ports: request.portSet.size } : {}),
          nonce: formatNonce(lease.nonce),
          ...(lease.external === undefined
            ? {}
            : { external: formatAddress(lease.external), externalPort: lease.externalPort }),
          ends: new Date(wallClock + lasts * 1000).toISOString(),
        },
      ]
    }),
  )

/** Whose mapping it is, and which: what `keyOf` looks at. */
export const ownerOf = (request: MappingRequest, server: string, client: Address): Owner => ({
  server,
  client: formatAddress(client),
  protocol: request.protocol,
  internalPort: request.internalPort,
  ...(request.kind === "outbound" ? { remote: formatAddress(request.remote), remotePort: request.remotePort } : {}),
  ...(request.thirdParty === undefined ? {} : { thirdParty: formatAddress(request.thirdParty) }),
  ...(request.thirdPartyId === undefined ? {} : { thirdPartyId: toHexDigits(request.thirdPartyId) }),
})

/** What is remembered of a mapping at a server. */
export const recall = (
  known: readonly Remembered[],
  request: MappingRequest,
  server: string,
  ends: readonly ServerEnd[],
): Remembered | undefined => {
  const keys = new Set(ends.map(({ client }) => keyOf(ownerOf(request, server, client))))
  return known.find((one) => keys.has(keyOf(one)))
}

/**
 * What the machine goes on from: the nonce, and if `suggests` the external end that it was. Whether it is still there the server
 * alone knows: nothing counts as granted.
 */
export const leaseOf = (one: Remembered, suggests: boolean): SavedLease | undefined => {
  const nonce = readNonceText(one.nonce)
  if (!nonce.ok) return undefined
  const external = suggests && one.external !== undefined ? parseAddress(one.external) : undefined
  return {
    server: one.server,
    protocol: one.via,
    nonce: nonce.value,
    external,
    externalPort: one.externalPort ?? 0,
    remaining: 0,
  }
}
