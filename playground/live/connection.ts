import { type Signal, signal } from "@preact/signals"
import { type LiveMessage, readMessage } from "../../adapters/live/index.ts"

/** How it stands with the server. */
export type Link =
  | { readonly state: "connecting" }
  | { readonly state: "open" }
  /** It is tried again in so many seconds; `tries`: how often it was in vain. */
  | { readonly state: "lost"; readonly seconds: number; readonly tries: number; readonly why: string }
  /** What it says cannot be read. */
  | { readonly state: "foreign" }

/** Where a page hears from the server that gave it: beside itself. */
export const liveAddress = (page: string): string => {
  const url = new URL("live", page)
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:"
  url.hash = ""
  url.search = ""
  return url.href
}

/** Seconds between two tries: more each time, up to these. */
const LONGEST = 8

/** Hears from a server, and again when it was lost. Nothing is ever said to it. */
export const connect = (address: string, take: (message: LiveMessage) => void): Signal<Link> => {
  const link = signal<Link>({ state: "connecting" })
  let tries = 0
  const open = (): void => {
    const socket = new WebSocket(address)
    socket.addEventListener("open", () => {
      tries = 0
      link.value = { state: "open" }
    })
    socket.addEventListener("message", ({ data }) => {
      const message = typeof data === "string" ? readMessage(data) : undefined
      if (message !== undefined) {
        take(message)
        return
      }
      link.value = { state: "foreign" }
      socket.close()
    })
    socket.addEventListener("close", ({ reason }) => {
      if (link.value.state !== "foreign") wait(reason)
    })
  }
  const wait = (why: string): void => {
    tries++
    let seconds = Math.min(LONGEST, 2 ** (tries - 1))
    const count = (): void => {
      if (seconds <= 0) {
        open()
        return
      }
      link.value = { state: "lost", seconds, tries, why }
      seconds--
      setTimeout(count, 1000)
    }
    count()
  }
  open()
  return link
}
