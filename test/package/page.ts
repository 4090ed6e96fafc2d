/** The installed package in a page: bundled by Vite and by esbuild, and run in a browser. */
import assert from "node:assert/strict"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { extname, join, normalize } from "node:path"
import { after, before, describe, test } from "node:test"
import * as esbuild from "esbuild"
import { type Browser, chromium } from "playwright-core"
import * as vite from "vite"
import { BUNDLERS, gzipped } from "../size/bundle.ts"
import { onPath } from "./run.ts"

/** A NAT-PMP answer (RFC 6886 section 3.3): UDP port 4000 is mapped to 40000 for two hours, 3 s after the epoch began. */
const ANSWER = "00810000000000030fa09c4000001c20"

const PROGRAM = `import { dissect, parse, validate } from "sallyport/wire"
import { describe, read } from "sallyport/text"
import { udp } from "sallyport/runtime"
const reading = read("${ANSWER}")
const bytes = reading.packets[0].bytes
const { packet } = parse(bytes)
const bound = await udp.bind({}, { receive() {}, error() {} })
document.body.textContent = [
  packet.kind, packet.externalPort, packet.lifetime, validate(bytes).length, bound.ok,
  describe(dissect(bytes), dissect(bytes).root),
].join("; ")
`
const SHOWN = "natpmp-map-response; 40000; 7200; 0; false; NAT-PMP map UDP response, 16 octets"

/** The icon is in the page, as browsers ask for one otherwise. */
const html = (script: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sallyport</title><link rel="icon" href="data:,"></head>
<body><script type="module" src="${script}"></script></body></html>
`

const byVite = async (folder: string): Promise<string> => {
  writeFileSync(join(folder, "index.html"), html("/page.js"))
  const outDir = join(folder, "by-vite")
  await vite.build({ root: folder, configFile: false, logLevel: "silent", build: { outDir } })
  return outDir
}

const byEsbuild = async (folder: string): Promise<string> => {
  const outdir = join(folder, "by-esbuild")
  mkdirSync(outdir, { recursive: true })
  writeFileSync(join(outdir, "index.html"), html("/page.js"))
  await esbuild.build({
    absWorkingDir: folder,
    entryPoints: ["page.js"],
    outdir,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    logLevel: "silent",
  })
  return outdir
}

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" }

const serve = async (folder: string): Promise<{ readonly server: Server; readonly origin: string }> => {
  const server = createServer((request, response) => {
    const path = normalize(request.url === "/" ? "/index.html" : (request.url ?? ""))
    try {
      const body = readFileSync(join(folder, path))
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  assert.ok(typeof address === "object" && address !== null)
  return { server, origin: `http://127.0.0.1:${address.port}` }
}

const QUIET = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
]

/** Opens a page, and says what it shows, what it complains of, and where it goes. */
const look = async (browser: Browser, url: string, shown: string) => {
  const complaints: string[] = []
  const requests: string[] = []
  const page = await browser.newPage()
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on("pageerror", (error) => complaints.push(error.message))
  page.on("request", (request) => requests.push(request.url()))
  page.on("websocket", (socket) => requests.push(socket.url()))
  await page.goto(url)
  await page.waitForFunction("document.body.textContent.trim() !== ''").catch((error) => complaints.push(`${error}`))
  const text = await page.evaluate("document.body.textContent.trim()")
  await page.close()
  assert.deepEqual({ text, complaints }, { text: shown, complaints: [] })
  return requests
}

/** `home` has the package installed; it is known when the tests run. */
export const describePages = (home: () => string): void => {
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    test(`the installed package is tree-shaken by ${name}: parse costs at most 8 kB, an entry that is not used nothing`, async () => {
      const { code, sources } = await bundle('import { parse } from "sallyport"\nglobalThis.used = parse\n', home())
      assert.ok(code.length > 0)
      assert.ok(gzipped(code) <= 8000, `${gzipped(code)} octets`)
      assert.deepEqual(
        sources.filter((path) => !path.startsWith("core/wire/")),
        [],
      )
      for (const entry of [
        "sallyport",
        "sallyport/wire",
        "sallyport/text",
        "sallyport/client",
        "sallyport/port-client",
      ])
        assert.equal(gzipped((await bundle(`import "${entry}"\n`, home())).code), 0, entry)
    })
  }

  const [executablePath] = onPath("chromium")
  const missing = "chromium is not installed (Debian package chromium)"
  if (executablePath === undefined && process.env.CI === "true") throw new Error(missing)

  describe("a page in a browser", { skip: executablePath === undefined ? missing : false }, () => {
    let browser: Browser | undefined
    before(async () => {
      browser = await chromium.launch({ executablePath: executablePath ?? "", args: QUIET })
      writeFileSync(join(home(), "page.js"), PROGRAM)
    })
    after(async () => {
      await browser?.close()
    })

    for (const [name, build] of Object.entries({ Vite: byVite, esbuild: byEsbuild })) {
      test(`bundled by ${name} it decodes a packet, complains of nothing, and asks nobody else for anything`, async () => {
        assert.ok(browser !== undefined)
        const { server, origin } = await serve(await build(home()))
        try {
          const requests = await look(browser, `${origin}/`, SHOWN)
          assert.ok(requests.length >= 2)
          assert.deepEqual(
            requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith("data:")),
            [],
          )
        } finally {
          server.closeAllConnections()
          server.close()
        }
      })
    }
  })
}
