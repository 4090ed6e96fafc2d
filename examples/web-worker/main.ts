/** The same worker under Deno and Bun: `deno run --allow-read main.ts 0002…` and `bun main.ts 0002…`. */
import { argv } from "node:process"
import { startDecoder } from "./ask.ts"

const decoder = startDecoder()
console.log(JSON.stringify(await decoder.decode(argv.slice(2).join(" "))))
decoder.stop()
