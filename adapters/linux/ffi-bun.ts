import type { Bound, Symbols } from "./symbols.ts"

/** What is used of `bun:ffi`: Bun's declarations are not those of the other runtimes' compilers. */
interface BunFfi {
  dlopen(
    library: string,
    symbols: Readonly<Record<keyof Symbols<number>, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: Symbols<number>; close(): void }
  readonly CString: new (pointer: number) => { toString(): string }
}

const isFfi = (value: unknown): value is BunFfi =>
  typeof value === "object" && value !== null && "dlopen" in value && "CString" in value

/** {@link Bound} by `bun:ffi`; `undefined` where this Bun has none. Throws what the loader says. */
export const bindBun = (library: string): Bound<number> | undefined => {
  const ffi: unknown = process.getBuiltinModule("bun:ffi")
  if (!isFfi(ffi)) return undefined
  const opened = ffi.dlopen(library, {
    nft_ctx_new: { args: ["u32"], returns: "pointer" },
    nft_ctx_free: { args: ["pointer"], returns: "void" },
    nft_ctx_buffer_output: { args: ["pointer"], returns: "i32" },
    nft_ctx_buffer_error: { args: ["pointer"], returns: "i32" },
    nft_ctx_output_set_flags: { args: ["pointer", "u32"], returns: "void" },
    nft_run_cmd_from_buffer: { args: ["pointer", "buffer"], returns: "i32" },
    nft_ctx_get_output_buffer: { args: ["pointer"], returns: "pointer" },
    nft_ctx_get_error_buffer: { args: ["pointer"], returns: "pointer" },
  })
  return {
    symbols: opened.symbols,
    text: (pointer) => new ffi.CString(pointer).toString(),
    close: () => opened.close(),
  }
}
