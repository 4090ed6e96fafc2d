import assert from "node:assert/strict"
import { assertNoStack, records, servingBy } from "../command.ts"
import { ask, endOf, HOSTS, mapOf } from "./hosts.ts"

/** Several workers are one server, however the command is started: each host finds its mapping from another port, and no end is two hosts'. */
export const assertSeveral = async (
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
  more: readonly string[] = [],
): Promise<void> => {
  const args = ["--listen", "127.0.0.1:0", "--json", "--no-control", "--workers", "2", ...more]
  const server = await servingBy(command, args, env)
  const ends = new Map<string, string>()
  for (const turn of ["made", "renewed"])
    for (const host of HOSTS) {
      const answer = await ask(host, mapOf(host, 5000, 600), server.port)
      assert.equal(answer[3], 0, `${host} ${turn}`)
      const end = endOf(answer)
      assert.equal(ends.get(host) ?? end, end, `${host} ${turn}`)
      ends.set(host, end)
    }
  assert.equal(new Set(ends.values()).size, HOSTS.length)
  const { code, stdout, stderr } = await server.stop()
  assert.equal(code, 0)
  assertNoStack(stderr)
  assert.equal(records(stdout).at(-1)?.count, HOSTS.length)
}
