/** What is called of libnftables, by its C names (libnftables(3)). `P` is how the runtime has a pointer. */
export interface Symbols<P> {
  nft_ctx_new(flags: number): P
  nft_ctx_free(context: P): void
  nft_ctx_buffer_output(context: P): number
  nft_ctx_buffer_error(context: P): number
  nft_ctx_output_set_flags(context: P, flags: number): void
  /** `commands` ends with a zero octet. 0: done. */
  nft_run_cmd_from_buffer(context: P, commands: Uint8Array): number
  nft_ctx_get_output_buffer(context: P): P
  nft_ctx_get_error_buffer(context: P): P
}

/** The library in this process. */
export interface Bound<P> {
  readonly symbols: Symbols<P>
  /** The octets at a pointer up to the first that is zero, as text. */
  text(pointer: P): string
  close(): void
}

/** The library's file as the loader finds it: Debian has it in `libnftables1`, which comes with `nftables`. */
export const LIBRARY = "libnftables.so.1"
