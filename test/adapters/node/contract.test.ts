import process from "node:process"
import { fileURLToPath } from "node:url"
import { gatewaySystem } from "../../../adapters/node/gateway.ts"
import * as node from "../../../adapters/node/index.ts"
import { suites } from "../suites.ts"

suites({
  ...node,
  name: "Node",
  gatewaySystem,
  command: [process.execPath],
  main: process.env.SALLYPORT_COMMAND,
  scene: fileURLToPath(new URL("scene.ts", import.meta.url)),
})
