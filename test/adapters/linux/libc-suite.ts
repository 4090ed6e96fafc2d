import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { HEADER, type Libc, openLibc, POLLFD } from "../../../adapters/linux/index.ts"

// Of the kernel's own headers.
const [AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_RCVBUF, MSG_DONTWAIT] = [2, 2, 1, 8, 0x40]
const [EBADF, EAGAIN, EINVAL] = [9, 11, 22]
const [POLLIN, EPOLLIN, EPOLLONESHOT, EPOLL_CTL_ADD, EPOLL_CTL_MOD] = [1, 1, 1 << 30, 1, 3]

const libc = (): Libc => {
  const opened = openLibc()
  assert.ok(opened.ok, opened.ok ? "" : opened.text)
  return opened.value
}

/** struct sockaddr_in of 127.0.0.1. */
const loopback = (port: number): Uint8Array => {
  const name = new Uint8Array(16)
  name.set([AF_INET, 0, port >>> 8, port & 255, 127, 0, 0, 1])
  return name
}

/** A socket on loopback, and its name. */
const bound = (c: Libc): readonly [number, Uint8Array] => {
  const fd = c.socket(AF_INET, SOCK_DGRAM, 0)
  assert.ok(fd >= 0)
  assert.equal(c.bind(fd, loopback(0)), 0)
  const name = new Uint8Array(28)
  const length = c.getsockname(fd, name)
  assert.equal(length, 16)
  assert.deepEqual([...name.subarray(4, 8)], [127, 0, 0, 1])
  return [fd, name.slice(0, length)]
}

/** The C library by each runtime's foreign functions. */
export const libcSuite = (runtime: string): void => {
  const opened = openLibc()
  const skip = opened.ok ? false : `no C library here: ${opened.text}`
  describe(`${runtime}: the C library`, { skip }, () => {
    it("says why a call failed", () => {
      const c = libc()
      assert.deepEqual([c.close(-1), c.errno()], [-1, EBADF])
      assert.deepEqual([c.socket(AF_INET, 99, 0), c.errno()], [-1, EINVAL])
      assert.deepEqual([c.recv(-1, new Uint8Array(8), 0), c.errno()], [-1, EBADF])
    })

    it("sends and receives octets of the engine's own, and of memory that stays", () => {
      const c = libc()
      const [[left], [right, name]] = [bound(c), bound(c)]
      const room = new Uint8Array(64)
      assert.deepEqual([c.recv(right, room, MSG_DONTWAIT), c.errno()], [-1, EAGAIN])
      assert.equal(c.sendto(left, Uint8Array.of(1, 2, 3), 0, name), 3)
      assert.equal(c.recv(right, room, 0), 3)
      assert.deepEqual([...room.subarray(0, 4)], [1, 2, 3, 0])
      assert.equal(c.sendto(left, new Uint8Array(0), 0, name), 0)
      assert.equal(c.recv(right, room, 0), 0)
      assert.equal(c.connect(left, name), 0)
      assert.equal(c.send(left, Uint8Array.of(7), 0), 1)
      assert.equal(c.recv(right, room, 0), 1)

      // Three messages, each of an octet: struct mmsghdr with its iovec, written by hand.
      const [headers, parts] = [c.memory(3 * HEADER), c.memory(3 * 32)]
      for (let i = 0; i < 3; i++) {
        headers.view.setBigUint64(i * HEADER + 16, parts.address + BigInt(32 * i), true)
        headers.view.setBigUint64(i * HEADER + 24, 1n, true)
        parts.view.setBigUint64(32 * i, parts.address + BigInt(32 * i + 16), true)
        parts.view.setBigUint64(32 * i + 8, 1n, true)
        parts.octets[32 * i + 16] = 40 + i
      }
      assert.equal(c.sendmmsg(left, headers, 1, 2, 0), 2)
      assert.equal(c.sendmmsg(left, headers, 0, 1, 0), 1)
      for (let i = 0; i < 3; i++) parts.octets[32 * i + 16] = 0
      assert.equal(c.recvmmsg(right, headers, 3, MSG_DONTWAIT), 3)
      assert.deepEqual(
        [0, 1, 2].map((i) => parts.octets[32 * i + 16]),
        [41, 42, 40],
      )
      for (const fd of [left, right]) assert.equal(c.close(fd), 0)
    })

    it("gives options their values and tells them", () => {
      const c = libc()
      const [fd] = bound(c)
      const value = new Uint8Array(4)
      new DataView(value.buffer).setInt32(0, 16384, true)
      assert.equal(c.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value), 0)
      assert.equal(c.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value), 4)
      // socket(7): the kernel doubles it.
      assert.equal(new DataView(value.buffer).getInt32(0, true), 32768)
      c.close(fd)
    })

    it("waits for descriptors, and no longer than it is told", () => {
      const c = libc()
      const event = c.eventfd()
      const fds = c.memory(POLLFD)
      fds.view.setInt32(0, event, true)
      fds.view.setInt16(4, POLLIN, true)
      const before = performance.now()
      assert.equal(c.ppoll(fds, 1, 2500), 0)
      assert.ok(performance.now() - before >= 2.4)
      const epoll = c.epollCreate()
      const ids = new Uint32Array(4)
      assert.equal(c.epollControl(epoll, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLONESHOT, 0xfffffffe), 0)
      assert.equal(c.epollWait(epoll, ids, 0), 0)
      const one = new Uint8Array(8)
      one[0] = 1
      assert.equal(c.write(event, one), 8)
      assert.equal(c.ppoll(fds, 1, 0), 1)
      assert.equal(fds.view.getInt16(6, true), POLLIN)
      assert.equal(c.epollWait(epoll, ids, -1), 1)
      assert.equal(ids[0], 0xfffffffe)
      // Once, until it is asked for again.
      assert.equal(c.epollWait(epoll, ids, 0), 0)
      assert.equal(c.epollControl(epoll, EPOLL_CTL_MOD, event, EPOLLIN | EPOLLONESHOT, 5), 0)
      assert.equal(c.epollWait(epoll, ids, 0), 1)
      assert.equal(ids[0], 5)
      const read = new Uint8Array(8)
      assert.equal(c.read(event, read), 8)
      assert.deepEqual(read, one)
      for (const fd of [event, epoll]) assert.equal(c.close(fd), 0)
    })

    it("knows interfaces by name and index", () => {
      const c = libc()
      const index = c.interfaceIndex("lo")
      assert.ok(index > 0)
      assert.equal(c.interfaceName(index), "lo")
      for (const name of ["", "no-such-one", "lo\0", "a-name-that-is-longer-than-any"])
        assert.equal(c.interfaceIndex(name), 0)
      assert.equal(c.interfaceName(0x7fffffff), undefined)
    })

    it("calls nothing with a length or a place that is not in the memory", () => {
      const c = libc()
      const headers = c.memory(2 * HEADER)
      const wrong: readonly (() => unknown)[] = [
        () => c.recvmmsg(-1, headers, 3, 0),
        () => c.recvmmsg(-1, headers, -1, 0),
        () => c.recvmmsg(-1, headers, Number.NaN, 0),
        () => c.recvmmsg(-1, headers, 0.5, 0),
        () => c.recvmmsg(-1, { ...headers }, 1, 0),
        () => c.sendmmsg(-1, headers, 1, 2, 0),
        () => c.sendmmsg(-1, headers, -1, 1, 0),
        () => c.ppoll(headers, 17, 0),
        () => c.memory(-1),
        () => c.memory(2 ** 40),
      ]
      for (const call of wrong) assert.throws(call, RangeError, `${call}`)
    })
  })
}
