import process from "node:process"
import { clock, entropy, udp } from "../../../adapters/node/index.ts"
import { suites } from "../suites.ts"

suites({ name: "Node", udp, clock, entropy, command: [process.execPath] })
