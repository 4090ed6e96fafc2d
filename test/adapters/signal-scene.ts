import type { Face } from "./runtime.ts"

/** Says each SIGHUP and SIGUSR2 that it hears; the first SIGTERM is heard, and the second means again what it means everywhere. */
export const signalScene = async ({ onSignal }: Face): Promise<void> => {
  // Listening keeps no process running.
  const hold = setInterval(() => {}, 1000)
  for (const signal of ["SIGHUP", "SIGUSR2"] as const) {
    const listened = onSignal(signal, () => console.log(signal))
    if (!listened.ok) throw new Error(listened.text)
  }
  const last = onSignal("SIGINT", () => {
    clearInterval(hold)
    console.log("SIGINT")
  })
  const terminated = onSignal("SIGTERM", () => {
    if (terminated.ok) terminated.stop()
    console.log("SIGTERM")
  })
  console.log(last.ok && terminated.ok ? "listening" : "refused")
}
