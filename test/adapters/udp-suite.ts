import assert from "node:assert/strict"
import { networkInterfaces } from "node:os"
import { describe, it } from "node:test"
import type { BindOptions, Datagram, Receiver, Udp, UdpError, UdpLimit, UdpSocket } from "../../adapters/udp.ts"
import { type Address, ANY4, ANY6, formatAddress, parseAddress } from "../../core/wire/index.ts"
import type { Runtime } from "./runtime.ts"

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

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Lets what is under way arrive. */
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

/** A socket that must be had. */
export const opener =
  (udp: Udp) =>
  async (options: BindOptions, receiver: Receiver): Promise<UdpSocket> => {
    const bound = await udp.bind(options, receiver)
    assert.ok(bound.ok, bound.ok ? "" : bound.error.text)
    return bound.value
  }

export const hasIpv6 = Object.values(networkInterfaces()).some((entries) =>
  entries?.some((entry) => entry.address === "::1"),
)

/**
 * What every runtime's adapter must do, on loopback. They differ in what the contract's limits name, and there each does what the
 * limit says.
 */
export const udpSuite = ({ name, udp }: Pick<Runtime, "name" | "udp">): void => {
  const open = opener(udp)
  const cannot = (limit: UdpLimit): boolean => udp.limits.includes(limit)
  const reason = hasIpv6 ? false : "this machine has no ::1"

  describe(`${name}: the contract of a socket`, () => {
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

    it("shares a port's load when both say so: each datagram goes to one, of the same ends to the same; or is refused", async () => {
      const local = { address: address("127.0.0.1"), port: 0 }
      const boxes = [inbox(), inbox()]
      const first = await udp.bind({ local, reusePort: true }, boxes[0].receiver)
      if (cannot("reuse-port")) {
        assert.equal(first.ok || first.error.code, "EINVAL")
        return
      }
      assert.ok(first.ok)
      const second = await open({ local: first.value.local, reusePort: true }, boxes[1].receiver)
      assert.deepEqual(second.local, first.value.local)
      const alone = await udp.bind({ local: second.local }, inbox().receiver)
      assert.equal(alone.ok || alone.error.code, "EADDRINUSE")
      // That one of two hears none of 64 senders has a chance of 1 in 2^63.
      const senders = await Promise.all(Array.from({ length: 64 }, () => open({ local }, inbox().receiver)))
      for (const round of ["one", "two"]) {
        for (const sender of senders) sender.send(bytes(round), second.local)
        while (boxes[0].heard.length + boxes[1].heard.length < (round === "one" ? 64 : 128)) await turn()
      }
      const [left, right] = boxes.map(({ heard }) => heard)
      assert.ok(left.length > 0 && right.length > 0)
      for (const { heard } of boxes) {
        const sources = (round: string) => heard.filter(({ text }) => text === round).map(({ from }) => from)
        assert.deepEqual(sources("one").sort(), sources("two").sort())
      }
      await Promise.all([...senders, first.value, second].map((socket) => socket.close()))
    })

    it("binds one port on both families: IPv6 takes no IPv4", { skip: reason }, async () => {
      const [a, b] = [inbox(), inbox()]
      const reuseAddress = cannot("ipv6-only")
      const six = await open({ local: { address: ANY6, port: 0 }, reuseAddress }, a.receiver)
      const both = { address: ANY4, port: six.local.port }
      if (reuseAddress) {
        const alone = await open({ local: { address: ANY6, port: 0 } }, a.receiver)
        const taken = await udp.bind({ local: { address: ANY4, port: alone.local.port } }, b.receiver)
        assert.equal(taken.ok || taken.error.code, "EADDRINUSE")
        alone.send(bytes("to myself"), { address: address("127.0.0.1"), port: alone.local.port })
        await a.until(() => a.errors.length > 0)
        await alone.close()
      } else {
        six.send(bytes("to the other"), { address: address("127.0.0.1"), port: six.local.port })
        await a.until(() => a.errors.length > 0)
      }
      assert.equal(a.errors[0].code, "ENETUNREACH")
      const four = await open({ local: both, reuseAddress }, b.receiver)
      const sender = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      sender.send(bytes("four"), { address: address("127.0.0.1"), port: six.local.port })
      await b.until(() => b.heard.length === 1)
      await four.close()
      // Nobody takes IPv4 now, though of some runtimes the socket gets it.
      sender.send(bytes("nobody"), { address: address("127.0.0.1"), port: six.local.port })
      const sixth = await open({ local: { address: address("::1"), port: 0 } }, inbox().receiver)
      sixth.send(bytes("six"), { address: address("::1"), port: six.local.port })
      await a.until(() => a.heard.length > 0)
      assert.deepEqual(
        a.heard.map(({ text }) => text),
        ["six"],
      )
      await Promise.all([six.close(), sixth.close(), sender.close()])
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

    it("hears ICMP port unreachable on a connected socket, or nothing where that is a limit, and goes on", async () => {
      const box = inbox()
      const gone = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      await gone.close()
      const socket = await open({ local: { address: ANY4, port: 0 }, remote: gone.local }, box.receiver)
      assert.equal(formatAddress(socket.local.address), "127.0.0.1")
      socket.send(bytes("anybody?"), gone.local)
      if (!cannot("connect")) {
        await box.until(() => box.errors.length > 0)
        assert.equal(box.errors[0].code, "ECONNREFUSED")
      }
      const back = await open({ local: gone.local }, inbox().receiver)
      const stranger = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      stranger.send(bytes("not for you"), socket.local)
      back.send(bytes("now"), socket.local)
      await box.until(() => box.heard.length > 0)
      assert.equal(box.heard[0].text, "now")
      if (cannot("connect")) assert.deepEqual(box.errors, [])
      await Promise.all([socket.close(), back.close(), stranger.close()])
    })

    it("a socket that is not connected hears of no ICMP error, and loses no datagram to others by it", async () => {
      const [a, b] = [inbox(), inbox()]
      const local = { address: address("127.0.0.1"), port: 0 }
      const gone = await open({ local }, inbox().receiver)
      await gone.close()
      const left = await open({ local }, a.receiver)
      const right = await open({ local }, b.receiver)
      for (let i = 0; i < 20; i++) {
        left.send(bytes("nobody"), gone.local)
        left.send(bytes(`one ${i}`), right.local)
        left.sendMany([
          { bytes: bytes("nobody"), destination: gone.local },
          { bytes: bytes("nobody"), destination: gone.local },
          { bytes: bytes(`two ${i}`), destination: right.local },
        ])
      }
      await b.until(() => b.heard.length === 40)
      assert.deepEqual(
        b.heard.map(({ text }) => text),
        Array.from({ length: 20 }, (_, i) => [`one ${i}`, `two ${i}`]).flat(),
      )
      await Promise.all([left.close(), right.close()])
      assert.deepEqual(a.errors, [])
    })

    it("reports a datagram that the system refuses, and goes on", async () => {
      const [a, b] = [inbox(), inbox()]
      const left = await open({ local: { address: address("127.0.0.1"), port: 0 } }, a.receiver)
      const right = await open({ local: { address: address("127.0.0.1"), port: 0 } }, b.receiver)
      const long = { bytes: new Uint8Array(70000), destination: right.local }
      const nowhere = { bytes: bytes("to port 0"), destination: { ...right.local, port: 0 } }
      const foreign = { bytes: bytes("to another family"), destination: { ...right.local, address: address("::1") } }
      for (const [outgoing, code] of [
        [long, "EMSGSIZE"],
        [nowhere, "EINVAL"],
        [foreign, "EAFNOSUPPORT"],
      ] as const) {
        const before = a.errors.length
        // Of thousands a second an adapter may leave some unsaid.
        for (; a.errors.length === before; await turn()) left.send(outgoing.bytes, outgoing.destination)
        assert.equal(a.errors[before].code, code)
      }
      left.sendMany([
        { bytes: bytes("before"), destination: right.local },
        long,
        { bytes: bytes("between"), destination: right.local },
        nowhere,
        { bytes: bytes("after"), destination: right.local },
      ])
      left.send(bytes("last"), right.local)
      await b.until(() => b.heard.length === 4)
      assert.deepEqual(
        b.heard.map(({ text }) => text),
        ["before", "between", "after", "last"],
      )
      await Promise.all([left.close(), right.close()])
    })

    it("joins a group on the interface named, and hears it from a socket bound there", async () => {
      const box = inbox()
      const member = await open({ local: { address: ANY4, port: 0 }, reuseAddress: true }, box.receiver)
      const sender = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      assert.deepEqual(await member.joinMulticast(address("224.0.0.1"), "lo"), { ok: true, value: undefined })
      sender.send(bytes("hello all"), { address: address("224.0.0.1"), port: member.local.port })
      await box.until(() => box.heard.length > 0)
      assert.equal(box.heard[0].from, `127.0.0.1 ${sender.local.port}`)
      const nowhere = await member.joinMulticast(address("224.0.0.1"), "no-such-interface")
      assert.equal(nowhere.ok || nowhere.error.code, "ENODEV")
      const unicast = await member.joinMulticast(address("192.0.2.1"))
      assert.equal(unicast.ok, false)
      await Promise.all([member.close(), sender.close()])
    })

    it("leaves a group, and hears it no more", async () => {
      const box = inbox()
      // Of 224.0.0.1 the whole machine is a member, and Linux gives a socket what any of its sockets joined.
      const group = address("239.255.77.77")
      const member = await open({ local: { address: ANY4, port: 0 }, reuseAddress: true }, box.receiver)
      const sender = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      const call = (text: string): void => sender.send(bytes(text), { address: group, port: member.local.port })
      assert.deepEqual(await member.joinMulticast(group, "lo"), { ok: true, value: undefined })
      const twice = await member.joinMulticast(group, "lo")
      assert.equal(twice.ok || twice.error.code, "EADDRINUSE")
      call("member")
      await box.until(() => box.heard.length > 0)
      assert.deepEqual(await member.leaveMulticast(group, "lo"), { ok: true, value: undefined })
      call("gone")
      sender.send(bytes("still here"), { address: address("127.0.0.1"), port: member.local.port })
      await box.until(() => box.heard.length > 1)
      assert.deepEqual(
        box.heard.map(({ text }) => text),
        ["member", "still here"],
      )
      const again = await member.leaveMulticast(group, "lo")
      assert.equal(again.ok || again.error.code, "EADDRNOTAVAIL")
      await Promise.all([member.close(), sender.close()])
    })

    it("joins and leaves an IPv6 group by the interface's name", { skip: reason }, async () => {
      const member = await open({ local: { address: ANY6, port: 0 } }, inbox().receiver)
      const group = address("ff02::1:4d4d")
      assert.deepEqual(await member.joinMulticast(group, "lo"), { ok: true, value: undefined })
      assert.deepEqual(await member.leaveMulticast(group, "lo"), { ok: true, value: undefined })
      const nowhere = await member.joinMulticast(group, "no-such-interface")
      assert.equal(nowhere.ok || nowhere.error.code, "ENODEV")
      await member.close()
    })

    it("grants buffers, and says how large, or says nothing where that is a limit", async () => {
      const local = { address: address("127.0.0.1"), port: 0 }
      const small = await open({ local, receiveBuffer: 16384, sendBuffer: 16384 }, inbox().receiver)
      const usual = await open({ local }, inbox().receiver)
      if (cannot("buffers")) assert.deepEqual([small.buffers, usual.buffers], [undefined, undefined])
      else checkBuffers(small.buffers, usual.buffers)
      await Promise.all([small.close(), usual.close()])
    })

    it("closes once, and throws at nobody afterwards", async () => {
      const socket = await open({ local: { address: address("127.0.0.1"), port: 0 } }, inbox().receiver)
      const closing = socket.close()
      socket.send(bytes("late"), socket.local)
      socket.sendMany([{ bytes: bytes("later"), destination: socket.local }])
      await Promise.all([closing, socket.close()])
      const joined = await socket.joinMulticast(address("224.0.0.1"))
      const left = await socket.leaveMulticast(address("224.0.0.1"))
      assert.deepEqual([joined.ok || joined.error.code, left.ok || left.error.code], ["CLOSED", "CLOSED"])
    })
  })
}

const checkBuffers = (small: UdpSocket["buffers"], usual: UdpSocket["buffers"]): void => {
  assert.ok(small !== undefined && usual !== undefined)
  assert.ok(small.receive >= 16384 && small.receive < usual.receive)
  assert.ok(small.send >= 16384 && small.send < usual.send)
}
