import type { OnSignal, Signal } from "../signal.ts"
import { reasonOf } from "../system-error.ts"

declare const Deno: {
  addSignalListener(signal: Signal, call: () => void): void
  removeSignalListener(signal: Signal, call: () => void): void
}

/** {@link OnSignal} by Deno's own listeners. */
export const onSignal: OnSignal = (signal, call) => {
  try {
    Deno.addSignalListener(signal, call)
    return { ok: true, stop: () => Deno.removeSignalListener(signal, call) }
  } catch (cause) {
    return { ok: false, text: reasonOf(cause) }
  }
}
