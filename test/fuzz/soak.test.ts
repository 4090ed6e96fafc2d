import assert from "node:assert/strict"
import { it } from "node:test"
import { openLibc } from "../../adapters/linux/index.ts"
import { servingBy } from "../adapters/cli/command.ts"
import { soak, soakFaults, soakWords } from "./soak.ts"

const libc = openLibc()

it("serve --fast bears a full load with hostile datagrams in it, and does not grow", {
  skip: libc.ok ? false : libc.text,
}, async () => {
  const [main, , ...words] = soakWords(0)
  const server = await servingBy([process.execPath, process.env.SALLYPORT_COMMAND ?? main], words)
  const soaked = await soak(
    server.port,
    server.child.pid ?? 0,
    (_, answered) => answered >= 150_000 || server.child.exitCode !== null,
    () => {},
  )
  assert.deepEqual(soakFaults(soaked), [])
  assert.ok(soaked.hostile > 10_000)
  const { code } = await server.stop()
  assert.equal(code, 0)
})
