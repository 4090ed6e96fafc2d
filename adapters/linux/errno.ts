import { constants } from "node:os"
import { UDP_ERRORS, type UdpError } from "../udp.ts"
import type { Libc } from "./libc.ts"

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
)

export const EINTR: number = constants.errno.EINTR
export const EAGAIN: number = constants.errno.EAGAIN
export const ECONNREFUSED: number = constants.errno.ECONNREFUSED

/** Why the last call, which is the one of that name, gave -1. */
export const lastError = (libc: Libc, call: string): UdpError => {
  const number = libc.errno()
  const name = NAMES.get(number) ?? `errno ${number}`
  return { code: UDP_ERRORS.find((known) => known === name) ?? "OTHER", text: `${call} ${name}` }
}
