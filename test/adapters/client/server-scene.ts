import assert from "node:assert/strict"
import { after } from "node:test"
import { clock, ownAddresses, udp } from "#runtime"
import type { ClientRuntime } from "../../../adapters/client/index.ts"
import { type Host, serverMachine, startHost } from "../../../adapters/host.ts"
import type { ServerEvent } from "../../../adapters/server-machine.ts"
import type { Udp } from "../../../adapters/udp.ts"
import { type CgnState, listMappings, type Mapping } from "../../../core/cgn/index.ts"
import { createServer, type ServerState } from "../../../core/server/index.ts"
import { type Address, type Packet, parse, parseAddress } from "../../../core/wire/index.ts"

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

export const LOOPBACK = address("127.0.0.1")
export const EXTERNAL = "203.0.113.7"

/** What a server heard and said. */
export interface Exchange {
  readonly request: Packet | undefined
  readonly reply: Packet | undefined
}

const packetOf = (bytes: Uint8Array): Packet | undefined => {
  const parsed = parse(bytes)
  return parsed.ok ? parsed.packet : undefined
}

export interface TestServer {
  /** `127.0.0.1:40000`, as a client's option. */
  readonly text: string
  readonly port: number
  readonly host: Host<ServerState<CgnState>, ServerEvent>
  readonly exchanges: readonly Exchange[]
  stop(): Promise<ServerState<CgnState>>
}

/** What a failed test leaves open would keep its file from ending. */
const left = new Set<() => unknown>()
after(async () => {
  for (const close of left) await close()
})

type Settings = Partial<Parameters<typeof createServer>[0]>

/** The project's own server on loopback; `state` and `port` go on with those of an earlier one. */
export const startServer = async ({
  at = LOOPBACK,
  port = 0,
  state,
  ...settings
}: Settings & { at?: Address; port?: number; state?: ServerState<CgnState> } = {}): Promise<TestServer> => {
  const made = createServer({
    external: [address(EXTERNAL)],
    secret: new Uint8Array(32).fill(9),
    now: clock.now(),
    ...settings,
  })
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  const exchanges: Exchange[] = []
  const started = await startHost({
    udp: udp,
    clock: clock,
    machine: serverMachine(),
    state: state ?? made.state,
    sockets: [{ local: { address: at, port } }],
    listener: {
      events: (events) => {
        for (const event of events) {
          if (event.type === "answered")
            exchanges.push({ request: packetOf(event.request), reply: packetOf(event.reply) })
          if (event.type === "dropped") exchanges.push({ request: packetOf(event.request), reply: undefined })
        }
      },
    },
  })
  assert.ok(started.ok, started.ok ? "" : started.error.text)
  const bound = started.value.local[0].port
  left.add(() => started.value.stop())
  return { text: `127.0.0.1:${bound}`, port: bound, host: started.value, exchanges, stop: () => started.value.stop() }
}

/** The mappings that the server has now. */
export const mappingsOf = ({ host }: TestServer): readonly Mapping[] =>
  listMappings(host.state().cgnState, clock.now(), 0, 10_000).mappings

export const isMapped = (server: TestServer, internalPort: number): boolean =>
  mappingsOf(server).some((mapping) => mapping.internalPort === internalPort)

/** A runtime on Node whose gateways are the test's, and that counts its open sockets and timers. */
export const testRuntime = (over: Partial<ClientRuntime> = {}) => {
  let sockets = 0
  let timers = 0
  let bound = 0
  const counted: Udp = {
    limits: udp.limits,
    bind: async (options, receiver) => {
      const result = await udp.bind(options, receiver)
      if (!result.ok) return result
      sockets++
      bound++
      const { close, ...socket } = result.value
      left.add(close)
      let closing: Promise<void> | undefined
      return {
        ok: true,
        value: {
          ...socket,
          close: () => {
            closing ??= close().then(() => {
              sockets--
              left.delete(close)
            })
            return closing
          },
        },
      }
    },
  }
  const runtime: ClientRuntime = {
    udp: counted,
    clock: {
      now: clock.now,
      after: (delay, call) => {
        timers++
        let isPending = true
        const done = (): void => {
          if (isPending) timers--
          isPending = false
        }
        const cancel = clock.after(delay, () => {
          done()
          left.delete(cancel)
          call()
        })
        left.add(cancel)
        return () => {
          done()
          left.delete(cancel)
          cancel()
        }
      },
    },
    wallClock: () => Date.now(),
    entropy: (length) => crypto.getRandomValues(new Uint8Array(length)),
    discover: async () => ({ gateways: [], trials: [], none: "no-default-route" }),
    ownAddresses,
    ...over,
  }
  return {
    runtime,
    /** Sockets and timers that are open at this moment. */
    open: () => ({ sockets, timers }),
    bound: () => bound,
  }
}

/** Resolves when a condition holds, looked at between other work. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
