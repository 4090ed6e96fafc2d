import assert from "node:assert/strict"
import { it } from "node:test"
import fc from "fast-check"
import { assertNoStack, client, mapRequest, octets, serving } from "./command.ts"

const RUNS = 300

/** Any octets, and requests with octets changed and ends cut. */
const datagrams = fc.oneof(
  fc.uint8Array({ maxLength: 1400 }),
  fc
    .tuple(
      fc.constantFrom(
        mapRequest(5000, 600),
        mapRequest(5001, 0),
        octets("0002 0000 1f90 1f90 0000 0e10"),
        octets("0000"),
      ),
      fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(100),
    )
    .map(([message, edits, tail, cut]) => {
      const bytes = Uint8Array.from([...message, ...tail])
      for (const [at, value] of edits) bytes[at % bytes.length] = value
      return bytes.subarray(0, Math.max(0, bytes.length - cut))
    }),
)

for (const form of [[], ["--json"]]) {
  it(`serve ${form.join(" ")} goes on whatever arrives, shows no stack, and tells no nonce`, async () => {
    const server = await serving([...form, "--third-party"])
    const peer = await client()
    await fc.assert(
      fc.asyncProperty(fc.array(datagrams, { minLength: 1, maxLength: 20 }), async (list) => {
        for (const bytes of list) await peer.send(bytes, server.port)
        assert.equal(server.child.exitCode, null)
        assert.equal(server.child.signalCode, null)
      }),
      { numRuns: RUNS },
    )
    const probe = await client()
    const answer = await probe.ask(octets("0000"), server.port)
    assert.deepEqual([answer[0], answer[1], answer.length], [0, 128, 12])
    peer.close()
    probe.close()
    const { code, stdout, stderr } = await server.stop()
    assert.equal(code, 0)
    assert.doesNotMatch(stdout, /0102030405060708090a0b0c|nonce/i)
    assert.doesNotMatch(stderr, /internal error/)
    assertNoStack(stderr)
  })
}
