import type { Bound, Symbols } from "./symbols.ts"

/** How Deno has a pointer: an object of its own, or `null`. */
type Pointer = object | null

/** What is used of Deno, by its own names: Deno's declarations are not those of the other runtimes' compilers. */
declare const Deno: {
  dlopen(
    library: string,
    symbols: Readonly<Record<keyof Symbols<Pointer>, { parameters: readonly string[]; result: string }>>,
  ): { readonly symbols: Symbols<Pointer>; close(): void }
  readonly UnsafePointerView: { getCString(pointer: Pointer): string }
}

/** {@link Bound} by `Deno.dlopen`. Throws what the loader says, and where Deno may not load a library. */
export const bindDeno = (library: string): Bound<Pointer> => {
  const opened = Deno.dlopen(library, {
    nft_ctx_new: { parameters: ["u32"], result: "pointer" },
    nft_ctx_free: { parameters: ["pointer"], result: "void" },
    nft_ctx_buffer_output: { parameters: ["pointer"], result: "i32" },
    nft_ctx_buffer_error: { parameters: ["pointer"], result: "i32" },
    nft_ctx_output_set_flags: { parameters: ["pointer", "u32"], result: "void" },
    nft_run_cmd_from_buffer: { parameters: ["pointer", "buffer"], result: "i32" },
    nft_ctx_get_output_buffer: { parameters: ["pointer"], result: "pointer" },
    nft_ctx_get_error_buffer: { parameters: ["pointer"], result: "pointer" },
  })
  return {
    symbols: opened.symbols,
    text: (pointer) => (pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer)),
    close: () => opened.close(),
  }
}
