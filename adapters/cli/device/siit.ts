import { createSiit, type SiitState, siitCgn } from "../../../core/cgn/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import type { Device } from "./device.ts"
import { statelessDevice } from "./stateless.ts"

/** A translator of IPv4 hosts to IPv6 addresses (RFC 7915). */
export const siitDevice: Device<SiitState> = statelessDevice({
  cgn: siitCgn,
  name: "a NAT46",
  make: ({ settings: { cgn, addressPairs, ipv6Prefix } }) => {
    const made = createSiit({ inside: "ipv4", pairs: addressPairs, prefix: ipv6Prefix, rules: cgn.rules ?? [] })
    if (made.ok) return made
    const path = made.error.code === "bad-prefix" || made.error.code === "empty-pool" ? "ipv6Prefix" : "addressPairs"
    return { ok: false, path: [path], text: made.error.text }
  },
  addressing: ({ to6, prefix }) => JSON.stringify([[...to6], prefix]),
  outside: ({ settings: { addressPairs, ipv6Prefix } }) => {
    const pairs = `${addressPairs.length} ${addressPairs.length === 1 ? "address" : "addresses"}`
    if (ipv6Prefix === undefined) return `${pairs}, one to one`
    const behind = `behind ${formatAddress(ipv6Prefix.address)}/${ipv6Prefix.prefixLength}, one to one`
    return addressPairs.length === 0 ? `IPv4 ${behind}` : `${pairs}, and all other IPv4 ${behind}`
  },
})
