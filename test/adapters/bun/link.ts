/** Run in a namespace by the suite of two links. */
import { udp } from "../../../adapters/bun/index.ts"
import { linkFacts } from "../link.ts"

console.log(JSON.stringify(await linkFacts(udp)))
