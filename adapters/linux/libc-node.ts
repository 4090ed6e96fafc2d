import type { BoundLibc } from "./libc-symbols.ts"

/** {@link BoundLibc} by `node:ffi`; `undefined` where this Node has none. Throws what the loader says. */
export const bindLibcNode = (library: string): BoundLibc<bigint> | undefined => {
  const ffi = process.getBuiltinModule("node:ffi")
  if (ffi === undefined) return undefined
  const { functions } = ffi.dlopen(library, {
    socket: { arguments: ["int32", "int32", "int32"], return: "int32" },
    bind: { arguments: ["int32", "buffer", "uint32"], return: "int32" },
    connect: { arguments: ["int32", "buffer", "uint32"], return: "int32" },
    getsockname: { arguments: ["int32", "buffer", "buffer"], return: "int32" },
    setsockopt: { arguments: ["int32", "int32", "int32", "buffer", "uint32"], return: "int32" },
    getsockopt: { arguments: ["int32", "int32", "int32", "buffer", "buffer"], return: "int32" },
    sendto: { arguments: ["int32", "buffer", "uint64", "int32", "buffer", "uint32"], return: "int64" },
    send: { arguments: ["int32", "buffer", "uint64", "int32"], return: "int64" },
    recv: { arguments: ["int32", "buffer", "uint64", "int32"], return: "int64" },
    recvmmsg: { arguments: ["int32", "pointer", "uint32", "int32", "pointer"], return: "int32" },
    sendmmsg: { arguments: ["int32", "pointer", "uint32", "int32"], return: "int32" },
    ppoll: { arguments: ["pointer", "uint64", "pointer", "pointer"], return: "int32" },
    epoll_create1: { arguments: ["int32"], return: "int32" },
    epoll_ctl: { arguments: ["int32", "int32", "int32", "buffer"], return: "int32" },
    epoll_wait: { arguments: ["int32", "pointer", "int32", "int32"], return: "int32" },
    eventfd: { arguments: ["uint32", "int32"], return: "int32" },
    read: { arguments: ["int32", "buffer", "uint64"], return: "int64" },
    write: { arguments: ["int32", "buffer", "uint64"], return: "int64" },
    close: { arguments: ["int32"], return: "int32" },
    if_nametoindex: { arguments: ["buffer"], return: "uint32" },
    if_indextoname: { arguments: ["uint32", "buffer"], return: "pointer" },
    __errno_location: { arguments: [], return: "pointer" },
  })
  return {
    symbols: functions,
    none: 0n,
    errno: new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false)),
    locate: (memory) => {
      const address = ffi.getRawPointer(memory)
      return { pointer: address, address }
    },
    offset: (pointer, octets) => pointer + BigInt(octets),
  }
}
