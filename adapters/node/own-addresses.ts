import { networkInterfaces } from "node:os"
import { parseAddress } from "../../core/wire/index.ts"
import type { OwnAddress } from "../client/index.ts"

/** All addresses of this host's interfaces that are up, in the system's order. */
export const ownAddresses = (): readonly OwnAddress[] =>
  Object.entries(networkInterfaces()).flatMap(([interfaceName, entries = []]) =>
    entries.flatMap((entry) => {
      const address = parseAddress(entry.address)
      return address === undefined ? [] : [{ address, interfaceName }]
    }),
  )
