import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { serverMachine, startHost } from "../../adapters/host.ts"
import type { BindOptions } from "../../adapters/udp.ts"
import { createServer } from "../../core/server/index.ts"
import { type Address, ANY4, ANY6, encode, formatAddress, Protocol, parse, readNonce } from "../../core/wire/index.ts"
import type { Runtime } from "./runtime.ts"
import { address, hasIpv6, opener } from "./udp-suite.ts"

/** A whole server on a runtime's own sockets, clock and entropy. */
export const serveSuite = ({ name, udp, clock, entropy }: Runtime): void => {
  const open = opener(udp)

  const start = async (...sockets: readonly BindOptions[]) => {
    const made = createServer({ external: [address("203.0.113.7")], secret: entropy(32), now: clock.now() })
    assert.ok(made.ok)
    const started = await startHost({
      udp,
      clock,
      machine: serverMachine(),
      state: made.state,
      sockets,
      listener: { socketError: (error) => assert.fail(error.text), fault: (cause) => assert.fail(String(cause)) },
    })
    assert.ok(started.ok)
    return started.value
  }

  /** Asks from a socket of its own, and gives the answer. */
  const ask = async (request: Uint8Array, server: { readonly address: Address; readonly port: number }) => {
    const answers: Uint8Array[] = []
    await new Promise<void>((resolve, reject) => {
      void open(
        { local: { address: server.address, port: 0 }, remote: server },
        {
          receive: ({ bytes }, socket) => {
            answers.push(bytes.slice())
            resolve(socket.close())
          },
          error: ({ text }) => reject(new Error(text)),
        },
      ).then((socket) => socket.send(request, server))
    })
    return answers[0]
  }

  describe(`${name}: a server`, () => {
    it("answers NAT-PMP and PCP, keeps the mapping", async () => {
      const host = await start({ local: { address: address("127.0.0.1"), port: 0 } })
      const answer = await ask(Uint8Array.of(0, 0), host.local[0])
      assert.deepEqual([...answer.subarray(0, 4), ...answer.subarray(8)], [0, 128, 0, 0, 203, 0, 113, 7])

      const nonce = readNonce(entropy(12), 0)
      const request = encode({
        kind: "pcp-request",
        lifetime: 120,
        client: address("127.0.0.1"),
        body: { kind: "map", nonce, protocol: Protocol.UDP, internalPort: 4000, externalPort: 4000, external: ANY4 },
        options: [],
      })
      assert.ok(request.ok)
      const parsed = parse(await ask(request.bytes, host.local[0]))
      assert.ok(parsed.ok && parsed.packet.kind === "pcp-response" && parsed.packet.body.kind === "map")
      assert.equal(parsed.packet.lifetime, 120)
      assert.equal(parsed.packet.body.nonce, nonce)
      assert.equal(formatAddress(parsed.packet.body.external), "203.0.113.7")
      await host.stop()
    })

    it("answers over IPv6 too", { skip: hasIpv6 ? false : "this machine has no ::1" }, async () => {
      const host = await start({ local: { address: address("::1"), port: 0 } })
      const request = encode({
        kind: "pcp-request",
        lifetime: 0,
        client: address("::1"),
        body: { kind: "announce" },
        options: [],
      })
      assert.ok(request.ok)
      const parsed = parse(await ask(request.bytes, host.local[0]))
      assert.ok(parsed.ok && parsed.packet.kind === "pcp-response")
      assert.equal(parsed.packet.body.kind, "announce")
      assert.equal(parsed.packet.result, 0)
      await host.stop()
    })

    it("listens on both families at one port, and alone there", {
      skip: hasIpv6 ? false : "this machine has no ::1",
    }, async () => {
      const free = await open(
        { local: { address: ANY6, port: 0 }, ipv6Only: false },
        { receive: () => {}, error: () => {} },
      )
      const { port } = free.local
      await free.close()
      const ends = [ANY4, ANY6].map((one) => ({ local: { address: one, port } }))
      const host = await start(...ends)
      for (const loopback of ["127.0.0.1", "::1"].map(address)) {
        const request = encode({
          kind: "pcp-request",
          lifetime: 0,
          client: loopback,
          body: { kind: "announce" },
          options: [],
        })
        assert.ok(request.ok)
        const parsed = parse(await ask(request.bytes, { address: loopback, port }))
        assert.ok(parsed.ok && parsed.packet.kind === "pcp-response" && parsed.packet.result === 0)
      }
      assert.deepEqual(
        host.local.map((end) => [end.address, end.port]),
        [
          [ANY4, port],
          [ANY6, port],
        ],
      )
      const second = await startHost({ udp, clock, machine: serverMachine(), state: host.state(), sockets: ends })
      assert.equal(second.ok || second.error.code, "EADDRINUSE")
      await host.stop()
    })

    it("has a clock that only grows, whose calls come once or never, and entropy that is never the same", async () => {
      const before = clock.now()
      const called = await new Promise<number>((resolve) => clock.after(1, () => resolve(clock.now())))
      assert.ok(called >= before)
      let isCalled = false
      const cancel = clock.after(1, () => {
        isCalled = true
      })
      cancel()
      // Far more than any timer holds: not at once.
      const forget = clock.after(1e12, () => {
        isCalled = true
      })
      await new Promise<void>((resolve) => clock.after(20, resolve))
      forget()
      assert.equal(isCalled, false)
      assert.equal(entropy(32).length, 32)
      assert.notDeepEqual(entropy(32), entropy(32))
    })
  })
}
