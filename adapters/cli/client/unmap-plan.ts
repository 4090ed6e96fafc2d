import type { ClientServer } from "../../../core/client/index.ts"
import { type Address, familyOf, formatAddress, type Nonce } from "../../../core/wire/index.ts"
import { type Deletion, deletionOf, namedApart } from "./deletion.ts"
import { toHexDigits } from "./hex.ts"
import type { MemoryOptions } from "./mapping-options.ts"
import type { Remembered } from "./memory.ts"
import type { ServerOptions } from "./server-options.ts"
import { type Target, targetText } from "./target.ts"

export interface UnmapOptions extends ServerOptions, MemoryOptions {
  readonly all?: boolean
  readonly nonce?: Nonce
  readonly thirdParty?: Address
  readonly thirdPartyId?: Uint8Array
}

/** What is to be deleted, and where. */
export interface UnmapPlan {
  readonly deletions: readonly Deletion[]
  /** Servers that are told by NAT-PMP to delete all of this host's mappings (RFC 6886 section 3.4). */
  readonly everywhere: readonly ClientServer[]
}

/** `servers` are those that the user named, or the default gateways. */
export const planUnmap = (
  targets: readonly Target[],
  options: UnmapOptions,
  known: readonly Remembered[],
  servers: readonly ClientServer[],
): UnmapPlan => {
  const names = options.server === undefined ? undefined : new Set(servers.map(({ name }) => name))
  const wanted = known.filter((one) => isWanted(one, options) && (names === undefined || names.has(one.server)))
  if (options.all) {
    const isIpv4 = ({ ends }: ClientServer): boolean => familyOf(ends[0].client) === "ipv4"
    return {
      deletions: namedApart(wanted.flatMap((one) => deletionOf(one) ?? [])),
      everywhere: options.pcp ? [] : servers.filter(isIpv4),
    }
  }
  const deletions = targets.flatMap((target) => {
    const remembered = wanted
      .filter(({ protocol, internalPort }) => protocol === target.protocol && internalPort === target.port)
      .flatMap((one) => deletionOf(one) ?? [])
    const covered = new Set(remembered.map(({ server }) => server.name))
    // Whoever named no server means where the mapping was made.
    const others = names === undefined && remembered.length > 0 ? [] : servers.filter(({ name }) => !covered.has(name))
    return [...remembered, ...others.map((server) => guess(target, server, options))]
  })
  return { deletions: namedApart(deletions), everywhere: [] }
}

const isWanted = (one: Remembered, options: UnmapOptions): boolean => {
  const { pcp, natPmp, internalAddress: client, thirdParty, thirdPartyId, all } = options
  const isOf = (text: string | undefined, given: string | undefined): boolean =>
    given === undefined ? all === true || text === undefined : text === given
  if (one.remote !== undefined) return false
  if ((pcp && one.via !== "pcp") || (natPmp && one.via !== "nat-pmp")) return false
  if (client !== undefined && one.client !== formatAddress(client)) return false
  return (
    isOf(one.thirdParty, thirdParty && formatAddress(thirdParty)) &&
    isOf(one.thirdPartyId, thirdPartyId && toHexDigits(thirdPartyId))
  )
}

/** Nothing is known of it there: NAT-PMP needs nothing, and PCP says whether it is there. */
const guess = (
  { protocol, port }: Target,
  server: ClientServer,
  { thirdParty, thirdPartyId }: UnmapOptions,
): Deletion => ({
  id: targetText({ protocol, port }),
  request: { kind: "inbound", protocol, internalPort: port, lifetime: 1, thirdParty, thirdPartyId },
  server,
  remembered: undefined,
  lease: undefined,
})
