import { cliSuite } from "./cli-suite.ts"
import { gatewaySuite } from "./gateway/system-suite.ts"
import { linkSuite } from "./link-suite.ts"
import { loadSuite } from "./load-suite.ts"
import { processSuite } from "./process-suite.ts"
import type { Runtime } from "./runtime.ts"
import { serveSuite } from "./serve-suite.ts"
import { signalSuite } from "./signal-suite.ts"
import { udpSuite } from "./udp-suite.ts"

/** All that a runtime's adapter is held to. */
export const suites = (runtime: Runtime): void => {
  udpSuite(runtime)
  loadSuite(runtime)
  serveSuite(runtime)
  linkSuite(runtime)
  gatewaySuite(runtime)
  signalSuite(runtime)
  processSuite(runtime)
  cliSuite(runtime)
}
