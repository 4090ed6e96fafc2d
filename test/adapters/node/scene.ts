/** Run by the suites as a program of its own. */
import * as node from "../../../adapters/node/index.ts"
import { play } from "../scene.ts"

await play(node)
