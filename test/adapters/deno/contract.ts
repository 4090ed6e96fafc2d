/** Run by `npm run test:deno`; not named a test, so that Node does not take it for one of its own. */
import process from "node:process"
import { clock, entropy, udp } from "../../../adapters/deno/index.ts"
import { suites } from "../suites.ts"

const link = new URL("link.ts", import.meta.url)
suites({ name: "Deno", udp, clock, entropy, command: [process.execPath, "run", "--allow-all", "--no-check"], link })
