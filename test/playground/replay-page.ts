/** The Replay views in Chromium, on a page of their own: what they do, and what the page complained of. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before } from "node:test"
import axe from "axe-core"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import * as vite from "vite"
import { type Session, writeSession } from "../../playground/model/session/index.ts"
import { root } from "../package/run.ts"
import { launch } from "./browser.ts"

const views = join(root, "playground/replay-view")
const shots = join(root, "build/screenshots")

const PROCESS = "process(state, asked)"

/** Counts in the page how often a request is processed. */
const counting: vite.Plugin = {
  name: "counting",
  transform: (code, id) => {
    if (!id.endsWith("model/replay/machine.ts")) return undefined
    assert.ok(code.includes(PROCESS), "requests are processed elsewhere now")
    return code.replace(PROCESS, `((globalThis.processed = (globalThis.processed ?? 0) + 1), ${PROCESS})`)
  },
}

export interface ReplayPage {
  /** Opens the page, lets `use` use it, and then wants nothing to have been complained of. */
  readonly onPage: (use: (page: Page) => Promise<void>, options?: BrowserContextOptions) => Promise<void>
  /** A folder of the test's own. */
  readonly folder: string
}

/** Builds and serves the views for the tests of a `describe`. */
export const replayPage = (): ReplayPage => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-replay-"))
  let browser: Browser | undefined
  let server: vite.PreviewServer | undefined
  let address = ""
  before(async () => {
    mkdirSync(shots, { recursive: true })
    const common = { root: views, base: "./", configFile: false, logLevel: "error" } as const
    await vite.build({
      ...common,
      plugins: [counting],
      oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
      build: {
        outDir: folder,
        emptyOutDir: true,
        target: "es2023",
        rolldownOptions: { input: join(views, "demo.html") },
      },
    })
    server = await vite.preview({ ...common, build: { outDir: folder }, preview: { host: "127.0.0.1", port: 0 } })
    address = `${server.resolvedUrls?.local[0]}demo.html`
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    await server?.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const onPage: ReplayPage["onPage"] = async (use, options = {}) => {
    assert.ok(browser !== undefined)
    const viewport = { width: 1440, height: 960 }
    const context = await browser.newContext({ viewport, reducedMotion: "reduce", ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    const complaints: string[] = []
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`))
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("request", (request) => {
      if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(new URL(address).origin))
        complaints.push(request.url())
    })
    try {
      await page.goto(address)
      await page.locator(".rv-rows").waitFor()
      await use(page)
      assert.deepEqual(complaints, [])
    } finally {
      await context.close()
    }
  }
  return { onPage, folder }
}

export const scrub = (page: Page, at: number) => page.locator(".rv-scrub input").fill(`${at}`)
export const clock = (page: Page) => page.locator(".rv-clock").textContent()
export const mappings = (page: Page) => page.locator(".rv-panels .rv-table tbody tr td:first-child").allTextContents()
export const tab = (page: Page, name: string) => page.getByRole("tab", { name }).click()
export const textOf = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? ""
export const shot = (page: Page, name: string) => page.screenshot({ path: join(shots, `replay-${name}.png`) })
/** Requests that the page has processed since it was opened. */
export const processed = async (page: Page) => Number(await page.evaluate("globalThis.processed"))

/** Types a session into the page, and replays it. */
export const replayText = async (page: Page, session: Session | string) => {
  await tab(page, "Session text")
  await page.locator("textarea").fill(typeof session === "string" ? session : writeSession(session))
  await page.getByRole("button", { name: "replay it" }).click()
}

/** Opens a session as a file. */
export const replayFile = async (page: Page, session: Session) => {
  const file = { name: "session.json", mimeType: "application/json", buffer: Buffer.from(writeSession(session)) }
  await page.locator("input[type=file]").setInputFiles(file)
  await page.locator(".rv-title h2", { hasText: session.title }).waitFor()
}

/** Opens the form, fills in its fields by label, and sends it. */
export const tryPacket = async (
  page: Page,
  kind: string,
  fields: Readonly<Record<string, string>> = {},
  choices: Readonly<Record<string, string>> = {},
) => {
  const form = page.locator(".rv-attempt")
  if ((await form.count()) === 0) await page.getByRole("button", { name: "+ try a packet here" }).click()
  await form.locator("select").first().selectOption(kind)
  for (const [name, value] of Object.entries(choices))
    await form.getByRole("combobox", { name, exact: true }).selectOption(value)
  for (const [name, value] of Object.entries(fields)) await form.getByLabel(name).fill(value)
  await page.getByRole("button", { name: "send it" }).click()
}

/** What axe-core has against the page as it is now, and how many pixels it is too wide. */
export const faultsOf = async (page: Page): Promise<readonly string[]> => {
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(axe.source)
  const found: unknown = await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 5).map(({ html, any }) => html.slice(0, 160) + ' ' + any.map(({ message }) => message).join()).join(' | ')))",
  )
  assert.ok(Array.isArray(found))
  const wider = Number(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
  return [...found.map(String), ...(wider > 0 ? [`${wider} pixels too wide`] : [])]
}
