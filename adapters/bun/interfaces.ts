import { networkInterfaces } from "node:os"
import { type InterfaceEntry, type OwnAddress, ownAddressesOf } from "../interface.ts"

/** Throws where the system refuses. */
export const interfaces = (): readonly InterfaceEntry[] =>
  Object.entries(networkInterfaces()).flatMap(([name, entries]) => (entries ?? []).map((entry) => ({ ...entry, name })))

/** All addresses of this host's interfaces that are up, in the system's order; none where the system does not tell. */
export const ownAddresses = (): readonly OwnAddress[] => ownAddressesOf(interfaces)
