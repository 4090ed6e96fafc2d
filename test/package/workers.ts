/** Several workers of the command that users install: each runs a file of the bundle. */
import { join } from "node:path"
import { describe, test } from "node:test"
import { nodeUdp } from "../../adapters/node/index.ts"
import manifest from "../../package.json" with { type: "json" }
import { assertSeveral } from "../adapters/cli/workers/several.ts"
import { bin } from "./run.ts"

/** `home` has the package installed. */
export const describeWorkers = (home: () => string): void => {
  const skip = nodeUdp.limits.includes("reuse-port") ? "this system shares no port: SO_REUSEPORT is missing" : false

  describe("several workers of the installed command", { skip }, () => {
    for (const runtime of [process.execPath, bin("bun")])
      test(`serve on ${runtime === process.execPath ? "Node" : "Bun"}`, () =>
        assertSeveral([runtime, join(home(), "node_modules", manifest.name, manifest.bin.sallyport)]))
  })
}
