import { openPort } from "#runtime"
import { type Mac, portmapName, type TargetPoint } from "../../../core/overlay/index.ts"
import type { Directory } from "../../flow/index.ts"
import { type Overlay, publishToFile } from "../../overlay/index.ts"
import { reasonOf } from "../../system-error.ts"
import { directoryEntry } from "./directory.ts"

/** How the host in front of a NAT is reached, and where that is said. */
export interface MapSettings {
  /** Whom to ask; left out, the gateways. */
  readonly servers?: readonly string[] | undefined
  /** Whose end it is. */
  readonly macs: readonly Mac[]
  /** A file of the plugin `portmap`, which is changed. */
  readonly file?: string | undefined
  /** The directory's too? What names begin with there. */
  readonly name?: string | undefined
}

/** What is told of it. */
export interface MapListener {
  mapped(end: string): void
  failed(text: string): void
}

/** Milliseconds until it is tried again. */
const RETRY = 10_000

/** An overlay's port that a NAT lets others in by. */
export interface MappedPort {
  /** Gives the port back, and takes back what was said of it. */
  close(): Promise<void>
}

/** Has the NAT in front of an overlay let others in, and publishes where: again whenever that moves or is renewed. */
export const mapPort = (
  overlay: Overlay,
  settings: MapSettings,
  directory: Directory | undefined,
  listener: MapListener,
): MappedPort => {
  const stop = new AbortController()
  const { signal } = stop
  let last = ""
  let published: TargetPoint | undefined

  const publish = async (end: (TargetPoint & { readonly expires: number }) | undefined): Promise<void> => {
    published = end
    try {
      if (settings.file !== undefined) await publishToFile(settings.file, settings.macs, end)
      if (settings.name !== undefined)
        for (const mac of settings.macs) {
          const entry = directoryEntry(portmapName(settings.name, overlay.vnetid, mac))
          await directory?.publish?.(entry, end === undefined ? [] : [end])
        }
    } catch (cause) {
      listener.failed(`cannot publish: ${reasonOf(cause)}`)
    }
  }

  const once = async (): Promise<void> => {
    await using port = await openPort({
      protocol: "udp",
      internalPort: overlay.local.port,
      servers: settings.servers,
      signal,
    })
    const tell = async (): Promise<void> => {
      const { address, port: externalPort, text } = port.external
      await publish({ address, port: externalPort, expires: Math.floor(Date.now() / 1000) + port.lifetime })
      if (last !== `${text}:${externalPort}`) listener.mapped(`${text}:${externalPort}`)
      last = `${text}:${externalPort}`
    }
    const changes = port.changes[Symbol.asyncIterator]()
    const aborted = new Promise<undefined>((resolve) => signal.addEventListener("abort", () => resolve(undefined)))
    await tell()
    for (;;) {
      const next = await Promise.race([changes.next(), aborted])
      if (next === undefined || next.done === true) return
      const { type } = next.value
      if (port.isOpen && (type === "assigned" || type === "renewed")) await tell()
      else if (!port.isOpen && type === "lost") await publish(undefined)
    }
  }

  const running = (async () => {
    while (!signal.aborted)
      try {
        await once()
      } catch (cause) {
        if (signal.aborted) break
        listener.failed(reasonOf(cause))
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, RETRY)
          signal.addEventListener("abort", () => {
            clearTimeout(timer)
            resolve()
          })
        })
      }
    if (published !== undefined) await publish(undefined)
  })()
  return {
    close: async () => {
      stop.abort()
      await running
    },
  }
}
