/** The built page in Chromium: what it shows, what it complains of, and whom it asks for anything. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import axe from "axe-core"
import { type Browser, chromium, type Page } from "playwright-core"
import * as vite from "vite"
import { onPath, root } from "../package/run.ts"

const QUIET = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
]

const [executablePath] = onPath("chromium")
const missing = "chromium is not installed (Debian package chromium)"
if (executablePath === undefined && process.env.CI === "true") throw new Error(missing)

/** False where the tests can run, and else what is missing. */
export const SKIP = executablePath === undefined ? missing : false

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: executablePath ?? "", args: QUIET })

export interface Built {
  readonly folder: string
  /** Of the page that a server gives. */
  readonly url: string
  /** Of the page that is one file. */
  readonly file: string
  /** Of the page that is not, from a disk. */
  readonly splitFile: string
  readonly close: () => Promise<void>
}

/** Builds the page twice and serves it, as `npm run playground` does. */
export const buildPage = async (): Promise<Built> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-page-"))
  const configFile = join(root, "playground/vite.config.ts")
  const build = { outDir: folder }
  await vite.build({ configFile, logLevel: "silent", build })
  await vite.build({ configFile, mode: "file", logLevel: "silent", build })
  const server = await vite.preview({ configFile, logLevel: "silent", build, preview: { port: 0 } })
  const [url] = server.resolvedUrls?.local ?? []
  assert.ok(url !== undefined)
  return {
    folder,
    url,
    file: pathToFileURL(join(folder, "sallyport-playground.html")).href,
    splitFile: pathToFileURL(join(folder, "index.html")).href,
    close: async () => {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface Look {
  readonly width?: number
  readonly height?: number
  readonly theme?: "light" | "dark"
  /** Selector of what is there when the page is; the tree of fields where nothing is said. */
  readonly ready?: string
}

/** Opens the page, hands it to `use`, and sees that it complained of nothing and asked nobody else for anything. */
export const withPage = async (
  browser: Browser,
  url: string,
  { width = 1440, height = 900, theme = "light", ready = '[role="tree"]' }: Look,
  use: (page: Page) => Promise<void>,
): Promise<void> => {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce" })
  const page = await context.newPage()
  const complaints: string[] = []
  const foreign: string[] = []
  const base = url.replace(/[^/]*$/, "")
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on("pageerror", (error) => complaints.push(error.message))
  page.on("request", (request) => {
    const asked = request.url()
    if (!asked.startsWith(base) && !asked.startsWith("data:") && !asked.startsWith("blob:")) foreign.push(asked)
  })
  page.on("websocket", (socket) => foreign.push(socket.url()))
  try {
    await page.goto(url)
    await page.locator(ready).first().waitFor()
    await use(page)
    assert.deepEqual({ complaints, foreign }, { complaints: [], foreign: [] })
  } finally {
    await context.close()
  }
}

/** What axe-core has against the page as it is now. */
export const violations = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source)
  const found: unknown = await page.evaluate(
    "axe.run().then((r) => r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 5).join(', ')}`))",
  )
  assert.ok(Array.isArray(found))
  return found.map(String)
}

const SCREENSHOTS = join(root, "build/screenshots")

/** Keeps what the page looks like: an artefact of the run. */
export const screenshot = async (page: Page, name: string): Promise<void> => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) })
}

/** Pastes text where the focus is, as Ctrl-V does. */
export const paste = (page: Page, text: string): Promise<unknown> =>
  page.evaluate(`{
    const clipboardData = new DataTransfer()
    clipboardData.setData("text/plain", ${JSON.stringify(text)})
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
  }`)
