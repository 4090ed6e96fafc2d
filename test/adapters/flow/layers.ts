/** Layers on loopback, closed at the end of their test. */
import type { TestContext } from "node:test"
import { clock, entropy, udp } from "#runtime"
import {
  type DirectoryEnd,
  FlowError,
  type FlowService,
  type FlowServiceOptions,
  startFlowService,
} from "../../../adapters/flow/index.ts"
import { address } from "../udp-suite.ts"

export const LOOPBACK = { address: address("127.0.0.1"), port: 0 }

/** Begins a layer on a port of the system's choice. */
export const layer = async (
  t: Pick<TestContext, "after">,
  options: Partial<FlowServiceOptions> = {},
): Promise<FlowService> => {
  const service = await startFlowService({ udp, clock, entropy, local: [LOOPBACK], ...options })
  t.after(() => service.close())
  return service
}

/** Where a layer is asked. */
export const endOf = ({ local }: FlowService): DirectoryEnd => ({ address: LOOPBACK.address, port: local[0]?.port })

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (octets: Uint8Array | undefined): string | undefined =>
  octets === undefined ? undefined : new TextDecoder().decode(octets)

/** The code that a call rejects with. */
export const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
    return "resolved"
  } catch (cause) {
    return cause instanceof FlowError ? cause.code : `not a FlowError: ${cause}`
  }
}

/** Answers every message of every flow that comes for a name. */
export const echo = async (service: FlowService, name: string): Promise<void> => {
  for await (const request of service.flowAccept(name)) {
    const flow = await request.accept()
    void (async () => {
      try {
        for await (const message of flow) await flow.write(message)
      } catch {
        // The other side is gone.
      }
    })()
  }
}
