/** Run by the suites as a program of its own. */
import * as deno from "../../../adapters/deno/index.ts"
import { play } from "../scene.ts"

await play(deno)
