import { clock, entropy, udp } from "#runtime"
import {
  type ClientEvent,
  type ClientServer,
  type ClientSettings,
  type ClientState,
  type Command,
  createClient,
} from "../../../core/client/index.ts"
import { type Driven, type DriveOptions, drive } from "../../client/index.ts"
import type { Endpoint, UdpError } from "../../udp.ts"
import type { Read } from "../read.ts"

export interface SessionOptions {
  readonly servers: readonly ClientServer[]
  /** Where to hear announcements; left out, nowhere. */
  readonly announcements?: DriveOptions["announcements"]
  readonly settings?: Partial<ClientSettings>
  /** Hears each event, in order. */
  readonly tell: (event: ClientEvent, now: number) => void
  readonly socketError?: (error: UdpError, local: Endpoint) => void
}

/** How waiting ended. */
export type Waited = "done" | "timeout" | "stopped"

/** A client for the time of one command. */
export interface Session {
  state(): ClientState
  command(command: Command): void
  /** Waits until this is so, looking after each event, for so many milliseconds, or until the signal. */
  wait(done: () => boolean, options: { readonly milliseconds?: number; readonly signal?: AbortSignal }): Promise<Waited>
  close(): Promise<void>
}

export const openSession = (options: SessionOptions): Read<Session> => {
  const { servers, announcements = [], settings, tell, socketError } = options
  const created = createClient({ seed: entropy(32), now: clock.now(), servers, settings })
  if (!created.ok) return { ok: false, text: created.error.text }
  const looking = new Set<() => void>()
  const driven: Driven = drive({
    udp,
    clock,
    state: created.state,
    announcements,
    listener: {
      event: (event, now) => {
        tell(event, now)
        for (const look of [...looking]) look()
      },
      ...(socketError === undefined ? {} : { socketError }),
    },
  })
  return {
    ok: true,
    value: {
      state: driven.state,
      command: driven.command,
      wait: (done, { milliseconds, signal }) =>
        new Promise((resolve) => {
          let timer: NodeJS.Timeout | undefined
          const end = (how: Waited): void => {
            looking.delete(look)
            clearTimeout(timer)
            signal?.removeEventListener("abort", stopped)
            resolve(how)
          }
          const look = (): void => {
            if (done()) end("done")
          }
          const stopped = (): void => end("stopped")
          if (done()) {
            resolve("done")
            return
          }
          if (signal?.aborted) {
            resolve("stopped")
            return
          }
          looking.add(look)
          signal?.addEventListener("abort", stopped)
          if (milliseconds !== undefined) timer = setTimeout(() => end("timeout"), milliseconds)
        }),
      close: driven.close,
    },
  }
}
