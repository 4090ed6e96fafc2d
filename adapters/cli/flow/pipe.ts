import type { Flow } from "../../flow/index.ts"
import { note } from "../complain.ts"
import { print } from "./open-service.ts"

/** Octets of standard input in one message at most: with all headers they fit a path of 1500. */
const PIECE = 1400

/** Sends standard input, each part of it as messages of the flow that is there at that moment; resolves at its end. */
export const sendInput = async (
  to: () => Flow | undefined,
  lost: (cause: unknown) => void = (cause) => {
    throw cause
  },
): Promise<void> => {
  for await (const part of process.stdin) {
    const bytes: Uint8Array = typeof part === "string" ? new TextEncoder().encode(part) : part
    const flow = to()
    if (flow === undefined) continue
    try {
      for (let at = 0; at < bytes.length; at += PIECE) await flow.write(bytes.subarray(at, at + PIECE))
    } catch (cause) {
      lost(cause)
    }
  }
}

/** Prints each message of a flow as it comes, until the flow ends. */
export const readMessages = async (flow: Flow, json: boolean, heard: () => void = () => {}): Promise<void> => {
  for await (const message of flow) {
    heard()
    if (json) print({ event: "message", flow: flow.id, base64: Buffer.from(message).toString("base64") })
    else if (!process.stdout.write(message))
      // A slow reader is waited for; what comes meanwhile is bounded by the flow.
      await new Promise((resolve) => process.stdout.once("drain", resolve))
  }
  if (flow.lost > 0) note(`${flow.lost} messages were lost: nobody read them in time`)
}
