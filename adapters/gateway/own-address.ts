import { type Address, ANY4, ANY6, isAny, isIpv4, isLinkLocal6 } from "../../core/wire/index.ts"
import type { Endpoint, Result, Udp } from "../udp.ts"

/** Where packets would go: a gateway, an endpoint, or any address. */
export interface Destination {
  /** IPv4 is IPv4-mapped. */
  readonly address: Address
  /** The interface of a link-local address, as an endpoint has it. */
  readonly zone?: string | undefined
  /** PCP's own, 5351, if it isn't given. */
  readonly port?: number
}

/** The UDP port of PCP and NAT-PMP servers (RFC 6887 section 19.1). */
const PCP_PORT = 5351

/**
 * The address that this host's packets to a destination leave from: what a PCP client puts in its requests. A UDP socket is connected
 * and asked, as RFC 6887 section 16.4 recommends (C-07); nothing is sent. The port is 0, so that the answer is an endpoint to
 * bind; `zone` is there if the address is link-local.
 *
 * Never rejects: where no route leads there the system's error is the value.
 */
export const ownAddress = async (
  udp: Udp,
  { address, zone, port = PCP_PORT }: Destination,
): Promise<Result<Endpoint>> => {
  const local = { address: isIpv4(address) ? ANY4 : ANY6, port: 0 }
  const remote = zone === undefined ? { address, port } : { address, port, zone }
  const bound = await udp.bind({ local, remote }, { receive: () => {}, error: () => {} })
  if (!bound.ok) return bound
  const own = bound.value.local.address
  await bound.value.close()
  if (isAny(own)) return { ok: false, error: { code: "OTHER", text: "the system did not choose an own address" } }
  const found = { address: own, port: 0 }
  return { ok: true, value: zone !== undefined && isLinkLocal6(own) ? { ...found, zone } : found }
}
