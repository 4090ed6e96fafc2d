import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { assertNoStack, servingBy } from "./command.ts"
import { HOSTS } from "./workers/hosts.ts"

/** What a host hears first after it asked an address, and from where: asked again each second, as clients do. */
const answerTo = async (host: string, address: string, port: number): Promise<string> => {
  const socket = createSocket("udp4")
  socket.on("error", () => {})
  socket.bind(0, host)
  await once(socket, "listening")
  const ask = (): void => socket.send(Uint8Array.of(0, 0), port, address)
  const again = setInterval(ask, 1000)
  ask()
  const [bytes, from]: [Buffer, { readonly address: string; readonly port: number }] = await new Promise((resolve) =>
    socket.once("message", (...heard) => resolve(heard)),
  )
  clearInterval(again)
  socket.close()
  assert.equal(bytes[1], 128)
  assert.equal(from.port, port)
  return from.address
}

/**
 * `serve --fast` at 0.0.0.0, however the command is started: each host has its answer from the address that it asked, and it ends at once.
 * Gives what it said on standard error.
 */
export const assertFast = async (
  command: readonly string[],
  more: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<string> => {
  const args = ["--fast", "--listen", "0.0.0.0:0", "--json", "--no-control", ...more]
  const server = await servingBy(command, args, env)
  for (const host of HOSTS) {
    const asked = `127.0.9.${host.split(".")[3]}`
    assert.equal(await answerTo(host, asked, server.port), asked)
  }
  const { code, stderr } = await server.stop()
  assert.equal(code, 0)
  assertNoStack(stderr)
  return stderr
}
