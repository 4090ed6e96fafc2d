import { linkSuite } from "./link-suite.ts"
import { loadSuite } from "./load-suite.ts"
import type { Runtime } from "./runtime.ts"
import { serveSuite } from "./serve-suite.ts"
import { udpSuite } from "./udp-suite.ts"

/** All that a runtime's adapter is held to. */
export const suites = (runtime: Runtime): void => {
  udpSuite(runtime)
  loadSuite(runtime)
  serveSuite(runtime)
  linkSuite(runtime)
}
