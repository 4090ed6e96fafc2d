import type { GatewaySystem, Programs } from "../../adapters/gateway/index.ts"
import type * as node from "../../adapters/node/index.ts"

/** What every runtime's adapter exports: Node's names but for those that say Node. */
export type Face = Omit<typeof node, "nodeClock" | "nodeRuntime" | "nodeUdp">

/** A runtime's adapter, as its own test gives it to the suites. */
export interface Runtime extends Face {
  readonly name: string
  readonly gatewaySystem: (platform: string, programs: Programs, timeout: number) => GatewaySystem
  /** What runs a source on this runtime, as words before its path. */
  readonly command: readonly string[]
  /** The command, where it is not to be run from its sources, as a bundle starts sooner. */
  readonly main?: string | undefined
  /** The runtime's own scene.ts. */
  readonly scene: string
}
