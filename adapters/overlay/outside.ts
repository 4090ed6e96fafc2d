import { lookup } from "node:dns/promises"
import { connect, type Socket } from "node:net"
import type { PluginInput, PluginRequest, TargetPoint } from "../../core/overlay/index.ts"
import { type Address, formatAddress, parseAddress } from "../../core/wire/index.ts"

/** What the world tells, without the instant. */
export type OutsideInput = Untimed<
  Extract<PluginInput, { type: "resolved" | "unresolved" | "connected" | "closed" | "data" | "found" }>
>
type Untimed<T> = T extends unknown ? Omit<T, "now"> : never

/** Names and TCP connections of one instance's plugin. */
export interface Outside {
  /** Does what is wished; what comes of it is told later, never within the call. */
  request(request: PluginRequest): void
  /** Ends all connections; nothing more is told. */
  close(): void
}

/** Octets that a connection may leave unsent: a server that reads nothing is no server. */
const UNSENT = 1024 * 1024
/** Milliseconds that a connection may take to come up. */
const PATIENCE = 10_000
/** What the resolver says where it may have an answer later. */
const LATER: readonly unknown[] = ["EAI_AGAIN", "EAI_MEMORY", "EAI_SYSTEM", "ETIMEOUT", "ECONNREFUSED"]

/** The ends that a directory has for a name; it may reject. */
export type Find = (name: string) => Promise<readonly TargetPoint[]>

/** The world of one instance; `tell` hears what comes of its wishes. Without `find` no name has an end. */
export const openOutside = (tell: (input: OutsideInput) => void, find: Find = async () => []): Outside => {
  const sockets = new Map<number, Socket>()
  let isClosed = false

  const resolve = async (host: string): Promise<void> => {
    const answer = await resolved(host)
    if (!isClosed) tell(answer)
  }

  const look = async (name: string): Promise<void> => {
    const ends = await find(name).catch(() => [])
    if (!isClosed) tell({ type: "found", name, ends })
  }

  const open = (connection: number, address: Address, port: number): void => {
    const socket = connect({ host: formatAddress(address), port, noDelay: true })
    sockets.set(connection, socket)
    const isOurs = (): boolean => !isClosed && sockets.get(connection) === socket
    const late = setTimeout(() => socket.destroy(), PATIENCE)
    socket.once("connect", () => {
      clearTimeout(late)
      if (isOurs()) tell({ type: "connected", connection })
    })
    socket.on("data", (bytes: Uint8Array) => {
      if (isOurs()) tell({ type: "data", connection, bytes })
    })
    // A server that has said all will answer nothing any more.
    socket.on("end", () => socket.destroy())
    socket.on("error", () => {})
    socket.once("close", () => {
      clearTimeout(late)
      if (!isOurs()) return
      sockets.delete(connection)
      tell({ type: "closed", connection })
    })
  }

  return {
    request: (request) => {
      switch (request.type) {
        case "resolve":
          void resolve(request.host)
          break
        case "find":
          void look(request.name)
          break
        case "connect":
          open(request.connection, request.address, request.port)
          break
        case "send": {
          const socket = sockets.get(request.connection)
          if (socket === undefined) break
          if (socket.writableLength > UNSENT) socket.destroy()
          else socket.write(request.bytes)
          break
        }
        case "close": {
          const socket = sockets.get(request.connection)
          sockets.delete(request.connection)
          socket?.destroy()
        }
      }
    },
    close: () => {
      isClosed = true
      for (const socket of sockets.values()) socket.destroy()
      sockets.clear()
    },
  }
}

const resolved = async (host: string): Promise<OutsideInput> => {
  const literal = parseAddress(host)
  if (literal !== undefined) return { type: "resolved", addresses: [literal] }
  try {
    const found = await lookup(host, { all: true })
    const addresses = found.flatMap(({ address }) => parseAddress(address) ?? [])
    return { type: "resolved", addresses }
  } catch (cause) {
    const isLater = cause instanceof Error && "code" in cause && LATER.includes(cause.code)
    return isLater ? { type: "unresolved" } : { type: "resolved", addresses: [] }
  }
}
