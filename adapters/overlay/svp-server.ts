import { createServer, type Server, type Socket } from "node:net"
import {
  createSvpServer,
  type Mac,
  type Outcome,
  readSvpHosts,
  type SvpHost,
  type SvpServer,
  type SvpServerInput,
  stepSvpServer,
} from "../../core/overlay/index.ts"
import { formatAddress, parseAddress } from "../../core/wire/index.ts"
import type { Closable } from "../client/index.ts"
import type { Clock } from "../host.ts"
import { hasCode, reasonOf } from "../system-error.ts"
import type { Endpoint } from "../udp.ts"
import { OverlayError } from "./overlay-error.ts"
import { readText, type WatchedFile, watchFile } from "./watched-file.ts"

/** What an SVP server is started with. */
export interface SvpServerOptions {
  /** Of `sallyport/node`, `/deno` or `/bun`. */
  readonly clock: Clock
  /** The same. */
  readonly entropy: (length: number) => Uint8Array
  /** Where it listens: one socket each. A port of 0 lets the system choose. */
  readonly listen: readonly Endpoint[]
  /** Its hosts; more can be put while it runs. Default none. */
  readonly hosts?: readonly SvpHost[] | undefined
  /** A file that has them instead, see {@link readSvpHosts}: it is read again when it changes. */
  readonly file?: string | undefined
  /** Clients at once; one more is closed. Default 1024. */
  readonly connections?: number | undefined
  /** Hears what is worth a line: a client that cannot be understood, a file that cannot be read. */
  readonly warning?: ((text: string) => void) | undefined
  /** Hears how many changes the log has more. */
  readonly changed?: ((changes: number) => void) | undefined
}

/** An SVP server at work. */
export interface SvpService extends Closable {
  /** Where it listens. */
  readonly local: readonly Endpoint[]
  /** Its state: hosts, log, clients. */
  state(): SvpServer
  /** A host is there, or is elsewhere now. EINVAL: it cannot be. */
  put(host: SvpHost): Outcome<undefined>
  /** A host is gone. */
  remove(vnetid: number, mac: Mac): void
  /** These are all hosts. EINVAL: one of them cannot be, and nothing is changed. */
  replace(hosts: readonly SvpHost[]): Outcome<undefined>
  /** Ends all connections. Twice is once. */
  close(): Promise<void>
}

/** Octets of answers that a client has not read: until it does, nothing more of it is read. */
const UNREAD = 64 * 1024
/** Milliseconds that a client has to take the last answer before its connection is cut. */
const FAREWELL = 5000

/** Starts a server: the hosts of a fleet ask it where MACs live. Rejects with an {@link OverlayError}. */
export const startSvpServer = async (options: SvpServerOptions): Promise<SvpService> => {
  const { clock, entropy, file, connections, warning = () => {}, changed = () => {} } = options
  let state = createSvpServer({
    seed: entropy(32),
    now: clock.now(),
    ...(connections === undefined ? {} : { connections }),
  })
  const sockets = new Map<number, Socket>()
  /** Of these, and of those that are on their way out. */
  const open = new Set<Socket>()
  let next = 1
  let timer: (() => void) | undefined
  let closing: Promise<void> | undefined

  const step = (input: Untimed<SvpServerInput>): Outcome<undefined> => {
    const [after, effects] = stepSvpServer(state, { ...input, now: clock.now() })
    state = after
    let result: Outcome<undefined> = { ok: true, value: undefined }
    for (const effect of effects)
      switch (effect.type) {
        case "send":
          send(effect.connection, effect.bytes)
          break
        case "close":
          finish(effect.connection)
          break
        case "refused":
          result = { ok: false, error: effect.error, text: effect.text }
          break
        case "changed":
          changed(effect.changes.length)
          break
        case "warning":
          warning(effect.connection === undefined ? effect.text : `${nameOf(effect.connection)}: ${effect.text}`)
          break
        case "wake":
          arm(effect.at)
      }
    return result
  }

  const arm = (at: number | undefined): void => {
    timer?.()
    timer =
      at === undefined || closing !== undefined
        ? undefined
        : clock.after(Math.max(1, at - clock.now()), () => {
            timer = undefined
            step({ type: "tick" })
          })
  }

  const nameOf = (connection: number): string => sockets.get(connection)?.remoteAddress ?? `connection ${connection}`

  const send = (connection: number, bytes: Uint8Array): void => {
    const socket = sockets.get(connection)
    if (socket === undefined) return
    socket.write(bytes)
    if (socket.writableLength <= UNREAD) return
    socket.pause()
    socket.once("drain", () => socket.resume())
  }

  const finish = (connection: number): void => {
    const socket = sockets.get(connection)
    if (socket === undefined) return
    sockets.delete(connection)
    // What still comes is nobody's; what was answered is to arrive.
    socket.removeAllListeners("data").resume()
    const cut = clock.after(FAREWELL, () => socket.destroy())
    socket.once("close", cut)
    socket.end(() => {
      if (socket.readableEnded) socket.destroy()
    })
  }

  const accept = (socket: Socket): void => {
    const connection = next
    next++
    sockets.set(connection, socket)
    open.add(socket)
    socket.setNoDelay(true)
    socket.on("error", () => {})
    socket.on("data", (bytes: Uint8Array) => {
      if (sockets.has(connection)) step({ type: "data", connection, bytes })
    })
    socket.once("end", () => {
      if (sockets.has(connection)) step({ type: "ended", connection })
    })
    socket.once("close", () => {
      open.delete(socket)
      if (sockets.delete(connection)) step({ type: "closed", connection })
    })
    step({ type: "accepted", connection })
  }

  const servers: Server[] = []
  let watched: WatchedFile | undefined
  const close = (): Promise<void> => {
    closing ??= (async () => {
      timer?.()
      watched?.close()
      const ended = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      sockets.clear()
      for (const socket of open) socket.destroy()
      await Promise.all(ended)
    })()
    return closing
  }

  const replaceBy = (text: string): Outcome<undefined> => {
    const hosts = readSvpHosts(text)
    return hosts.ok ? step({ type: "replace", hosts: hosts.value }) : hosts
  }

  const local: Endpoint[] = []
  try {
    const given = step({ type: "replace", hosts: options.hosts ?? [] })
    if (!given.ok) throw new OverlayError(given.error, given.text)
    if (file !== undefined) {
      const read = await readText(file)
      if (!read.ok) throw new OverlayError("ENOENT", `${file}: ${read.text}`)
      const replaced = replaceBy(read.text)
      if (!replaced.ok) throw new OverlayError(replaced.error, `${file}: ${replaced.text}`)
      watched = watchFile(file, read.text, (text) => {
        const again = replaceBy(text)
        if (!again.ok) warning(`${file}: not read: ${again.text}`)
      })
    }
    for (const end of options.listen) {
      const server = createServer({ allowHalfOpen: true }, accept)
      servers.push(server)
      local.push(await listening(server, end))
    }
  } catch (cause) {
    await close()
    throw cause
  }

  return {
    local,
    state: () => state,
    put: (host) => step({ type: "put", host }),
    remove: (vnetid, mac) => {
      step({ type: "remove", vnetid, mac })
    },
    replace: (hosts) => step({ type: "replace", hosts }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Untimed<T> = T extends unknown ? Omit<T, "now"> : never

const listening = (server: Server, { address, port }: Endpoint): Promise<Endpoint> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new OverlayError(hasCode(cause, "EADDRINUSE") ? "EADDRINUSE" : "EIO", `cannot listen: ${reasonOf(cause)}`, {
          cause,
        }),
      ),
    )
    server.listen({ host: formatAddress(address), port, ipv6Only: true }, () => {
      server.on("error", () => {})
      const at = server.address()
      const bound = typeof at === "object" && at !== null ? at : { address: "", port }
      resolve({ address: parseAddress(bound.address) ?? address, port: bound.port })
    })
  })
