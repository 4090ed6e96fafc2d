import process from "node:process"
import { clock, entropy, udp } from "../../../adapters/node/index.ts"
import { suites } from "../suites.ts"

const link = new URL("link.ts", import.meta.url)
suites({ name: "Node", udp, clock, entropy, command: [process.execPath], link })
