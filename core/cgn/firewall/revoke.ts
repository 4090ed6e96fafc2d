import { seal, word } from "../../table/index.ts"
import type { Address } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import type { Realm } from "../mapping.ts"
import { make, sweep } from "./apply.ts"
import { type FirewallState, HOST, Host, PINHOLE, Pinhole } from "./layout.ts"
import { stepOf } from "./map.ts"
import { findHost, pinholeAsData } from "./row.ts"

/**
 * Deletes all that an internal address asked for, as when its DHCP lease ends (RFC 6887 section 15, S-137), at `now`,
 * milliseconds. Flows that its traffic opened end by themselves. A firewall knows no Epoch Time of one host: the next who has
 * the address sees the server's, as before. Takes as long as the host has pinholes.
 */
export const revokePinholes = (
  state: FirewallState,
  internal: Address,
  realm: Realm | undefined,
  now: number,
): { readonly state: FirewallState; readonly changes: readonly Change[] } => {
  const step = stepOf(state, now)
  const { table } = step
  const changes: Change[] = []
  const host = findHost(table, internal, realm)
  for (let row = host === 0 ? 0 : word(table, HOST, host, Host.PINHOLES); row !== 0; ) {
    const next = word(table, PINHOLE, row, Pinhole.NEXT)
    if (!sweep(step, row, changes)) make(step, changes, { type: "deleted", mapping: pinholeAsData(step, row) })
    row = next
  }
  return { state: { version: seal(table), config: step.config }, changes }
}
