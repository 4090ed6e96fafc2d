/** What the system says by its codes, in words. */
const REASONS: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "there is no such file or folder"],
  ["ENOTDIR", "a part of the path is no folder"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "this user may not"],
  ["EPERM", "this user may not"],
  ["EROFS", "its file system is read-only"],
  ["ENOSPC", "no space is left"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ECONNREFUSED", "nobody listens there"],
])

/** Is it an error of the system with this code? */
export const hasCode = (cause: unknown, code: string): boolean =>
  cause instanceof Error && "code" in cause && cause.code === code

/** Why something failed, in one line and without a stack. What it was about is the caller's to say. */
export const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? (("code" in cause ? REASONS.get(cause.code) : undefined) ?? cause.message) : String(cause)
