import type { Clock } from "../../adapters/host.ts"
import type { Udp } from "../../adapters/udp.ts"

/** A runtime's adapter, as its own test gives it to the suites. */
export interface Runtime {
  readonly name: string
  readonly udp: Udp
  readonly clock: Clock
  entropy(length: number): Uint8Array
  /** What runs a source on this runtime, as words before its path. */
  readonly command: readonly string[]
  /** The runtime's own link.ts. */
  readonly link: URL
}
