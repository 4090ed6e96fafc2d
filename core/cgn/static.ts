import type { Change } from "./change.ts"
import { fieldOf, holderOf, slotOf } from "./end.ts"
import { freedAsData, freeHeld } from "./hold.ts"
import type { Step } from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { isHeld } from "./owner.ts"
import type { StaticMapping } from "./settings.ts"
import { change } from "./step.ts"

/** A static mapping as data. */
export const staticOf = (mapping: StaticMapping): Mapping => ({
  kind: "static",
  origin: "administrator",
  protocol: mapping.protocol,
  internal: mapping.internal,
  internalPort: mapping.internalPort,
  realm: mapping.realm,
  external: mapping.external,
  externalPort: mapping.externalPort,
  remote: undefined,
  remotePort: 0,
  nonce: undefined,
  expires: Number.POSITIVE_INFINITY,
  clientPort: 0,
  details: undefined,
})

type StaticEnd = { readonly address: number; readonly slot: number; readonly field: number }

/** The number, slot and field of a static mapping's external end. */
export const staticEnd = (step: Step, mapping: StaticMapping): StaticEnd => {
  const slot = slotOf(mapping.protocol, mapping.internalPort)
  const address = step.config.addressIndex.get(mapping.external) ?? -1
  return { address, slot, field: fieldOf(slot, mapping.protocol, mapping.externalPort) }
}

/** Makes the administrator's mapping at its external end, which no mapping has; if it is held for somebody, no longer. */
export const placeStatic = (step: Step, mapping: StaticMapping, changes: Change[]): void => {
  const { address, slot, field } = staticEnd(step, mapping)
  const holder = holderOf(step.table, address, slot, field)
  if (holder !== 0 && isHeld(step.table, holder)) {
    changes.push(freedAsData(step, holder))
    freeHeld(step, holder)
  }
  change(step, 0, changes, "created", staticOf(mapping))
}
