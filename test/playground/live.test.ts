import assert from "node:assert/strict"
import { request } from "node:http"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import type { Browser, Locator, Page } from "playwright-core"
import { WebSocket } from "ws"
import { type LiveMessage, readMessage } from "../../adapters/live/index.ts"
import { COMMAND, client, kill, mapRequest, serving, servingBy, startedBy } from "../adapters/cli/command.ts"
import { deno } from "../docs/symbols.ts"
import { bin, root } from "../package/run.ts"
import { type Built, buildPage, type Look, launch, SKIP, screenshot, violations } from "./browser.ts"
import { button } from "./page-parts.ts"

const LIVE = "http://127\\.0\\.0\\.1:\\d+/[\\w-]{22}/"

/** A server that pages may watch, with the page given. */
const watched = async (page: string, args: readonly string[] = []) => {
  const server = await serving(["--playground", "--external", "198.51.100.7", "--no-control", ...args], {
    SALLYPORT_PLAYGROUND: page,
  })
  const [url] = await server.untilError(new RegExp(LIVE))
  return { ...server, url }
}

/** Opens a page that may speak to the server that gave it, and to nobody else. */
const withLive = async (
  browser: Browser,
  url: string,
  { width = 1440, height = 900, theme = "light" }: Look,
  use: (page: Page, complaints: string[]) => Promise<void>,
): Promise<void> => {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce" })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const complaints: string[] = []
  const foreign: string[] = []
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on("pageerror", (error) => complaints.push(error.message))
  page.on("request", (asked) => {
    if (!/^(?:data|blob):/.test(asked.url()) && asked.url() !== url) foreign.push(asked.url())
  })
  page.on("websocket", (socket) => {
    if (socket.url() !== `${url.replace("http", "ws")}live`) foreign.push(socket.url())
  })
  try {
    await page.goto(url)
    await page.getByText("live", { exact: true }).waitFor()
    await use(page, complaints)
    assert.deepEqual({ complaints, foreign }, { complaints: [], foreign: [] })
  } finally {
    await context.close()
  }
}

type Peer = Awaited<ReturnType<typeof client>>

/** Not by a function that waits in the page: its policy evaluates no text. */
const tableRow = (page: Page, place: number): Locator =>
  page.getByRole("region", { name: "table of mappings" }).locator("tbody tr").nth(place)
const rows = (page: Page): Promise<readonly string[]> =>
  page.getByRole("region", { name: "table of mappings" }).locator("tbody tr").allInnerTexts()

describe("the command's page in a browser", { skip: SKIP }, () => {
  let browser: Browser | undefined
  let built: Built | undefined
  let file = ""
  before(async () => {
    built = await buildPage()
    file = join(built.folder, "sallyport-playground.html")
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    await built?.close()
  })
  const live = async (
    args: readonly string[],
    look: Look,
    use: (page: Page, server: Awaited<ReturnType<typeof watched>>, peer: Peer, complaints: string[]) => Promise<void>,
  ): Promise<void> => {
    assert.ok(browser !== undefined)
    const server = await watched(file, args)
    const peer = await client()
    try {
      await withLive(browser, server.url, look, (page, complaints) => use(page, server, peer, complaints))
    } finally {
      peer.close()
      kill(server.child, "SIGKILL")
    }
  }

  test("sallyport playground: it opens, works and connects to nobody", async () => {
    assert.ok(browser !== undefined)
    const started = startedBy(COMMAND, ["playground", "--no-open"], { SALLYPORT_PLAYGROUND: file })
    const [url] = await started.until(/http:\/\/127\.0\.0\.1:\d+\//)
    const context = await browser.newContext()
    const page = await context.newPage()
    const complaints: string[] = []
    page.on("console", (message) => complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(error.message))
    const answer = await page.goto(url)
    assert.match(answer?.headers()["content-security-policy"] ?? "", /connect-src 'none'.*frame-ancestors 'none'/)
    await page.getByRole("tree").waitFor()
    assert.deepEqual(await page.getByRole("navigation", { name: "Mode" }).getByRole("button").allInnerTexts(), [
      "Inspect",
      "Replay",
    ])
    await button(page, "Replay").click()
    await page.getByRole("region", { name: "sequence" }).waitFor()
    assert.deepEqual(complaints, [])
    await context.close()
    kill(started.child, "SIGINT")
    assert.equal((await started.ended).code, 0)
  })

  test("serve --playground: a mapping made over UDP, renewed and deleted, with no nonce anywhere", async () => {
    await live([], {}, async (page, server, peer) => {
      await page.getByText("Nobody has asked the server").waitFor()
      await screenshot(page, "live-empty")
      const told: string[] = []
      page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => told.push(String(payload))))
      await page.reload()
      // What was asked before the page is told of the server is no news to it.
      await page.getByText("sallyport map 8080/tcp").waitFor()
      const [first] = [await peer.ask(mapRequest(5000, 600), server.port)]
      assert.equal(first[3], 0)
      await page.getByRole("region", { name: "table of mappings" }).waitFor()
      const [row] = await rows(page)
      assert.match(row, /127\.0\.0\.1\s*:5000\s*→\s*198\.51\.100\.7\s*:\d+\s+UDP\s+MAP\s+(10:00|9:5\d)/)
      await page.getByRole("option", { name: /MAP UDP 5000 600 s/ }).waitFor()
      await peer.ask(mapRequest(5000, 1200), server.port)
      await page.getByRole("region", { name: "list of changes" }).getByText("renewed UDP 127.0.0.1:5000").waitFor()
      await tableRow(page, 0)
        .filter({ hasText: /20:00|19:5\d/ })
        .waitFor()
      await page
        .getByText("PCP SUCCESS 2")
        .or(page.locator(".rv-counters li", { hasText: "PCP SUCCESS" }))
        .first()
        .waitFor()
      await screenshot(page, "live-mapping")
      await peer.ask(mapRequest(5000, 0), server.port)
      await page.getByText("none at this instant").waitFor()
      await page.getByRole("region", { name: "list of changes" }).getByText("deleted UDP 127.0.0.1:5000").waitFor()
      assert.ok(told.length > 3)
      assert.ok(!told.some((text) => text.includes("0102030405060708090a0b0c")))
    })
  })

  test("what is chosen stays while the server goes on; it can be opened in Inspect, and followed again", async () => {
    await live([], {}, async (page, server, peer) => {
      await peer.ask(mapRequest(5000, 600), server.port)
      await page.getByRole("option", { name: /MAP UDP 5000 600 s/ }).click()
      await page.getByText("standing still: the server goes on").waitFor()
      await peer.ask(mapRequest(5001, 600), server.port)
      await page.waitForTimeout(400)
      assert.equal((await rows(page)).length, 1)
      await page.getByRole("button", { name: "open in Inspect" }).click()
      await page.getByRole("heading", { name: "PCP MAP request, 60 octets" }).waitFor()
      await button(page, "Live").click()
      await button(page, "follow again").click()
      await page.getByText("live", { exact: true }).waitFor()
      await tableRow(page, 1).waitFor()
    })
  })

  test("when the server ends it says so, and goes on trying", async () => {
    await live([], {}, async (page, server, _, complaints) => {
      assert.equal((await server.stop("SIGINT")).code, 0)
      await page.getByText(/^connection lost.*: trying again$/).waitFor()
      await screenshot(page, "live-lost")
      // Chromium's own words of a connection that was refused.
      complaints.length = 0
    })
  })

  const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 360, height: 780 } } as const
  for (const theme of ["light", "dark"] as const)
    for (const size of ["desktop", "phone"] as const)
      test(`axe-core finds nothing in the live view: ${size}, ${theme}`, async () => {
        await live([], { ...SIZES[size], theme }, async (page, server, peer) => {
          assert.deepEqual(await violations(page), [])
          for (let port = 5000; port < 5020; port++)
            await peer.ask(mapRequest(port, 600 + port, `${port}`.repeat(6), port % 2 === 0 ? 6 : 17), server.port)
          await peer.ask(mapRequest(5001, 600, "ff".repeat(12)), server.port)
          await tableRow(page, 19).waitFor()
          await page.getByRole("option", { name: /NOT_AUTHORIZED/ }).waitFor()
          assert.deepEqual(await violations(page), [])
          assert.ok(Number(await page.evaluate("document.documentElement.scrollWidth")) <= SIZES[size].width)
          await screenshot(page, `live-${size}-${theme}`)
        })
      })

  test("the page may connect to its own server and to nobody else", async () => {
    await live([], {}, async (page, server, _, complaints) => {
      const answer = await page.request.get(server.url)
      const { host } = new URL(server.url)
      assert.match(answer.headers()["content-security-policy"], new RegExp(`connect-src ws://${host};`))
      const refused = await page.evaluate(`(async () => {
        const refused = []
        document.addEventListener("securitypolicyviolation", (event) => refused.push(event.blockedURI))
        await fetch("/").catch(() => {})
        try { new WebSocket("ws://127.0.0.1:9/") } catch {}
        try { new WebSocket("ws://localhost:${new URL(server.url).port}/") } catch {}
        await new Promise((resolve) => setTimeout(resolve, 200))
        return new Set(refused).size
      })()`)
      assert.equal(refused, 3)
      complaints.length = 0
    })
  })
})

/** What a program hears that opens the socket: the close's code or the refusal's status, and what was told until then. */
const hear = (
  url: string,
  { origin, host, path = "live", say }: { origin?: string; host?: string; path?: string; say?: string | Uint8Array },
): Promise<{ readonly end: number; readonly told: readonly LiveMessage[] }> =>
  new Promise((resolve, reject) => {
    const told: LiveMessage[] = []
    const headers = { ...(origin === undefined ? {} : { origin }), ...(host === undefined ? {} : { host }) }
    const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers })
    socket.on("unexpected-response", (_, response) => {
      resolve({ end: response.statusCode ?? 0, told })
      socket.terminate()
    })
    socket.on("error", reject)
    socket.on("message", (data) => {
      const message = readMessage(String(data))
      assert.ok(message !== undefined, String(data))
      told.push(message)
      if (say !== undefined && told.length === 1) socket.send(say)
      if (say === undefined && message.type === "tick") socket.close(4000)
    })
    socket.on("close", (code) => resolve({ end: code, told }))
  })

describe("who may watch a server", () => {
  const PAGE = join(import.meta.dirname, "../../build/live-page.html")
  let server: Awaited<ReturnType<typeof watched>> | undefined
  before(async () => {
    const { mkdirSync, writeFileSync } = await import("node:fs")
    mkdirSync(join(PAGE, ".."), { recursive: true })
    writeFileSync(PAGE, `<html><meta http-equiv="Content-Security-Policy" content="connect-src 'none'"></html>`)
    server = await watched(PAGE)
  })
  after(async () => {
    await server?.stop()
  })
  const url = (): string => server?.url ?? ""

  test("a page of the server's own origin, with the address's secret", async () => {
    const own = new URL(url()).origin
    const heard = await hear(url(), { origin: own })
    assert.deepEqual(
      [heard.end, heard.told.map(({ type }) => type).filter((type) => type !== "rows")],
      [4000, ["hello", "snapshot", "snapshot", "tick"]],
    )
    const host = `localhost:${new URL(url()).port}`
    assert.equal((await hear(url(), { origin: `http://${host}`, host })).end, 4000)
  })

  test("nobody of another origin, by another name, or without the secret", async () => {
    const { origin, port } = new URL(url())
    for (const other of ["http://evil.example", "null", `https://127.0.0.1:${port}`, "http://127.0.0.1", undefined])
      assert.equal((await hear(url(), other === undefined ? {} : { origin: other })).end, 403, `${other}`)
    assert.equal((await hear(url(), { origin: "http://evil.example", host: `evil.example:${port}` })).end, 421)
    assert.equal((await hear(url(), { origin, host: `evil.example:${port}` })).end, 421)
    const guessed = url().replace(/[\w-]{22}\/$/, `${"A".repeat(22)}/`)
    assert.equal((await hear(guessed, { origin })).end, 404)
    assert.equal((await hear(`${origin}/`, { origin })).end, 404)
    assert.equal((await hear(url(), { origin, path: "other" })).end, 404)
    for (const path of ["/", "/live", `/${"A".repeat(22)}/`]) {
      const status = await new Promise<number | undefined>((resolve) => {
        request({ host: "127.0.0.1", port, path }, (response) => resolve(response.resume().statusCode)).end()
      })
      assert.equal(status, 404, path)
    }
  })

  const main = join(root, "adapters/cli/main.ts")
  for (const [name, command] of [
    ["Deno", [deno, "run", "--quiet", "--allow-all", main]],
    ["Bun", [bin("bun"), main]],
  ] as const)
    test(`the same on ${name}, from the sources`, async () => {
      const args = ["--playground", "--listen", "127.0.0.1:0", "--no-control"]
      const other = await servingBy(command, args, { SALLYPORT_PLAYGROUND: PAGE })
      const [there] = await other.untilError(new RegExp(LIVE))
      const { origin } = new URL(there)
      const heard = await hear(there, { origin })
      assert.deepEqual([heard.end, heard.told[0]?.type, heard.told.at(-1)?.type], [4000, "hello", "tick"])
      assert.equal((await hear(there, { origin: "http://evil.example" })).end, 403)
      assert.equal((await hear(there, { origin, say: "x" })).end, 1008)
      assert.equal((await other.stop("SIGINT")).code, 0)
    })

  test("whoever says anything is let go, and the server goes on", async () => {
    const { origin } = new URL(url())
    assert.equal((await hear(url(), { origin, say: '{"type":"revoke"}' })).end, 1008)
    assert.equal((await hear(url(), { origin, say: new Uint8Array(10) })).end, 1008)
    assert.equal((await hear(url(), { origin, say: "x".repeat(5000) })).end, 1009)
    assert.equal((await hear(url(), { origin })).end, 4000)
  })

  test("its address goes with what listens, as JSON too; with workers, or a port that is taken, it is refused in a line", async () => {
    const json = await serving(["--json", "--playground"], { SALLYPORT_PLAYGROUND: PAGE })
    assert.match(String(json.records()[0].playground), new RegExp(`^${LIVE}$`))
    await json.stop()
    for (const [args, line] of [
      [["--playground", "--workers", "2"], /^sallyport: option '--playground' .* '--workers'\n$/],
      [
        ["--playground", new URL(url()).port],
        /^sallyport: option '--playground': 127\.0\.0\.1:\d+ is in use already.*\n$/,
      ],
    ] as const) {
      const ended = startedBy(COMMAND, ["serve", "--listen", "127.0.0.1:0", "--no-control", ...args], {
        SALLYPORT_PLAYGROUND: PAGE,
      })
      const { code, stderr } = await ended.ended
      assert.equal(code, 1)
      assert.match(stderr, line)
    }
  })
})
