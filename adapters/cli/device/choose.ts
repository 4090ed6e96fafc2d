import type { CgnKind } from "../../../core/cgn/index.ts"
import type { Device } from "./device.ts"
import { firewallDevice } from "./firewall.ts"
import { natDevice } from "./nat.ts"
import { nptDevice } from "./npt.ts"
import { siitDevice } from "./siit.ts"

/** Does something with the device of a profile, whatever its state is. */
export const withDevice = <R>(kind: CgnKind, use: <S>(device: Device<S>) => R): R => {
  switch (kind) {
    case "firewall4":
    case "firewall6":
      return use(firewallDevice)
    case "nptv6":
      return use(nptDevice)
    case "nat46":
      return use(siitDevice)
    default:
      return use(natDevice)
  }
}
