import { type Destination, ownAddress } from "../../../adapters/gateway/index.ts"
import { addressFromIpv4, formatAddress } from "../../../core/wire/index.ts"
import type { Face } from "../runtime.ts"
import { show } from "./show.ts"

/** Run in a namespace: what a runtime finds there of gateways, and this host's own address towards each. */
export const probeGateways = async ({ udp, discoverGateways }: Face): Promise<object> => {
  const own = async (destination: Destination): Promise<string> => {
    const found = await ownAddress(udp, destination)
    if (!found.ok) return found.error.code
    const { address, zone } = found.value
    return formatAddress(address) + (zone === undefined ? "" : `%${zone}`)
  }
  const { gateways, trials, none } = await discoverGateways()
  const owns: string[] = []
  for (const gateway of gateways) owns.push(await own(gateway))
  /** 203.0.113.1: on no network here. */
  const elsewhere = await own({ address: addressFromIpv4(0xcb007101) })
  return { gateways: gateways.map(show), trials, none, owns, elsewhere }
}
