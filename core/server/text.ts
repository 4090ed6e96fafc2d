import type { Realm } from "../cgn/index.ts"
import { type Address, formatAddress, resultMeaning } from "../wire/index.ts"

/** libpcpd's two functions that its user may replace; `undefined` is the server's own. */
export interface Naming {
  /** Text for a result code, or for the CGN's generic error. */
  readonly strerror: ((code: number | "cgn-error") => string) | undefined
  /** Text for a subscriber. */
  readonly id2str: ((internal: Address, realm: Realm | undefined) => string) | undefined
}

interface Named {
  readonly settings: Naming
}

/** libpcpd's `pcpd_strerror`: one sentence that says what a PCP result code means. */
export const strerror = ({ settings }: Named, code: number | "cgn-error"): string =>
  settings.strerror?.(code) ??
  (code === "cgn-error" ? "The CGN could not process the request; clients are told NO_RESOURCES." : resultMeaning(code))

/** libpcpd's `pcpd_id2str`: the internal address, and `%` with the realm where there is one. */
export const id2str = ({ settings }: Named, internal: Address, realm: Realm | undefined = undefined): string =>
  settings.id2str?.(internal, realm) ??
  (realm === undefined ? formatAddress(internal) : `${formatAddress(internal)}%${formatAddress(realm)}`)
