import type { BoundLibc, LibcSymbols } from "./libc-symbols.ts"

/** How Deno has a pointer: an object of its own, or `null`. */
type Pointer = object | null

/** What is used of Deno, by its own names: Deno's declarations are not those of the other runtimes' compilers. */
declare const Deno: {
  dlopen(
    library: string,
    symbols: Readonly<Record<keyof LibcSymbols<Pointer>, { parameters: readonly string[]; result: string }>>,
  ): { readonly symbols: LibcSymbols<Pointer> }
  readonly UnsafePointer: {
    of(memory: ArrayBuffer): Pointer
    offset(pointer: Pointer, octets: number): Pointer
    value(pointer: Pointer): bigint
  }
  readonly UnsafePointerView: { getArrayBuffer(pointer: Pointer, length: number): ArrayBuffer }
}

/** {@link BoundLibc} by `Deno.dlopen`. Throws what the loader says, and where Deno may not load a library. */
export const bindLibcDeno = (library: string): BoundLibc<Pointer> => {
  const { symbols } = Deno.dlopen(library, {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
    sendto: { parameters: ["i32", "buffer", "u64", "i32", "buffer", "u32"], result: "i64" },
    send: { parameters: ["i32", "buffer", "u64", "i32"], result: "i64" },
    recv: { parameters: ["i32", "buffer", "u64", "i32"], result: "i64" },
    recvmmsg: { parameters: ["i32", "pointer", "u32", "i32", "pointer"], result: "i32" },
    sendmmsg: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
    ppoll: { parameters: ["pointer", "u64", "pointer", "pointer"], result: "i32" },
    epoll_create1: { parameters: ["i32"], result: "i32" },
    epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    epoll_wait: { parameters: ["i32", "pointer", "i32", "i32"], result: "i32" },
    eventfd: { parameters: ["u32", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "u64"], result: "i64" },
    write: { parameters: ["i32", "buffer", "u64"], result: "i64" },
    close: { parameters: ["i32"], result: "i32" },
    if_nametoindex: { parameters: ["buffer"], result: "u32" },
    if_indextoname: { parameters: ["u32", "buffer"], result: "pointer" },
    __errno_location: { parameters: [], result: "pointer" },
  })
  return {
    symbols,
    none: null,
    errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(symbols.__errno_location(), 4)),
    locate: (memory) => {
      const pointer = Deno.UnsafePointer.of(memory)
      return { pointer, address: Deno.UnsafePointer.value(pointer) }
    },
    offset: (pointer, octets) => Deno.UnsafePointer.offset(pointer, octets),
  }
}
