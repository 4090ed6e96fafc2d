/** The errors of the reference that an overlay gives, by their names in POSIX and illumos. */
export type OverlayErrorName =
  | "E2BIG"
  | "EAGAIN"
  | "EBUSY"
  | "EEXIST"
  | "EINVAL"
  | "ENOENT"
  | "ENOTSUP"
  | "ENXIO"
  | "EOVERFLOW"
  | "EPERM"
  | "EPROTO"

/** A value, or why there is none. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  /** `text`: one sentence for people. */
  | { readonly ok: false; readonly error: OverlayErrorName; readonly text: string }

/** A value. */
export const done = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** Why there is none. */
export const failed = (
  error: OverlayErrorName,
  text: string,
): { readonly ok: false; readonly error: OverlayErrorName; readonly text: string } => ({ ok: false, error, text })
