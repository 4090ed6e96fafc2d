import { hasCode, reasonOf } from "../system-error.ts"
import type { FailureReason, Output } from "./discover.ts"

/** What came of a reading, or of a program that could not be started, by the system's code in the error. */
export const failed = (cause: unknown, signal: AbortSignal | undefined): Output => ({
  ok: false,
  reason: signal?.aborted ? "aborted" : reasonFor(cause),
  text: lastLine(reasonOf(cause)) ?? "it failed",
})

const reasonFor = (cause: unknown): FailureReason => {
  if (["ENOENT", "ENOTDIR"].some((code) => hasCode(cause, code))) return "absent"
  if (["EACCES", "EPERM"].some((code) => hasCode(cause, code))) return "refused"
  return "other"
}

/** Why a program that was ended has no answer. */
export const TIMED_OUT: Output = { ok: false, reason: "timeout", text: "it took too long" }

/** Of what a program complains the end says most. */
export const lastLine = (text: string): string | undefined => text.trim().split("\n").at(-1)?.trim() || undefined
