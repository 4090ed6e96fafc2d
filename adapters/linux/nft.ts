import type { Plane } from "./plane.ts"
import type { ElementChanges } from "./set-elements.ts"

/** What became of nft commands: all of them are in force, or none is. */
export type NftResult =
  | {
      readonly ok: true
      /** What a `list` printed. */
      readonly output: string
    }
  | {
      readonly ok: false
      /** In nft's words, several lines perhaps. */
      readonly text: string
    }

/** The kernel's packet filter, by nft's own language. */
export interface Nft {
  /** What carries the commands, for people. */
  readonly way: string
  /** Runs commands, one a line, as one transaction. Returns when the kernel has taken or refused them. */
  run(commands: string): NftResult
  /** The same of elements alone, put in and taken away; `undefined`, or no such function: they are to go the way of all commands. */
  elements?(plane: Pick<Plane, "family" | "timed">, changes: ElementChanges): NftResult | undefined
  /** The same as `run`; what is listed is without the elements of named sets, and without counts. */
  terse(commands: string): NftResult
  close(): void
}
