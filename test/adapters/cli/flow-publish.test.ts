import assert from "node:assert/strict"
import { it } from "node:test"
import { publishPort } from "../../../adapters/cli/flow/publish-port.ts"
import type { OpenPort } from "../../../adapters/client/index.ts"
import { address } from "../udp-suite.ts"

const endAt = (text: string, port: number): OpenPort["external"] => ({
  address: address(text),
  text,
  class: "public",
  isDoubleNat: false,
  port,
  ports: 1,
})

it("an end that a directory did not take is published with the next renewal, and those after it as well", async () => {
  const told: string[] = []
  const given: number[] = []
  let refuses = true
  const port = { isOpen: true, external: endAt("203.0.113.7", 5000) }
  const look = publishPort(port, {
    publish: async (end) => {
      given.push(end.port)
      if (refuses) throw new Error("no answer")
    },
    published: (end) => told.push(end),
    failed: (text) => told.push(text),
  })
  await look()
  await look()
  refuses = false
  await look()
  await look()
  port.external = endAt("203.0.113.9", 5001)
  port.isOpen = false
  await look()
  port.isOpen = true
  await look()
  assert.deepEqual(given, [5000, 5000, 5000, 5001])
  assert.deepEqual(told, ["no answer", "no answer", "203.0.113.7:5000", "203.0.113.9:5001"])
})
