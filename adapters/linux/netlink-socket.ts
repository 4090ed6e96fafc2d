import { type Libc, openLibc } from "./libc.ts"
import { LITTLE } from "./netlink.ts"

/** A netlink socket to the kernel's packet filter; nothing here waits. */
export interface NetlinkSocket {
  /** Is what was handed over taken? The kernel has done what it asks when this returns. */
  send(bytes: Uint8Array): boolean
  /**
   * The next messages that have come, whole ones, valid until the next call; `undefined`: there are none. `lost`: some came
   * that there was no room for.
   */
  receive(): DataView | "lost" | undefined
  /** Has the kernel leave out what a program of its socket filters does not let through: see `filterOctets`. */
  filter(program: Uint8Array): boolean
  close(): void
}

const [AF_NETLINK, NETLINK_NETFILTER] = [16, 12]
/** SOCK_RAW, SOCK_NONBLOCK and SOCK_CLOEXEC (bits/socket.h). */
const RAW = 3 | 0x800 | 0x80000
const SOL_SOCKET = 1
const [SO_ATTACH_FILTER, SO_RCVBUFFORCE] = [26, 33]
const ENOBUFS = 105
/** The kernel answers with up to 32 KiB at once (NLMSG_GOODSIZE and netlink's own limit for dumps). */
const LONGEST = 0x10000

/**
 * Opens one for each call.
 *
 * @param groups Bits of `EventGroup` of which it hears.
 * @param room Octets for messages not read yet; `undefined`: the system's own.
 */
export type OpenNetlink = (groups: number, room?: number) => NetlinkSocket | undefined

/** Opens netlink sockets by the C library; or why there are none. */
export const netlinkSockets = ():
  | { readonly ok: true; readonly value: OpenNetlink }
  | { readonly ok: false; readonly text: string } => {
  const libc = openLibc()
  return libc.ok ? { ok: true, value: (groups, room) => openSocket(libc.value, groups, room) } : libc
}

const openSocket = (libc: Libc, groups: number, room: number | undefined): NetlinkSocket | undefined => {
  const fd = libc.socket(AF_NETLINK, RAW, NETLINK_NETFILTER)
  if (fd < 0) return undefined
  // struct sockaddr_nl: family, padding, port (0: the kernel chooses), groups.
  const name = new Uint8Array(12)
  const nameView = new DataView(name.buffer)
  nameView.setUint16(0, AF_NETLINK, LITTLE)
  nameView.setUint32(8, groups, LITTLE)
  if (room !== undefined) {
    const value = new Uint8Array(4)
    new DataView(value.buffer).setInt32(0, room, LITTLE)
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value)
  }
  if (libc.bind(fd, name) < 0) {
    libc.close(fd)
    return undefined
  }
  const buffer = new Uint8Array(LONGEST)
  let open = true
  return {
    send: (bytes) => open && libc.send(fd, bytes, 0) === bytes.length,
    receive: () => {
      if (!open) return undefined
      const length = libc.recv(fd, buffer, 0)
      if (length >= 0) return new DataView(buffer.buffer, 0, length)
      return libc.errno() === ENOBUFS ? "lost" : undefined
    },
    filter: (program) => {
      const memory = libc.memory(program.length)
      memory.octets.set(program)
      // struct sock_fprog: instructions of 8 octets, and where they are.
      const value = new DataView(new ArrayBuffer(16))
      value.setUint16(0, program.length / 8, LITTLE)
      value.setBigUint64(8, memory.address, LITTLE)
      const isSet = open && libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, new Uint8Array(value.buffer)) === 0
      // Kept until the kernel has read it.
      memory.octets.fill(0)
      return isSet
    },
    close: () => {
      if (open) libc.close(fd)
      open = false
    },
  }
}
