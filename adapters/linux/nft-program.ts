import { spawnSync } from "node:child_process"
import { reasonOf } from "../system-error.ts"
import type { Nft, NftResult } from "./nft.ts"

/** Octets of a listing: a million elements. */
const LONGEST = 2 ** 28

/**
 * The `nft` program, one process a batch: what is left where the runtime calls no foreign functions. It stands still for as long
 * as the process runs, some milliseconds, whatever the batch has: requests that come in the meantime are the next one.
 */
export const nftProgram = (program = "nft"): Nft => {
  const run = (args: readonly string[], input: string): NftResult => {
    const done = spawnSync(program, args, { input, encoding: "utf8", maxBuffer: LONGEST })
    if (done.error !== undefined) return { ok: false, text: `${program}: ${reasonOf(done.error)}` }
    return done.status === 0 ? { ok: true, output: done.stdout } : { ok: false, text: done.stderr }
  }
  return {
    way: "the program nft",
    run: (commands) => run(["-f", "-"], commands),
    terse: (commands) => run(["-s", "-t", "-f", "-"], commands),
    close: () => {},
  }
}
