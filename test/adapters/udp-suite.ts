import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { BindOptions, Datagram, Receiver, Udp, UdpError, UdpSocket } from "../../adapters/udp.ts"
import { type Address, ANY4, ANY6, formatAddress, parseAddress } from "../../core/wire/index.ts"

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

interface Heard {
  readonly text: string
  readonly from: string
  readonly local: string
}

/** A receiver that keeps what it gets and lets a test wait for it. */
export const inbox = () => {
  const heard: Heard[] = []
  const errors: UdpError[] = []
  let wake = (): void => {}
  const receiver: Receiver = {
    receive: (datagram: Datagram) => {
      heard.push({
        text: new TextDecoder().decode(datagram.bytes),
        from: `${formatAddress(datagram.source.address)} ${datagram.source.port}`,
        local: `${formatAddress(datagram.local.address)} ${datagram.local.port}`,
      })
      wake()
    },
    error: (error) => {
      errors.push(error)
      wake()
    },
  }
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { heard, errors, receiver, until }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What every runtime's adapter must do. Loopback only. */
export const udpSuite = (name: string, udp: Udp, ipv6: boolean): void => {
  const open = async (options: BindOptions, receiver: Receiver): Promise<UdpSocket> => {
    const bound = await udp.bind(options, receiver)
    assert.ok(bound.ok, bound.ok ? "" : bound.error.text)
    return bound.value
  }
  const reason = ipv6 ? false : "this machine has no ::1"

  describe(name, () => {
    for (const [family, loopback, skip] of [
      ["IPv4", "127.0.0.1", false],
      ["IPv6", "::1", reason],
    ] as const) {
      it(`sends and receives over ${family}, with both ends`, { skip }, async () => {
        const [a, b] = [inbox(), inbox()]
        const local = { address: address(loopback), port: 0 }
        const left = await open({ local }, a.receiver)
        const right = await open({ local }, b.receiver)
        assert.equal(left.local.address, local.address)
        assert.notEqual(left.local.port, right.local.port)
        left.send(bytes("one"), right.local)
        left.sendMany([
          { bytes: bytes("two"), destination: right.local },
          { bytes: new Uint8Array(0), destination: right.local },
          { bytes: bytes("four"), destination: right.local },
        ])
        await b.until(() => b.heard.length === 4)
        assert.deepEqual(
          b.heard.map((heard) => heard.text),
          ["one", "two", "", "four"],
        )
        assert.equal(b.heard[0].from, `${loopback} ${left.local.port}`)
        assert.equal(b.heard[0].local, `${loopback} ${right.local.port}`)
        await Promise.all([left.close(), right.close()])
        assert.deepEqual([...a.errors, ...b.errors], [])
      })

      it(`says EADDRINUSE for a taken ${family} port`, { skip }, async () => {
        const box = inbox()
        const local = { address: address(loopback), port: 0 }
        const first = await open({ local }, box.receiver)
        const second = await udp.bind({ local: first.local }, box.receiver)
        assert.equal(second.ok, false)
        assert.equal(second.ok || second.error.code, "EADDRINUSE")
        await first.close()
        const third = await open({ local: first.local }, box.receiver)
        await third.close()
      })
    }

    it("says EADDRNOTAVAIL for an address that this machine does not have", async () => {
      const bound = await udp.bind({ local: { address: address("192.0.2.1"), port: 0 } }, inbox().receiver)
      assert.equal(bound.ok || bound.error.code, "EADDRNOTAVAIL")
    })

    it("shares a port when both say so", async () => {
      const local = { address: address("127.0.0.1"), port: 0 }
      const first = await open({ local, reuseAddress: true }, inbox().receiver)
      const second = await open({ local: first.local, reuseAddress: true }, inbox().receiver)
      assert.equal(second.local.port, first.local.port)
      await Promise.all([first.close(), second.close()])
    })

    it("binds one port on both families: IPv6 takes no IPv4", { skip: reason }, async () => {
      const box = inbox()
      const six = await open({ local: { address: ANY6, port: 0 } }, box.receiver)
      const four = await open({ local: { address: ANY4, port: six.local.port } }, inbox().receiver)
      await Promise.all([six.close(), four.close()])
    })

    it("speaks IPv4 through an IPv6 socket that allows it", { skip: reason }, async () => {
      const [a, b] = [inbox(), inbox()]
      const six = await open({ local: { address: ANY6, port: 0 }, ipv6Only: false }, a.receiver)
      const four = await open({ local: { address: address("127.0.0.1"), port: 0 } }, b.receiver)
      four.send(bytes("ping"), { address: address("127.0.0.1"), port: six.local.port })
      await a.until(() => a.heard.length === 1)
      assert.equal(a.heard[0].from, `127.0.0.1 ${four.local.port}`)
      six.send(bytes("pong"), four.local)
      await b.until(() => b.heard.length === 1)
      assert.equal(b.heard[0].text, "pong")
      await Promise.all([six.close(), four.close()])
    })

    it("hears ICMP port unreachable on a connected socket, and goes on", async () => {
      const box = inbox()
      const gone = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      await gone.close()
      const socket = await open({ local: { address: address("127.0.0.1"), port: 0 }, remote: gone.local }, box.receiver)
      socket.send(bytes("anybody?"), gone.local)
      await box.until(() => box.errors.length > 0)
      assert.equal(box.errors[0].code, "ECONNREFUSED")
      const back = await open({ local: gone.local }, inbox().receiver)
      back.send(bytes("now"), socket.local)
      await box.until(() => box.heard.length > 0)
      assert.equal(box.heard[0].text, "now")
      await Promise.all([socket.close(), back.close()])
    })

    it("reports a datagram that the system refuses, and goes on", async () => {
      const [a, b] = [inbox(), inbox()]
      const left = await open({ local: { address: address("127.0.0.1"), port: 0 } }, a.receiver)
      const right = await open({ local: { address: address("127.0.0.1"), port: 0 } }, b.receiver)
      left.send(new Uint8Array(70000), right.local)
      await a.until(() => a.errors.length > 0)
      assert.equal(a.errors[0].code, "EMSGSIZE")
      left.send(bytes("to port 0"), { address: right.local.address, port: 0 })
      await a.until(() => a.errors.length > 1)
      left.send(bytes("fits"), right.local)
      await b.until(() => b.heard.length > 0)
      assert.equal(b.heard[0].text, "fits")
      await Promise.all([left.close(), right.close()])
    })

    it("joins a group on the interface named, and hears it from a socket bound there", async () => {
      const box = inbox()
      const member = await open({ local: { address: ANY4, port: 0 }, reuseAddress: true }, box.receiver)
      const sender = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      assert.deepEqual(member.joinMulticast(address("224.0.0.1"), "lo"), { ok: true, value: undefined })
      sender.send(bytes("hello all"), { address: address("224.0.0.1"), port: member.local.port })
      await box.until(() => box.heard.length > 0)
      assert.equal(box.heard[0].from, `127.0.0.1 ${sender.local.port}`)
      const nowhere = member.joinMulticast(address("224.0.0.1"), "no-such-interface")
      assert.equal(nowhere.ok || nowhere.error.code, "ENODEV")
      const unicast = member.joinMulticast(address("192.0.2.1"))
      assert.equal(unicast.ok, false)
      await Promise.all([member.close(), sender.close()])
    })

    it("grants buffers, and says how large", async () => {
      const local = { address: address("127.0.0.1"), port: 0 }
      const small = await open({ local, receiveBuffer: 16384, sendBuffer: 16384 }, inbox().receiver)
      const usual = await open({ local }, inbox().receiver)
      assert.ok(small.buffers.receive >= 16384 && small.buffers.receive < usual.buffers.receive)
      assert.ok(small.buffers.send >= 16384 && small.buffers.send < usual.buffers.send)
      await Promise.all([small.close(), usual.close()])
    })

    it("closes once, and throws at nobody afterwards", async () => {
      const socket = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      const closing = socket.close()
      socket.send(bytes("late"), socket.local)
      socket.sendMany([{ bytes: bytes("later"), destination: socket.local }])
      await Promise.all([closing, socket.close()])
      assert.equal(socket.joinMulticast(address("224.0.0.1")).ok, false)
    })
  })
}
