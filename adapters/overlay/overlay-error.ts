import type { OverlayErrorName } from "../../core/overlay/index.ts"

/** Why an endpoint does not come up, or a call on it fails. */
export type OverlayFailure = OverlayErrorName | "EADDRINUSE" | "EIO" | "ETIMEDOUT" | "ECANCELED"

/** What all calls on overlays reject with. Its code is the name that illumos or POSIX has for it. */
export class OverlayError extends Error {
  /** Tells it from other errors where `instanceof` cannot: from another copy of the package. */
  override readonly name = "OverlayError"
  /** Which kind of failure it is, for programs. */
  readonly code: OverlayFailure
  /** Which overlay it is about, by its place in the options, and which setting of it. */
  readonly at: { readonly overlay: number; readonly setting: readonly string[] } | undefined

  /** Made by the calls of this package; there is no need to make one. */
  constructor(
    code: OverlayFailure,
    text: string,
    more: { readonly at?: OverlayError["at"]; readonly cause?: unknown } = {},
  ) {
    super(`${code}: ${text}`, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.at = more.at
  }
}
