import process from "node:process"
import type { OnSignal } from "../signal.ts"
import { reasonOf } from "../system-error.ts"

/** {@link OnSignal} by the process's events. */
export const onSignal: OnSignal = (signal, call) => {
  try {
    process.on(signal, call)
    return { ok: true, stop: () => void process.off(signal, call) }
  } catch (cause) {
    return { ok: false, text: reasonOf(cause) }
  }
}
