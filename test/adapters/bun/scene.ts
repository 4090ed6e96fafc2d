/** Run by the suites as a program of its own. */
import * as bun from "../../../adapters/bun/index.ts"
import { play } from "../scene.ts"

await play(bun)
