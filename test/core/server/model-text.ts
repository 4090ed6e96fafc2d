/** The server's data in the model's words. */
import type { Change, Mapping } from "../../../core/cgn/index.ts"
import { type Address, formatAddress, formatNonce, parseAddress } from "../../../core/wire/index.ts"
import { hostText, REALMS } from "./model-hosts.ts"

export type { Change, Mapping }

export const address = (text: string): Address => {
  const colons = text.includes(".") ? text : text.replace(/(.{4})(?=.)/g, "$1:")
  const parsed = parseAddress(colons)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed
}

const realms = REALMS.map((text) => parseAddress(text))

/** The realm of a number of {@link REALMS}. */
export const realmOf = (number: number | undefined): Address | undefined =>
  number === undefined ? undefined : realms[number]

/** An internal address and its realm from the model's name of a host. */
export const hostOf = (host: string): { readonly internal: Address; readonly realm: Address | undefined } => {
  const [internal, number] = host.split("%")
  return { internal: address(internal), realm: realmOf(number === undefined ? undefined : Number(number)) }
}

/** What a mapping has, as text. */
export const formatted = (mapping: Mapping) => {
  const { internal, realm, external, externalPort, remote, remotePort, nonce } = mapping
  const number = realm === undefined ? undefined : realms.indexOf(realm)
  return {
    internal: hostText(formatAddress(internal), number),
    external: formatAddress(external),
    externalPort,
    remote: remote === undefined ? "-" : `${formatAddress(remote)}:${remotePort}`,
    nonce: nonce === undefined ? "-" : formatNonce(nonce),
  }
}
