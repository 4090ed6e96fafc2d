import type { Bound } from "./symbols.ts"

/** {@link Bound} by `node:ffi`; `undefined` where this Node has none. Throws what the loader says. */
export const bindNode = (library: string): Bound<bigint> | undefined => {
  const ffi = process.getBuiltinModule("node:ffi")
  if (ffi === undefined) return undefined
  const { functions, lib } = ffi.dlopen(library, {
    nft_ctx_new: { arguments: ["uint32"], return: "pointer" },
    nft_ctx_free: { arguments: ["pointer"], return: "void" },
    nft_ctx_buffer_output: { arguments: ["pointer"], return: "int32" },
    nft_ctx_buffer_error: { arguments: ["pointer"], return: "int32" },
    nft_ctx_output_set_flags: { arguments: ["pointer", "uint32"], return: "void" },
    nft_run_cmd_from_buffer: { arguments: ["pointer", "buffer"], return: "int32" },
    nft_ctx_get_output_buffer: { arguments: ["pointer"], return: "pointer" },
    nft_ctx_get_error_buffer: { arguments: ["pointer"], return: "pointer" },
  })
  return { symbols: functions, text: (pointer) => ffi.toString(pointer) ?? "", close: () => lib.close() }
}
