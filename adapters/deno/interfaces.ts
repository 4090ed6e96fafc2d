import { type InterfaceEntry, type OwnAddress, ownAddressesOf } from "../interface.ts"

declare const Deno: { networkInterfaces(): InterfaceEntry[] }

/** Throws where the system refuses, and without `--allow-sys=networkInterfaces`. */
export const interfaces = (): readonly InterfaceEntry[] => Deno.networkInterfaces()

/** All addresses of this host's interfaces that are up, in the system's order; none where the system, or Deno, does not tell. */
export const ownAddresses = (): readonly OwnAddress[] => ownAddressesOf(interfaces)
