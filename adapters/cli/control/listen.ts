import { lstatSync, unlinkSync } from "node:fs"
import { connect, createServer, type Socket } from "node:net"
import { reasonOf } from "../../system-error.ts"
import type { Read } from "../read.ts"
import { prepareFolder } from "./path.ts"
import type { Answers } from "./request.ts"

/**
 * The control socket of a running server: whoever may open it, its user and root, may list and change what the server
 * holds. A connection carries one request, a line of JSON, and its answer, lines of JSON; the last has `end` or `error`.
 */
export interface ControlSocket {
  readonly path: string
  stop(): Promise<void>
}

/** Octets of a request. */
const LONGEST = 4096
/** Milliseconds that a connection may stand still. */
const IDLE = 30_000
const CONNECTIONS = 32

/** @param answers Its lines may be waited for. What it throws ends the answer. */
export const startControl = async <R>(path: string, answers: Answers<R>): Promise<Read<ControlSocket>> => {
  const folder = prepareFolder(path)
  if (!folder.ok) return folder
  const free = await makeWay(path)
  if (!free.ok) return free
  const server = createServer((socket) => void serve(socket, answers))
  server.maxConnections = CONNECTIONS
  const open = new Set<Socket>()
  server.on("connection", (socket) => {
    open.add(socket)
    socket.on("close", () => open.delete(socket))
  })
  return new Promise((resolve) => {
    server.once("error", (cause) => resolve({ ok: false, text: `${path}: ${reasonOf(cause)}` }))
    // The socket is there with its permissions from its first instant: it is bound before listen returns.
    const before = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.removeAllListeners("error").on("error", () => {})
        const stop = (): Promise<void> =>
          new Promise((done) => {
            server.close(() => done())
            for (const socket of open) socket.destroy()
          })
        resolve({ ok: true, value: { path, stop } })
      })
    } finally {
      process.umask(before)
    }
  })
}

/** Takes away the socket of a server that was killed; one that lives, or what is no socket, stays. */
const makeWay = async (path: string): Promise<Read<undefined>> => {
  try {
    if (!lstatSync(path).isSocket()) return { ok: false, text: `${path} is there and is no socket` }
  } catch {
    return { ok: true, value: undefined }
  }
  if (await isLive(path)) return { ok: false, text: `another server has ${path}` }
  try {
    unlinkSync(path)
    return { ok: true, value: undefined }
  } catch (cause) {
    return { ok: false, text: `${path}: ${reasonOf(cause)}` }
  }
}

/** Does somebody listen there? */
export const isLive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    // Only these say that nobody does: one whose queue is full, or that is another user's, lives.
    socket.once("error", (cause) =>
      resolve(!("code" in cause && (cause.code === "ECONNREFUSED" || cause.code === "ENOENT"))),
    )
  })

const serve = async <R>(socket: Socket, { read, answer }: Answers<R>): Promise<void> => {
  socket.setTimeout(IDLE, () => socket.destroy())
  socket.on("error", () => {})
  try {
    const line = await firstLine(socket)
    if (line === undefined) return
    const request = read(line)
    if (!request.ok) {
      socket.end(record({ error: request.text }))
      return
    }
    for await (const lines of answer(request.value)) {
      if (socket.destroyed) return
      if (!socket.write(lines.map(record).join(""))) await drained(socket)
    }
    socket.end()
  } catch (cause) {
    if (!socket.destroyed) socket.end(record({ error: reasonOf(cause) }))
  }
}

const record = (value: object): string => `${JSON.stringify(value)}\n`

const firstLine = (socket: Socket): Promise<string | undefined> =>
  new Promise((resolve) => {
    let text = ""
    const take = (chunk: string): void => {
      text += chunk
      const end = text.indexOf("\n")
      if (end < 0 && text.length <= LONGEST) return
      // What comes after the line is let go: nobody reads it, and it must not gather here.
      socket.off("data", take).resume()
      if (end < 0) socket.destroy()
      resolve(end < 0 ? undefined : text.slice(0, end))
    }
    socket.setEncoding("utf8").on("data", take)
    socket.once("close", () => resolve(undefined))
  })

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done)
      resolve()
    }
    socket.on("drain", done).on("close", done)
  })
