/** Run by `npm run test:bun`; not named a test, so that Node does not take it for one of its own. */

import process from "node:process"
import { fileURLToPath } from "node:url"
import { gatewaySystem } from "../../../adapters/bun/gateway.ts"
import * as bun from "../../../adapters/bun/index.ts"
import { fastSuites } from "../linux/fast-suite.ts"
import type { Runtime } from "../runtime.ts"
import { suites } from "../suites.ts"

const runtime: Runtime = {
  ...bun,
  name: "Bun",
  gatewaySystem,
  command: [process.execPath],
  scene: fileURLToPath(new URL("scene.ts", import.meta.url)),
}

suites(runtime)
fastSuites(runtime)
