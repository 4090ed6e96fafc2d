import type { OpenPort } from "../../client/index.ts"
import { reasonOf } from "../../system-error.ts"
import type { Endpoint } from "../../udp.ts"

/** How it is made known where a port is reached. */
export interface PortPublisher {
  publish(end: Endpoint): Promise<void>
  /** That was done. */
  published(end: string): void
  /** It was not: the next look tries again. */
  failed(text: string): void
}

/** Gives what looks where a port is reached, and publishes it where it is another end than the one published last. It never rejects. */
export const publishPort = (
  port: Pick<OpenPort, "external" | "isOpen">,
  { publish, published, failed }: PortPublisher,
): (() => Promise<void>) => {
  let last = ""
  return async () => {
    if (!port.isOpen) return
    const { address, port: externalPort, text } = port.external
    const end = `${text}:${externalPort}`
    if (end === last) return
    try {
      await publish({ address, port: externalPort })
      last = end
      published(end)
    } catch (cause) {
      failed(reasonOf(cause))
    }
  }
}
