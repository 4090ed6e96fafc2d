import { type FastUdp, fastUdp } from "../linux/index.ts"
import type { Read } from "./read.ts"

/**
 * Sockets that move many datagrams a call, in the thread that asks for them. `entry` is the file that runs the command, and the thread
 * that waits for them; `isQuiet`: what the runtime warns of was said in another thread already.
 */
export const fastSockets = (entry: URL, isQuiet = false): Read<FastUdp> => {
  if (isQuiet) process.removeAllListeners("warning")
  return fastUdp(entry)
}
