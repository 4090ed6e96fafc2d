import assert from "node:assert/strict"
import { join } from "node:path"
import { describe, it } from "node:test"
import { openLibc } from "../../../adapters/linux/index.ts"
import { deno, root } from "../../docs/symbols.ts"
import { COMMAND, servingBy } from "./command.ts"
import { assertFast } from "./fast.ts"

const libc = openLibc()
const MAIN = join(root, "adapters/cli/main.ts")

describe("serve --fast", { skip: libc.ok ? false : libc.text }, () => {
  it("answers from the address that was asked, and says nothing", async () => {
    const said = await assertFast(COMMAND)
    assert.doesNotMatch(said, /--fast/)
  })

  it("with workers the same, whichever of them hears it", async () => {
    const said = await assertFast(COMMAND, ["--workers", "3"])
    assert.doesNotMatch(said, /--fast/)
    // Node says once of a process that its foreign functions are an experiment, not once of a thread.
    assert.equal(said.match(/ExperimentalWarning/g)?.length ?? 0, 1)
  })

  it("where the C library cannot be called says so, and serves by the runtime's own sockets", async () => {
    const command = [deno, "run", "--quiet", "--no-prompt", "--unstable-net", "--allow-all", "--deny-ffi", MAIN]
    const server = await servingBy(command, ["--fast", "--listen", "127.0.0.1:0", "--json", "--no-control"])
    const { code, stderr } = await server.stop()
    assert.equal(code, 0)
    const said =
      /^sallyport: --fast: the C library cannot be called \(.*--allow-ffi.*\): the runtime's own sockets serve$/m
    assert.match(stderr, said)
  })
})
