import { labelOfName } from "../../../core/flow/index.ts"
import type { TargetPoint } from "../../../core/overlay/index.ts"
import { VXLAN_PORT } from "../../../core/overlay/index.ts"
import { type Directory, type DirectoryName, dnsDirectory } from "../../flow/index.ts"

/** The flow directory that ends of names are found in, and published. */
export interface DirectorySettings {
  /** A DNS server, which takes updates too; left out, the system's resolvers are asked and nothing can be published. */
  readonly dns?: string | undefined
  /** The zone that names stand in. */
  readonly zone?: string | undefined
  /** The TSIG key that updates are signed with. */
  readonly key?: string | undefined
}

/** A name as a directory has it. */
export const directoryEntry = (name: string): DirectoryName => {
  const label = labelOfName(name)
  if (label === undefined) throw new RangeError(`not a name: ${name}`)
  return { name, label }
}

/** Seconds that resolvers may remember an end for: no longer than `portmap` itself does, or a host that has moved is not found. */
const TTL = 30

/** The directory, or why there is none: a RangeError. */
export const openDirectory = ({ dns, zone, key }: DirectorySettings): Directory =>
  dnsDirectory({ server: dns, zone, key, ttl: TTL })

/** How the plugin `portmap` finds ends in it. */
export const findIn =
  (directory: Directory) =>
  async (name: string): Promise<readonly TargetPoint[]> =>
    (await directory.lookup(directoryEntry(name))).map(({ address, port = VXLAN_PORT }) => ({ address, port }))
