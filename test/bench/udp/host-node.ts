import { clock, entropy, udp } from "../../../adapters/node/index.ts"
import { serveOn } from "./host.ts"

await serveOn({ udp, clock, entropy })
