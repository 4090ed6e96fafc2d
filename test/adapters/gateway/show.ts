import type { Gateway } from "../../../adapters/gateway/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"

/** A gateway in one line: `fe80::1%en0 on en0, 100`. */
export const show = ({ address, zone, interfaceName, metric }: Gateway): string =>
  `${formatAddress(address)}${zone === undefined ? "" : `%${zone}`} on ${interfaceName ?? "?"}, ${metric}`
