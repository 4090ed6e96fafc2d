import process from "node:process"
import { fileURLToPath } from "node:url"
import { udp } from "#runtime"
import { fastSuites } from "./fast-suite.ts"

fastSuites({
  name: "Node",
  udp,
  command: [process.execPath],
  scene: fileURLToPath(new URL("../node/scene.ts", import.meta.url)),
})
