import { reasonOf } from "../system-error.ts"
import { bindLibcBun } from "./libc-bun.ts"
import { bindLibcDeno } from "./libc-deno.ts"
import { bindLibcNode } from "./libc-node.ts"
import type { BoundLibc } from "./libc-symbols.ts"

/** Memory that C is shown: all zero at first; it neither moves nor grows, and stays as long as this object is kept. */
export interface Memory {
  readonly octets: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** Where it begins, for pointers that are written into other memory. */
  readonly address: bigint
}

/**
 * The C library's calls for sockets and for waiting. Each checks lengths and places against the memory that it is given and
 * throws a RangeError before C is called, which is a bug of the caller. What C refuses is -1, and then `errno` says why until the next
 * call of the same thread. Octets are C's during the call only, {@link Memory} for longer.
 */
export interface Libc {
  memory(length: number): Memory
  /** Why the last call that gave -1 did. */
  errno(): number
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, name: Uint8Array): number
  connect(fd: number, name: Uint8Array): number
  /** The octets of the name that are valid. */
  getsockname(fd: number, name: Uint8Array): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number
  /** The octets of the value that are valid. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array): number
  /** The octets sent, to whom the socket is connected. */
  send(fd: number, bytes: Uint8Array, flags: number): number
  /** The octets sent. */
  sendto(fd: number, bytes: Uint8Array, flags: number, name: Uint8Array): number
  /** The octets received. */
  recv(fd: number, bytes: Uint8Array, flags: number): number
  /** How many of `count` message headers (struct mmsghdr, {@link HEADER} octets each) were filled. */
  recvmmsg(fd: number, headers: Memory, count: number, flags: number): number
  /** How many were sent of `count` messages whose headers begin with the one of that number. */
  sendmmsg(fd: number, headers: Memory, from: number, count: number, flags: number): number
  /** How many of the first `count` descriptors (struct pollfd, {@link POLLFD} octets each) have something, within so many microseconds. */
  ppoll(fds: Memory, count: number, microseconds: number): number
  epollCreate(): number
  /** `id` comes back with the descriptor's events, 0 to 2^32 - 1. */
  epollControl(epoll: number, operation: number, fd: number, events: number, id: number): number
  /** Waits, in milliseconds, -1 for ever; gives how many of the ids are set. */
  epollWait(epoll: number, ids: Uint32Array, milliseconds: number): number
  eventfd(): number
  read(fd: number, bytes: Uint8Array): number
  write(fd: number, bytes: Uint8Array): number
  close(fd: number): number
  /** 0: there is no interface of this name. */
  interfaceIndex(name: string): number
  /** `undefined`: there is no interface of this index. */
  interfaceName(index: number): string | undefined
}

/** Octets of a struct mmsghdr: a struct msghdr of 56, the length of the message, and padding. */
export const HEADER = 64
/** Octets of a struct pollfd. */
export const POLLFD = 8
/** Most events that are taken at once. */
const MOST_EVENTS = 64
/** More than any call here is for; no sum or product of such overflows. */
const MOST_COUNT = 2 ** 20
/** Octets of an interface's name, with its zero (IFNAMSIZ). */
const INTERFACE_NAME = 16

/** The library's file as loaders find it: of glibc, and of musl. */
const libraries = (): readonly string[] => [
  "libc.so.6",
  process.arch === "x64" ? "libc.musl-x86_64.so.1" : "libc.musl-aarch64.so.1",
]

let opened: Libc | undefined

/** The C library in this thread, by the runtime's own foreign function interface; or why it is not to be had. */
export const openLibc = ():
  | { readonly ok: true; readonly value: Libc }
  | { readonly ok: false; readonly text: string } => {
  if (opened !== undefined) return { ok: true, value: opened }
  const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  // The layouts of structures here are those of 64 bits, little-endian.
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64") || !isLittle)
    return { ok: false, text: `there is none for ${process.platform} on ${process.arch}` }
  let why = ""
  for (const library of libraries()) {
    try {
      opened = openHere(library)
      return opened === undefined
        ? { ok: false, text: "this runtime calls no foreign functions" }
        : { ok: true, value: opened }
    } catch (cause) {
      // What is wrong with the first is what its user wants to hear.
      if (why === "") why = reasonOf(cause)
    }
  }
  return { ok: false, text: why }
}

const openHere = (library: string): Libc | undefined => {
  if ("Deno" in globalThis) return libcOf(bindLibcDeno(library))
  const bun = "Bun" in globalThis ? bindLibcBun(library) : undefined
  if (bun !== undefined) return libcOf(bun)
  const node = bindLibcNode(library)
  return node === undefined ? undefined : libcOf(node)
}

const libcOf = <P>({ symbols, none, errno, locate, offset }: BoundLibc<P>): Libc => {
  const pointers = new WeakMap<Memory, P>()
  const make = (length: number): { readonly memory: Memory; readonly pointer: P } => {
    // An array of its own of so few octets might lie where the engine moves it.
    const buffer = new ArrayBuffer(Math.max(length, 4096))
    const { pointer, address } = locate(buffer)
    const memory: Memory = { octets: new Uint8Array(buffer, 0, length), view: new DataView(buffer, 0, length), address }
    pointers.set(memory, pointer)
    return { memory, pointer }
  }
  const pointerOf = (memory: Memory, octets: number): P => {
    const pointer = pointers.get(memory)
    if (pointer === undefined || octets > memory.octets.length) throw new RangeError("not in this memory")
    return pointer
  }
  const limit = (count: number, most: number): number => {
    if (!Number.isInteger(count) || count < 0 || count > most) throw new RangeError(`${count} of ${most}`)
    return count
  }
  const timeout = make(16)
  const events = make(16 * MOST_EVENTS)
  const event = new Uint8Array(16)
  const eventView = new DataView(event.buffer)
  const isPacked = process.arch === "x64"
  const [eventSize, eventData] = isPacked ? [12, 4] : [16, 8]
  const socklen = new Uint8Array(4)
  const socklenView = new DataView(socklen.buffer)
  /** A call that is told how much room there is, and tells how much of it it used. */
  const sized = (value: Uint8Array, call: (length: Uint8Array) => number): number => {
    socklenView.setUint32(0, value.length, true)
    return call(socklen) < 0 ? -1 : Math.min(socklenView.getUint32(0, true), value.length)
  }

  return {
    memory: (length) => make(limit(length, 2 ** 30)).memory,
    errno: () => errno[0],
    socket: (family, type, protocol) => symbols.socket(family, type, protocol),
    bind: (fd, name) => symbols.bind(fd, name, name.length),
    connect: (fd, name) => symbols.connect(fd, name, name.length),
    getsockname: (fd, name) => sized(name, (length) => symbols.getsockname(fd, name, length)),
    setsockopt: (fd, level, option, value) => symbols.setsockopt(fd, level, option, value, value.length),
    getsockopt: (fd, level, option, value) =>
      sized(value, (length) => symbols.getsockopt(fd, level, option, value, length)),
    send: (fd, bytes, flags) => Number(symbols.send(fd, bytes, BigInt(bytes.length), flags)),
    sendto: (fd, bytes, flags, name) =>
      Number(symbols.sendto(fd, bytes, BigInt(bytes.length), flags, name, name.length)),
    recv: (fd, bytes, flags) => Number(symbols.recv(fd, bytes, BigInt(bytes.length), flags)),
    recvmmsg: (fd, headers, count, flags) =>
      symbols.recvmmsg(fd, pointerOf(headers, limit(count, MOST_COUNT) * HEADER), count, flags, none),
    sendmmsg: (fd, headers, from, count, flags) => {
      const pointer = pointerOf(headers, (limit(from, MOST_COUNT) + limit(count, MOST_COUNT)) * HEADER)
      return symbols.sendmmsg(fd, from === 0 ? pointer : offset(pointer, from * HEADER), count, flags)
    },
    ppoll: (fds, count, microseconds) => {
      const pointer = pointerOf(fds, limit(count, MOST_COUNT) * POLLFD)
      timeout.memory.view.setUint32(0, Math.floor(microseconds / 1e6), true)
      timeout.memory.view.setUint32(8, (microseconds % 1e6) * 1000, true)
      return symbols.ppoll(pointer, BigInt(count), timeout.pointer, none)
    },
    epollCreate: () => symbols.epoll_create1(EPOLL_CLOEXEC),
    epollControl: (epoll, operation, fd, wanted, id) => {
      eventView.setUint32(0, wanted, true)
      eventView.setUint32(eventData, id, true)
      return symbols.epoll_ctl(epoll, operation, fd, event)
    },
    epollWait: (epoll, ids, milliseconds) => {
      const count = symbols.epoll_wait(epoll, events.pointer, Math.min(ids.length, MOST_EVENTS), milliseconds)
      for (let i = 0; i < count; i++) ids[i] = events.memory.view.getUint32(i * eventSize + eventData, true)
      return count
    },
    eventfd: () => symbols.eventfd(0, EFD_CLOEXEC),
    read: (fd, bytes) => Number(symbols.read(fd, bytes, BigInt(bytes.length))),
    write: (fd, bytes) => Number(symbols.write(fd, bytes, BigInt(bytes.length))),
    close: (fd) => symbols.close(fd),
    interfaceIndex: (name) => {
      const octets = new TextEncoder().encode(`${name}\0`)
      // C would stop at a zero in the middle, and take another interface.
      return octets.length > INTERFACE_NAME || octets.indexOf(0) < octets.length - 1
        ? 0
        : symbols.if_nametoindex(octets)
    },
    interfaceName: (index) => {
      const octets = new Uint8Array(INTERFACE_NAME)
      symbols.if_indextoname(limit(index, 0xffffffff), octets)
      const end = octets.indexOf(0)
      return end > 0 ? new TextDecoder().decode(octets.subarray(0, end)) : undefined
    },
  }
}

/** O_CLOEXEC: no program that is started has them. */
const EPOLL_CLOEXEC = 0x80000
const EFD_CLOEXEC = 0x80000
