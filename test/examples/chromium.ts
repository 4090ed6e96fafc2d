/** A real browser on a folder of files that this process serves on loopback, and everything that it complains of or asks for elsewhere. */
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { delimiter, extname, join } from "node:path"
import { chromium, type Page } from "playwright-core"

const program = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "chromium"))
  .find((path) => existsSync(path))

/** What a test in a browser lacks here; `undefined`: nothing. */
export const lack: string | undefined =
  program === undefined ? "chromium missing: install Debian's chromium" : undefined

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
}

const ARGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
]

/** What went wrong while a page was open: errors of its console and its scripts, and requests that would leave this host's folder. */
export type Visit = { readonly errors: readonly string[]; readonly foreign: readonly string[] }

/** Opens the folder's index.html and does something there. */
export const visit = async (folder: string, act: (page: Page) => Promise<void>): Promise<Visit> => {
  const server = createServer(({ url = "/" }, response) => {
    const path = join(folder, url === "/" ? "index.html" : new URL(url, "http://localhost").pathname)
    if (!existsSync(path)) response.writeHead(404).end()
    else response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "" }).end(readFileSync(path))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const bound = server.address()
  if (bound === null || typeof bound === "string") throw new Error("not a port")
  const origin = `http://127.0.0.1:${bound.port}`

  const browser = await chromium.launch({ executablePath: program ?? "chromium", args: ARGS })
  try {
    const page = await browser.newPage()
    const errors: string[] = []
    const foreign: string[] = []
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") errors.push(message.text())
    })
    page.on("pageerror", (error) => errors.push(error.message))
    page.on("request", (request) => {
      const url = request.url()
      if (!url.startsWith(`${origin}/`) && !/^(?:data|blob):/.test(url)) foreign.push(url)
    })
    await page.goto(origin)
    await act(page)
    return { errors, foreign }
  } finally {
    await browser.close()
    server.close()
    server.closeAllConnections()
  }
}
