import { networkInterfaces } from "node:os"
import { parseAddress } from "../../core/wire/index.ts"
import type { OwnAddress } from "../client/index.ts"

/** All addresses of this host's interfaces that are up, in the system's order; none where the system does not tell. */
export const ownAddresses = (): readonly OwnAddress[] =>
  Object.entries(interfaces()).flatMap(([interfaceName, entries = []]) =>
    entries.flatMap((entry) => {
      const address = parseAddress(entry.address)
      return address === undefined ? [] : [{ address, interfaceName }]
    }),
  )

/** Node throws where the system refuses, as Android does to apps, and Linux to a process that is out of descriptors. */
const interfaces = (): ReturnType<typeof networkInterfaces> => {
  try {
    return networkInterfaces()
  } catch {
    return {}
  }
}
