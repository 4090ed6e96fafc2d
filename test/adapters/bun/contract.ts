/** Run by `npm run test:bun`; not named a test, so that Node does not take it for one of its own. */
import process from "node:process"
import { clock, entropy, udp } from "../../../adapters/bun/index.ts"
import { suites } from "../suites.ts"

const link = new URL("link.ts", import.meta.url)
suites({ name: "Bun", udp, clock, entropy, command: [process.execPath], link })
