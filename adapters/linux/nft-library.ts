import { reasonOf } from "../system-error.ts"
import { bindBun } from "./ffi-bun.ts"
import { bindDeno } from "./ffi-deno.ts"
import { bindNode } from "./ffi-node.ts"
import type { Nft, NftResult } from "./nft.ts"
import { type Bound, LIBRARY } from "./symbols.ts"

/** `NFT_CTX_OUTPUT_STATELESS` and `NFT_CTX_OUTPUT_TERSE` of nftables/libnftables.h. */
const OUTPUT_TERSE = (1 << 2) | (1 << 11)

/** libnftables in this process, by the runtime's own foreign function interface; or why it is not to be had. */
export const openLibrary = (
  library: string = LIBRARY,
): { readonly ok: true; readonly value: Nft } | { readonly ok: false; readonly text: string } => {
  try {
    const nft = openHere(library)
    return nft === undefined ? { ok: false, text: "this runtime calls no foreign functions" } : { ok: true, value: nft }
  } catch (cause) {
    return { ok: false, text: reasonOf(cause) }
  }
}

const openHere = (library: string): Nft | undefined => {
  if ("Deno" in globalThis) return nftOf(bindDeno(library))
  const bun = "Bun" in globalThis ? bindBun(library) : undefined
  if (bun !== undefined) return nftOf(bun)
  const node = bindNode(library)
  return node === undefined ? undefined : nftOf(node)
}

const nftOf = <P>({ symbols, text, close }: Bound<P>): Nft => {
  const context = symbols.nft_ctx_new(0)
  // Else it prints where the server's own output goes.
  symbols.nft_ctx_buffer_output(context)
  symbols.nft_ctx_buffer_error(context)
  const encoder = new TextEncoder()
  let open = true
  const run = (commands: string, flags: number): NftResult => {
    if (!open) return { ok: false, text: "it is closed" }
    // A zero octet in the middle would hide what comes after it.
    if (commands.includes("\0")) return { ok: false, text: "a command has a zero octet" }
    symbols.nft_ctx_output_set_flags(context, flags)
    const code = symbols.nft_run_cmd_from_buffer(context, encoder.encode(`${commands}\0`))
    // Reading a buffer empties it for the next call.
    const [output, error] = [symbols.nft_ctx_get_output_buffer(context), symbols.nft_ctx_get_error_buffer(context)]
    return code === 0 ? { ok: true, output: text(output) } : { ok: false, text: text(error) }
  }
  return {
    way: "libnftables",
    run: (commands) => run(commands, 0),
    terse: (commands) => run(commands, OUTPUT_TERSE),
    close: () => {
      if (!open) return
      open = false
      symbols.nft_ctx_free(context)
      close()
    },
  }
}
