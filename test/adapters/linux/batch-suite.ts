import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { createFastUdp, type Libc } from "../../../adapters/linux/index.ts"
import type { Datagram, Endpoint, Udp, UdpError, UdpSocket } from "../../../adapters/udp.ts"
import { type Address, ANY4, ANY6, formatAddress } from "../../../core/wire/index.ts"
import { address, bytes, hasIpv6, inbox, opener } from "../udp-suite.ts"

const [EPOLL_CTL_ADD, EPOLL_CTL_DEL] = [1, 2]
/** The waiter's own descriptor in its epoll, by which it is ended. */
const STOP = 0
const [EPERM, EAGAIN, ENOBUFS, ECONNREFUSED] = [1, 11, 105, 111]
const entry = new URL("../../../adapters/linux/waiter-thread.ts", import.meta.url)
const LOOPBACK = address("127.0.0.1")

interface Scripted {
  readonly libc: Libc
  /** What the next calls of sendmmsg come to: that many are sent, or, negative, an error. Then the system's own. */
  script(...outcomes: readonly number[]): void
  readonly isDone: () => boolean
}

/** The C library, whose sendmmsg does as it is told. */
const scripted = (own: Libc): Scripted => {
  let outcomes: readonly number[] = []
  let errno: number | undefined
  return {
    script: (...wanted) => {
      outcomes = wanted
    },
    isDone: () => outcomes.length === 0,
    libc: {
      ...own,
      errno: () => errno ?? own.errno(),
      sendmmsg: (fd, headers, from, count, flags) => {
        const [outcome, ...rest] = outcomes
        outcomes = rest
        errno = outcome !== undefined && outcome < 0 ? -outcome : undefined
        if (errno !== undefined) return -1
        return own.sendmmsg(fd, headers, from, Math.min(outcome ?? count, count), flags)
      },
    },
  }
}

/** Where datagrams arrive and are answered from, with the answers. */
const asked = async (udp: Udp, runtimeUdp: Udp, at: Address, targets: readonly Address[], ipv6Only: boolean) => {
  const open = opener(udp)
  const locals: Endpoint[] = []
  const server = await open(
    { local: { address: at, port: 0 }, ipv6Only },
    {
      receive: ({ bytes: octets, source, local }, socket) => {
        locals.push(local)
        socket.send(octets.slice(), source, local.address)
      },
      error: (error) => assert.fail(error.text),
    },
  )
  const box = inbox()
  const family = formatAddress(targets[0]).includes(":") ? address("::1") : LOOPBACK
  const client = await opener(runtimeUdp)({ local: { address: family, port: 0 } }, box.receiver)
  for (const [i, target] of targets.entries()) {
    client.send(bytes("?"), { address: target, port: server.local.port })
    await box.until(() => box.heard.length > i)
  }
  await Promise.all([server.close(), client.close()])
  return {
    asked: locals.map(({ address: local, port }) => [formatAddress(local), port === server.local.port]),
    answered: box.heard.map(({ from }) => from.split(" ")[0]),
  }
}

/** What the C library's sockets do besides the contract. `runtimeUdp`: the runtime's own sockets, as the other end. */
export const batchSuite = (name: string, own: Libc, udp: Udp, runtimeUdp: Udp): void => {
  describe(`${name}: where datagrams arrive and leave from`, () => {
    it("tells of a socket bound to 0.0.0.0 each address that was asked, and answers from there", async () => {
      const targets = ["127.0.0.1", "127.0.0.2", "127.0.0.2", "127.9.9.9", "127.0.0.1"]
      const { asked: arrived, answered } = await asked(udp, runtimeUdp, ANY4, targets.map(address), true)
      assert.deepEqual(
        arrived,
        targets.map((text) => [text, true]),
      )
      assert.deepEqual(answered, targets)
    })

    it("the same of ::, also of IPv4 where it takes that", {
      skip: !hasIpv6 && "this machine has no ::1",
    }, async () => {
      const six = await asked(udp, runtimeUdp, ANY6, [address("::1")], true)
      assert.deepEqual([six.asked, six.answered], [[["::1", true]], ["::1"]])
      const targets = ["127.0.0.3", "127.0.0.1"]
      const four = await asked(udp, runtimeUdp, ANY6, targets.map(address), false)
      assert.deepEqual(
        four.asked,
        targets.map((text) => [text, true]),
      )
      assert.deepEqual(four.answered, targets)
    })

    it("tells of a group the address that an answer would leave from", async () => {
      const group = address("239.255.77.78")
      let tell = (_local: Datagram["local"]): void => {}
      const told = new Promise<Datagram["local"]>((resolve) => {
        tell = resolve
      })
      const member = await opener(udp)(
        { local: { address: ANY4, port: 0 }, reuseAddress: true },
        { receive: ({ local }) => tell(local), error: (error) => assert.fail(error.text) },
      )
      assert.deepEqual(await member.joinMulticast(group, "lo"), { ok: true, value: undefined })
      const sender = await opener(runtimeUdp)({ local: { address: LOOPBACK, port: 0 } }, inbox().receiver)
      sender.send(bytes("all"), { address: group, port: member.local.port })
      const local = await told
      assert.equal(formatAddress(local.address), "127.0.0.1")
      await Promise.all([member.close(), sender.close()])
    })

    it("leaves from where the system chooses when it is told nothing, and says what it refuses", async () => {
      const [a, b] = [inbox(), inbox()]
      const left = await opener(udp)({ local: { address: ANY4, port: 0 } }, a.receiver)
      const right = await opener(runtimeUdp)({ local: { address: LOOPBACK, port: 0 } }, b.receiver)
      left.send(bytes("1"), right.local)
      left.send(bytes("2"), right.local, address("127.0.0.8"))
      left.send(bytes("3"), right.local, ANY4)
      left.send(bytes("4"), right.local, address("224.0.0.1"))
      // None of this machine's.
      left.send(bytes("5"), right.local, address("192.0.2.1"))
      left.send(bytes("6"), right.local)
      await b.until(() => b.heard.length === 5)
      assert.deepEqual(
        b.heard.map(({ text, from }) => `${text} ${from.split(" ")[0]}`),
        ["1 127.0.0.1", "2 127.0.0.8", "3 127.0.0.1", "4 127.0.0.1", "6 127.0.0.1"],
      )
      await a.until(() => a.errors.length > 0)
      assert.equal(a.errors.length, 1)
      // It goes by the routes which of the two it is.
      assert.match(a.errors[0].code, /^(EINVAL|ENETUNREACH)$/)
      await Promise.all([left.close(), right.close()])
    })
  })

  describe(`${name}: batches`, () => {
    /** A socket whose datagrams the system takes as `script` says, and one that hears them. */
    const pair = async () => {
      const { libc, script, isDone } = scripted(own)
      const [a, b] = [inbox(), inbox()]
      const local = { address: LOOPBACK, port: 0 }
      const left = await opener(createFastUdp(libc, entry))({ local }, a.receiver)
      const right = await opener(runtimeUdp)({ local }, b.receiver)
      const say = (from: number, to: number): void => {
        for (let i = from; i < to; i++) left.send(bytes(`${i}`), right.local)
      }
      const told = (): readonly number[] => b.heard.map(({ text }) => Number(text))
      const count = (): number => b.heard.length
      const heard = async (wanted: readonly number[]): Promise<void> => {
        await b.until(() => b.heard.length >= wanted.length)
        assert.deepEqual(told(), wanted)
      }
      const close = (sockets: readonly UdpSocket[] = [left, right]) =>
        Promise.all(sockets.map((socket) => socket.close()))
      return {
        script,
        isDone,
        count,
        numbers: told,
        say,
        heard,
        errors: a.errors,
        until: a.until,
        untilHeard: b.until,
        left,
        right,
        close,
      }
    }
    const numbers = (from: number, to: number, without: readonly number[] = []): readonly number[] =>
      Array.from({ length: to - from }, (_, i) => from + i).filter((number) => !without.includes(number))
    const codes = (errors: readonly UdpError[]): readonly string[] => errors.map(({ code }) => code)

    it("goes on where the system took a part of one", async () => {
      const scene = await pair()
      scene.script(1, 5, 20)
      scene.say(0, 70)
      await scene.heard(numbers(0, 70))
      assert.deepEqual(scene.errors, [])
      await scene.close()
    })

    it("tells of each datagram that is refused, and sends those after it", async () => {
      const scene = await pair()
      scene.script(3, -EPERM, 2, -ENOBUFS, -EPERM)
      scene.say(0, 10)
      await scene.heard(numbers(0, 10, [3, 6, 7]))
      await scene.until(() => scene.errors.length === 3)
      assert.deepEqual(codes(scene.errors), ["EPERM", "ENOBUFS", "EPERM"])
      await scene.close()
    })

    it("sends again what an ICMP error of an earlier one kept back, where it is connected, and once", async () => {
      const { libc, script } = scripted(own)
      const [a, b] = [inbox(), inbox()]
      const local = { address: LOOPBACK, port: 0 }
      const right = await opener(runtimeUdp)({ local }, b.receiver)
      const left = await opener(createFastUdp(libc, entry))({ local, remote: right.local }, a.receiver)
      script(1, -ECONNREFUSED, 1, -ECONNREFUSED, -ECONNREFUSED)
      for (const text of ["0", "1", "2", "3"]) left.send(bytes(text), right.local)
      await b.until(() => b.heard.length === 3)
      assert.deepEqual(
        b.heard.map(({ text }) => text),
        ["0", "1", "3"],
      )
      await a.until(() => a.errors.length === 3)
      assert.deepEqual(new Set(codes(a.errors)), new Set(["ECONNREFUSED"]))
      await Promise.all([left.close(), right.close()])
    })

    it("keeps what the system has no room for, in its order, and what is sent meanwhile after it", async () => {
      const scene = await pair()
      scene.script(2, -EAGAIN, 1, -EAGAIN)
      scene.say(0, 5)
      await Promise.resolve()
      scene.say(5, 9)
      await scene.heard(numbers(0, 9))
      assert.ok(scene.isDone())
      assert.deepEqual(scene.errors, [])
      await scene.close()
    })

    it("loses what is more than it keeps, and says so", async () => {
      const scene = await pair()
      scene.script(...Array.from({ length: 1000 }, () => -EAGAIN))
      scene.say(0, 66_000)
      await scene.until(() => scene.errors.length > 0)
      assert.equal(new Set(codes(scene.errors)).size, 1)
      assert.equal(scene.errors[0].code, "ENOBUFS")
      assert.equal(scene.errors.length, 66_000 - 65_536)
      scene.script()
      // As many as the other end has room for.
      await scene.untilHeard(() => scene.count() >= 100)
      assert.ok(scene.numbers().every((number) => number < 65_536))
      assert.deepEqual(scene.numbers().slice(0, 100), numbers(0, 100))
      await scene.close()
    })

    it("tries what waits once more when it closes", async () => {
      const scene = await pair()
      scene.script(1, -EAGAIN)
      scene.say(0, 5)
      await Promise.resolve()
      await scene.left.close()
      await scene.heard(numbers(0, 5))
      await scene.right.close()
    })
  })

  describe(`${name}: while nothing comes`, () => {
    it("sleeps, and wakes for a datagram, again and again, with timers served meanwhile", async () => {
      let asleep = (): void => {}
      const armed = (): Promise<void> =>
        new Promise((resolve) => {
          asleep = resolve
        })
      const told: (readonly [operation: number, done: number])[] = []
      const libc: Libc = {
        ...own,
        epollControl: (epoll, operation, fd, events, id) => {
          const done = own.epollControl(epoll, operation, fd, events, id)
          if (operation === EPOLL_CTL_ADD && id === STOP) return done
          told.push([operation, done])
          // The first is before the thread waits.
          if (operation === EPOLL_CTL_ADD && told.length > 1) asleep()
          return done
        },
      }
      const box = inbox()
      const local = { address: LOOPBACK, port: 0 }
      let sleeping = armed()
      const socket = await opener(createFastUdp(libc, entry))({ local }, box.receiver)
      const other = await opener(runtimeUdp)({ local }, inbox().receiver)
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      for (let i = 1; i <= 5; i++) {
        await sleeping
        sleeping = armed()
        other.send(bytes("wake"), socket.local)
        await box.until(() => box.heard.length === i)
      }
      await sleeping
      clearInterval(timer)
      assert.ok(ticks > 0)
      // While it is looked at nobody waits for it.
      assert.deepEqual(
        told,
        told.map((_, i) => [i % 2 === 0 ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, 0]),
      )
      await Promise.all([socket.close(), other.close()])
    })

    it("hears where the system waits for no more descriptors", async () => {
      let refused = 0
      let again = (): void => {}
      const libc: Libc = {
        ...own,
        epollControl: (epoll, operation, fd, events, id) => {
          if (operation !== EPOLL_CTL_ADD || id === STOP) return own.epollControl(epoll, operation, fd, events, id)
          refused++
          again()
          return -1
        },
      }
      const [box, local] = [inbox(), { address: LOOPBACK, port: 0 }]
      const socket = await opener(createFastUdp(libc, entry))({ local }, box.receiver)
      const other = await opener(runtimeUdp)({ local }, inbox().receiver)
      for (let i = 1; i <= 3; i++) {
        // It has tried to sleep since.
        const before = refused
        await new Promise<void>((resolve) => {
          again = () => refused > before + 1 && resolve()
        })
        other.send(bytes("wake"), socket.local)
        await box.until(() => box.heard.length === i)
      }
      await Promise.all([socket.close(), other.close()])
    })

    it("wakes sockets by another thread when the one that waited has failed", async () => {
      const none = -1
      let isOver = (): void => {}
      const over = new Promise<void>((resolve) => {
        isOver = resolve
      })
      let isArmed = (): void => {}
      const armed = new Promise<void>((resolve) => {
        isArmed = resolve
      })
      let waiters = 0
      const arms: number[] = []
      const libc: Libc = {
        ...own,
        epollCreate: () => (waiters++ === 0 ? none : own.epollCreate()),
        epollControl: (epoll, operation, fd, events, id) => {
          const done = own.epollControl(epoll, operation, fd, events, id)
          if (operation === EPOLL_CTL_ADD && id !== STOP && epoll !== none) arms.push(done)
          // The second socket before the thread waits, and then both.
          if (arms.length >= 3) isArmed()
          return done
        },
        close: (fd) => {
          if (fd === none) isOver()
          return own.close(fd)
        },
      }
      const open = opener(createFastUdp(libc, entry))
      const [box, local] = [inbox(), { address: LOOPBACK, port: 0 }]
      const first = await open({ local }, box.receiver)
      await over
      const second = await open({ local }, inbox().receiver)
      await armed
      assert.deepEqual([arms, waiters], [[0, 0, 0], 2])
      const other = await opener(runtimeUdp)({ local }, inbox().receiver)
      other.send(bytes("wake"), first.local)
      await box.until(() => box.heard.length === 1)
      await Promise.all([first.close(), second.close(), other.close()])
    })
  })
}
