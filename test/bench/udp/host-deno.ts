import { clock, entropy, udp } from "../../../adapters/deno/index.ts"
import { serveOn } from "./host.ts"

await serveOn({ udp, clock, entropy })
