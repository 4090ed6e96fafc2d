import { timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { hasCode, reasonOf } from "../../system-error.ts"
import type { Read } from "../read.ts"

/** A page on loopback. */
export interface Web {
  /** `http://127.0.0.1:40123/` */
  readonly url: string
  stop(): Promise<void>
}

export interface WebOptions {
  /** 0: one that the system chooses. */
  readonly port: number
  /** Where the page is; nothing is anywhere else. Begins and ends with `/`. */
  readonly path: string
  /** The page for who reaches it by this host: `127.0.0.1:40123`. */
  readonly page: (host: string) => string
  /** Takes connections that want to be something else than HTTP, of a host that is ours; left out, nobody does. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer, host: string) => void
}

const ADDRESS = "127.0.0.1"
const CONNECTIONS = 64
/** Milliseconds that whoever is connected has to take what was said last, once it is to stop. */
const FAREWELL = 250
/** Milliseconds after which whoever asks for nothing is let go, and how often that is looked at. */
const PATIENCE = 10_000
const LOOK = 2000

/**
 * Serves one page on loopback to whoever asks for it by a name of loopback. Another name in `Host` is a page of the web whose name was
 * made to lead here (DNS rebinding), and gets nothing.
 */
export const startWeb = async ({ port, path, page, upgrade }: WebOptions): Promise<Read<Web>> => {
  let names: ReadonlySet<string> = new Set()
  const hostOf = ({ headers }: IncomingMessage): string | undefined => {
    const host = headers.host?.toLowerCase()
    return host !== undefined && names.has(host) ? host : undefined
  }
  const server = createServer({ connectionsCheckingInterval: LOOK }, (request, response) => {
    const host = hostOf(request)
    if (host === undefined) plain(request, response, 421, "this is the Sallyport playground, on loopback alone")
    else if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD")
      plain(request, response, 405, "only GET and HEAD")
    } else if (!isSameSecret(request.url?.split("?")[0] ?? "", path))
      plain(request, response, 404, "there is nothing here")
    else {
      const html = page(host)
      send(request, response, 200, "text/html; charset=utf-8", html, {
        "content-security-policy": `${policyOf(html)}; frame-ancestors 'none'`,
      })
    }
  })
  server.maxConnections = CONNECTIONS
  server.requestTimeout = PATIENCE
  server.headersTimeout = PATIENCE
  // Those of connections that are no longer HTTP too, which the server itself forgets.
  const sockets = new Set<Duplex>()
  server.on("connection", (socket: Duplex) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const host = hostOf(request)
    socket.on("error", () => socket.destroy())
    if (host === undefined) refuse(socket, "421 Misdirected Request")
    else if (upgrade === undefined) refuse(socket, "404 Not Found")
    else upgrade(request, socket, head, host)
  })
  const bound = await listening(server, port)
  if (!bound.ok) return bound
  names = new Set(
    [ADDRESS, "localhost"].flatMap((name) => (bound.value === 80 ? [name, `${name}:80`] : `${name}:${bound.value}`)),
  )
  return {
    ok: true,
    value: {
      url: `http://${ADDRESS}:${bound.value}${path}`,
      stop: () =>
        new Promise((resolve) => {
          const late = setTimeout(() => {
            for (const socket of sockets) socket.destroy()
            resolve()
          }, FAREWELL)
          server.close(() => {
            clearTimeout(late)
            resolve()
          })
          server.closeAllConnections()
        }),
    },
  }
}

/** Compares what was sent with what may be a secret, in a time that tells nothing of it but its length. */
export const isSameSecret = (text: string, secret: string): boolean => {
  const [one, other] = [Buffer.from(text), Buffer.from(secret)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** Ends a connection that wanted to be upgraded. `status`: `403 Forbidden`. */
export const refuse = (socket: Duplex, status: string): void => {
  // Whoever does not close would keep its place, and the server from ending.
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy())
}

const META = /<meta http-equiv="Content-Security-Policy" content="([^"]*)"/

/** The page's own policy; one without any may do nothing. */
const policyOf = (html: string): string => META.exec(html)?.[1] ?? "default-src 'none'"

const send = (
  { method }: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  more: Readonly<Record<string, string>> = {},
): void => {
  const body = Buffer.from(text)
  response.writeHead(status, {
    "content-type": type,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    ...more,
  })
  response.end(method === "HEAD" ? undefined : body)
}

const plain = (request: IncomingMessage, response: ServerResponse, status: number, text: string): void =>
  send(request, response, status, "text/plain; charset=utf-8", `${text}\n`)

const listening = (server: Server, port: number): Promise<Read<number>> =>
  new Promise((resolve) => {
    server.once("error", (cause) => {
      const why = hasCode(cause, "EADDRINUSE")
        ? "is in use already; choose another"
        : hasCode(cause, "EACCES")
          ? "needs more privileges"
          : `cannot be used: ${reasonOf(cause)}`
      resolve({ ok: false, text: `${ADDRESS}:${port} ${why}` })
    })
    server.listen({ host: ADDRESS, port, exclusive: true }, () => {
      server.removeAllListeners("error").on("error", () => {})
      const address = server.address()
      resolve({ ok: true, value: typeof address === "object" && address !== null ? address.port : port })
    })
  })
