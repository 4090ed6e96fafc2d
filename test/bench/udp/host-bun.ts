import { clock, entropy, udp } from "../../../adapters/bun/index.ts"
import { serveOn } from "./host.ts"

await serveOn({ udp, clock, entropy })
