/** The worker in browsers, Deno and Bun: one answer for each message, in their order. */
import { decode } from "./decode.ts"

self.addEventListener("message", ({ data }: MessageEvent<string | Uint8Array>) => self.postMessage(decode(data)))
