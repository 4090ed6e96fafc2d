/** Run by `npm run test:deno`; not named a test, so that Node does not take it for one of its own. */

import process from "node:process"
import { fileURLToPath } from "node:url"
import { gatewaySystem } from "../../../adapters/deno/gateway.ts"
import * as deno from "../../../adapters/deno/index.ts"
import { fastSuites } from "../linux/fast-suite.ts"
import type { Runtime } from "../runtime.ts"
import { suites } from "../suites.ts"

const runtime: Runtime = {
  ...deno,
  name: "Deno",
  gatewaySystem,
  command: [process.execPath, "run", "--allow-all", "--no-check"],
  scene: fileURLToPath(new URL("scene.ts", import.meta.url)),
}

suites(runtime)
fastSuites(runtime)
