import type { Address } from "../wire/index.ts"
import type { Change } from "./change.ts"
import { clearSubscriber } from "./clear.ts"
import type { CgnState } from "./layout.ts"
import type { Realm } from "./mapping.ts"
import { sealed, stepOf } from "./step.ts"

/**
 * Deletes all mappings of an internal address but the administrator's, as when its DHCP lease ends (RFC 6887 section 15,
 * S-137). Its Epoch Time starts again at `now`, milliseconds, apart from everybody else's, so that its clients see
 * (section 8.5). Takes as long as it has mappings.
 */
export const revoke = (
  state: CgnState,
  internal: Address,
  realm: Realm | undefined,
  now: number,
): { readonly state: CgnState; readonly changes: readonly Change[] } => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  clearSubscriber(step, internal, realm, changes)
  return { state: sealed(step), changes }
}
