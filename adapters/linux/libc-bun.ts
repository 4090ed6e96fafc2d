import type { BoundLibc, LibcSymbols } from "./libc-symbols.ts"

/** What is used of `bun:ffi`: Bun's declarations are not those of the other runtimes' compilers. */
interface BunFfi {
  dlopen(
    library: string,
    symbols: Readonly<Record<keyof LibcSymbols<number>, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: LibcSymbols<number> }
  ptr(memory: ArrayBuffer): number
  toArrayBuffer(pointer: number, offset: number, length: number): ArrayBuffer
}

const isFfi = (value: unknown): value is BunFfi =>
  typeof value === "object" && value !== null && "dlopen" in value && "ptr" in value && "toArrayBuffer" in value

/** {@link BoundLibc} by `bun:ffi`; `undefined` where this Bun has none. Throws what the loader says. */
export const bindLibcBun = (library: string): BoundLibc<number> | undefined => {
  const ffi: unknown = process.getBuiltinModule("bun:ffi")
  if (!isFfi(ffi)) return undefined
  const { symbols } = ffi.dlopen(library, {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "buffer", "u32"], returns: "i32" },
    connect: { args: ["i32", "buffer", "u32"], returns: "i32" },
    getsockname: { args: ["i32", "buffer", "buffer"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "buffer", "u32"], returns: "i32" },
    getsockopt: { args: ["i32", "i32", "i32", "buffer", "buffer"], returns: "i32" },
    sendto: { args: ["i32", "buffer", "u64", "i32", "buffer", "u32"], returns: "i64" },
    send: { args: ["i32", "buffer", "u64", "i32"], returns: "i64" },
    recv: { args: ["i32", "buffer", "u64", "i32"], returns: "i64" },
    recvmmsg: { args: ["i32", "pointer", "u32", "i32", "pointer"], returns: "i32" },
    sendmmsg: { args: ["i32", "pointer", "u32", "i32"], returns: "i32" },
    ppoll: { args: ["pointer", "u64", "pointer", "pointer"], returns: "i32" },
    epoll_create1: { args: ["i32"], returns: "i32" },
    epoll_ctl: { args: ["i32", "i32", "i32", "buffer"], returns: "i32" },
    epoll_wait: { args: ["i32", "pointer", "i32", "i32"], returns: "i32" },
    eventfd: { args: ["u32", "i32"], returns: "i32" },
    read: { args: ["i32", "buffer", "u64"], returns: "i64" },
    write: { args: ["i32", "buffer", "u64"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
    if_nametoindex: { args: ["buffer"], returns: "u32" },
    if_indextoname: { args: ["u32", "buffer"], returns: "pointer" },
    __errno_location: { args: [], returns: "pointer" },
  })
  return {
    symbols,
    none: 0,
    errno: new Int32Array(ffi.toArrayBuffer(symbols.__errno_location(), 0, 4)),
    locate: (memory) => {
      const pointer = ffi.ptr(memory)
      return { pointer, address: BigInt(pointer) }
    },
    offset: (pointer, octets) => pointer + octets,
  }
}
