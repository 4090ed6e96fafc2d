/** The Replay views in a browser, on a page of their own. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import * as vite from "vite"
import { play } from "../../playground/model/replay/index.ts"
import { PRESETS, readSession, type Session, writeSession } from "../../playground/model/session/index.ts"
import { onPath } from "../package/run.ts"
import { dataStep, mapStep, sessionOf } from "./sessions.ts"

const root = join(import.meta.dirname, "../../playground/replay-view")
const shots = join(import.meta.dirname, "../../build/screenshots")
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

const QUIET = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
]

const [executablePath] = onPath("chromium")
const missing = "chromium is not installed (Debian package chromium)"
if (executablePath === undefined && process.env.CI === "true") throw new Error(missing)

describe("Replay in a browser", { skip: executablePath === undefined ? missing : false }, () => {
  const outDir = mkdtempSync(join(tmpdir(), "sallyport-replay-"))
  let browser: Browser | undefined
  let server: vite.PreviewServer | undefined
  let address = ""

  before(async () => {
    mkdirSync(shots, { recursive: true })
    const common = { root, base: "./", configFile: false, logLevel: "error" } as const
    await vite.build({
      ...common,
      oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
      build: { outDir, emptyOutDir: true, target: "es2023", rolldownOptions: { input: join(root, "demo.html") } },
    })
    server = await vite.preview({ ...common, build: { outDir }, preview: { host: "127.0.0.1", port: 0 } })
    address = `${server.resolvedUrls?.local[0]}demo.html`
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: QUIET })
  })
  after(async () => {
    await browser?.close()
    await server?.close()
    rmSync(outDir, { recursive: true, force: true })
  })

  /** Opens the page, lets `use` use it, and then wants nothing to have been complained of. */
  const onPage = async (use: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> => {
    assert.ok(browser !== undefined)
    const context = await browser.newContext({
      viewport: { width: 1440, height: 960 },
      reducedMotion: "reduce",
      ...options,
    })
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
    } finally {
      await context.close()
    }
    assert.deepEqual(complaints, [])
  }

  const scrub = (page: Page, at: number) => page.locator(".rv-scrub input").fill(`${at}`)
  const clock = (page: Page) => page.locator(".rv-clock").textContent()
  const mappings = (page: Page) => page.locator(".rv-panels .rv-table tbody tr td:first-child").allTextContents()
  const tab = (page: Page, name: string) => page.getByRole("tab", { name }).click()
  const shot = (page: Page, name: string) => page.screenshot({ path: join(shots, `replay-${name}.png`) })
  const replayText = async (page: Page, session: Session | string) => {
    await tab(page, "Session text")
    await page.locator("textarea").fill(typeof session === "string" ? session : writeSession(session))
    await page.getByRole("button", { name: "replay it" }).click()
  }

  test("an example is open, and every instant of it is shown whichever was shown before", async () => {
    await onPage(async (page) => {
      assert.equal(await page.locator(".rv-title h2").textContent(), "A home's NAT, ten minutes")
      const web = "10.0.0.1:8080 → 203.0.113.1:41000"
      const expected: readonly (readonly [number, number])[] = [
        [0, 0],
        [1000, 1],
        [60_000, 5],
        // The mapping of 120 s at 20 s has run out, and at 400 s another is deleted.
        [140_000, 4],
        [400_000, 2],
      ]
      for (const [at, count] of [...expected, ...expected.toReversed(), ...expected]) {
        await scrub(page, at)
        const shown = await mappings(page)
        assert.equal(shown.length, count, `at ${at}`)
        assert.equal(shown.includes(web), at >= 1000, `at ${at}: ${shown.join()}`)
      }
      await scrub(page, 61_000)
      const left = page.locator(".rv-panels tbody tr", { hasText: ":41000" }).locator(".rv-left .rv-mono")
      assert.equal(await left.textContent(), "9:00")
      await scrub(page, 31_000)
      assert.equal(await left.textContent(), "9:30")
      assert.match(
        (await page.locator(".rv-subscribers").textContent()) ?? "",
        /10\.0\.0\.2.*3 of 3 asked for, 1 by traffic/,
      )
      assert.match((await page.locator(".rv-counters").textContent()) ?? "", /PCP USER_EX_QUOTA 1/)
      assert.match((await page.locator(".rv-changes").textContent()) ?? "", /00:01\.000.*10\.0\.0\.1:8080/)
      assert.match(
        (await page.locator(".rv-picture").getAttribute("aria-label")) ?? "",
        /5 of 65536 in use, by 2 hosts/,
      )
    })
  })

  test("the picture of ports tells whose a port is", async () => {
    await onPage(async (page) => {
      await scrub(page, 1000)
      const picture = page.locator(".rv-picture")
      await picture.scrollIntoViewIfNeeded()
      const box = await picture.boundingBox()
      assert.ok(box !== null)
      // Port 41000 is in row 160, column 40.
      await page.mouse.move(box.x + (40.5 / 256) * box.width, box.y + (160.5 / 256) * box.height)
      assert.equal(await page.locator(".rv-hover").textContent(), "41000: TCP 10.0.0.1:8080")
      // A host keeps its colour, whoever else has ports then.
      const colour = page.locator(".rv-owners li", { hasText: "10.0.0.1" }).locator("rect")
      const fill = await colour.getAttribute("fill")
      for (const at of [60_000, 301_000, 5000]) {
        await scrub(page, at)
        assert.equal(await colour.getAttribute("fill"), fill)
      }
    })
  })

  test("keys step, go to the ends and play; a text field keeps its keys", async () => {
    await onPage(async (page) => {
      const press = async (...keys: readonly string[]) => {
        for (const key of keys) await page.keyboard.press(key)
        return clock(page)
      }
      assert.equal(await press("ArrowRight"), "00:01.000")
      assert.equal(await press("ArrowRight", "ArrowRight"), "00:06.000")
      assert.equal(await press("ArrowLeft"), "00:04.000")
      assert.equal(await press("End"), "15:00.000")
      assert.equal(await press("Home"), "00:00.000")
      await page.locator(".rv-speed select").selectOption("1000")
      await page.locator("body").click({ position: { x: 4, y: 4 } })
      await press(" ")
      await page.locator(".rv-clock", { hasText: "15:00.000" }).waitFor()
      await page.getByRole("button", { name: "play" }).waitFor()
      await press("Home")
      await page.locator(".rv-rows").focus()
      await press("ArrowDown", "ArrowDown")
      assert.match(
        (await page.locator(".rv-row[aria-selected=true]").textContent()) ?? "",
        /00:01\.000 CGN to 10\.0\.0\.1/,
      )
      await tab(page, "Session text")
      await page.locator("textarea").focus()
      assert.equal(await press("End", " ", "ArrowLeft"), "00:01.000")
    })
  })

  test("another packet makes another future, and both are compared", async () => {
    await onPage(async (page) => {
      await scrub(page, 30_000)
      await page.getByRole("button", { name: "+ try a packet here" }).click()
      const form = page.locator(".rv-attempt")
      await form.locator("select").first().selectOption("host gone")
      await form.getByLabel("internal address").fill("10.0.0.x")
      await page.getByRole("button", { name: "send it" }).click()
      assert.match((await form.textContent()) ?? "", /an address is expected/)
      await form.getByLabel("internal address").fill("10.0.0.1")
      await page.getByRole("button", { name: "send it" }).click()
      assert.equal((await mappings(page)).filter((text) => text.startsWith("10.0.0.1:")).length, 0)
      await tab(page, "Compare")
      await shot(page, "compare")
      const differences = (await page.locator(".rv-differences").textContent()) ?? ""
      assert.match(differences, /00:30\.000only try 1: host gonehost gone: − deleted/)
      // The nonce that was refused before has nothing against it now.
      assert.match(differences, /00:40\.000both, otherwise/)
      assert.match(
        (await page.locator(".rv-side-by-side").textContent()) ?? "",
        /10\.0\.0\.1:8080 → 203\.0\.113\.1:41000 9:31 · only here/,
      )
      await page.getByRole("button", { name: "as it is" }).click()
      assert.equal((await mappings(page)).filter((text) => text.startsWith("10.0.0.1:")).length, 1)
      await page.getByRole("button", { name: "remove try 1" }).click()
      assert.match((await page.locator(".rv-futures").textContent()) ?? "", /There is one future so far/)
    })
  })

  test("a request is tried with its options, and what is mistyped in one is said beside it", async () => {
    await onPage(async (page) => {
      await scrub(page, 50_000)
      await page.getByRole("button", { name: "+ try a packet here" }).click()
      const form = page.locator(".rv-attempt")
      await form.locator("select").first().selectOption("MAP")
      await form.getByLabel("Internal Port, 0 for all").fill("9000")
      await form.getByLabel("add an option").selectOption("DESCRIPTION")
      await form.getByLabel("add an option").selectOption("FILTER")
      const prefix = form.locator(".rv-option", { hasText: "FILTER" }).locator("input").first()
      await prefix.fill("nowhere")
      await page.getByRole("button", { name: "send it" }).click()
      assert.match((await form.locator(".rv-option .rv-fault").first().textContent()) ?? "", /a prefix is expected/)
      await prefix.fill("192.0.2.0/24")
      await form.getByLabel("and then").selectOption("nothing")
      await page.getByRole("button", { name: "send it" }).click()
      const row = page.locator(".rv-panels tbody tr", { hasText: "10.0.0.1:9000" })
      assert.match((await row.textContent()) ?? "", /192\.0\.2\.0\/24/)
      // Nothing more happens in it: the deletion at 400 s is not part of this future.
      await scrub(page, 400_000)
      assert.match((await mappings(page)).join(), /10\.0\.0\.2:22 /)
    })
  })

  test("a packet of data is translated, filtered, hairpinned or dropped, with the reason", async () => {
    await onPage(async (page) => {
      const verdict = async (side: string, source: string, destination: string): Promise<string> => {
        await page.getByRole("button", { name: "+ try a packet here" }).click()
        const form = page.locator(".rv-attempt")
        await form.getByRole("combobox", { name: "from", exact: true }).selectOption(side)
        await form.getByLabel("source").fill(source)
        await form.getByLabel("destination").fill(destination)
        await page.getByRole("button", { name: "send it" }).click()
        return (await page.locator(".rv-verdict").textContent()) ?? ""
      }
      await scrub(page, 12_000)
      assert.match(
        await verdict("outside", "198.51.100.9 4000", "203.0.113.1 41000"),
        /^translated.*becomes TCP 198\.51\.100\.9:4000 → 10\.0\.0\.1:8080/,
      )
      assert.match(await verdict("outside", "192.0.2.1 4000", "203.0.113.1 41000"), /^filtered.*RFC 6887 section 13\.3/)
      assert.match(
        await verdict("outside", "192.0.2.1:4000", "203.0.113.1:1"),
        /^dropped.*nobody inside has that address and port/,
      )
      assert.match(await verdict("inside", "10.0.0.2 5000", "198.51.100.7 80"), /^translated/)
      const own = (await mappings(page)).find((text) => text.startsWith("10.0.0.2:22 ")) ?? ""
      assert.match(await verdict("inside", "10.0.0.1 5000", own.replace(/^.*→ (.*):/, "$1 ")), /^hairpinned/)
    })
  })

  test("kinds and switches are chosen, each says what it changes, and the session is played anew", async () => {
    await onPage(async (page) => {
      await scrub(page, 1000)
      await tab(page, "CGN")
      assert.equal(await page.locator(".rv-kinds input").count(), 8)
      const map = page.locator(".rv-switches li", { has: page.locator("strong", { hasText: /^MAP$/ }) })
      assert.match((await map.textContent()) ?? "", /MAP makes mappings\.Off: MAP is answered UNSUPP_OPCODE/)
      await map.getByRole("checkbox").click()
      assert.match((await map.textContent()) ?? "", /changed.*MAP is answered UNSUPP_OPCODE.*On: MAP makes mappings/)
      assert.deepEqual(await mappings(page), [])
      assert.match(
        (await page.locator(".rv-effects").textContent()) ?? "",
        /differences to this session.*Result Code: SUCCESS/,
      )
      await page.getByRole("button", { name: "as the preset has it" }).click()
      assert.equal((await mappings(page)).length, 1)
      await page.getByLabel("external IPv4 addresses").fill("203.0.113.77")
      assert.match((await mappings(page)).join(), /203\.0\.113\.77/)
      assert.match((await page.locator(".rv-switches").textContent()) ?? "", /It cannot be turned on: /)
      for (const name of [
        "DS-Lite AFTR",
        "NAT64",
        "NAT46",
        "NPTv6",
        "IPv4 firewall",
        "IPv6 firewall",
        "L2-aware NAT",
      ]) {
        await page.locator(".rv-kinds").getByText(name, { exact: true }).click()
        assert.equal(await page.locator(".rv-kinds .rv-is-chosen strong").textContent(), name)
        assert.equal(await page.locator(".rv-fault").count(), 0, name)
      }
    })
  })

  test("the built-in client retransmits what is lost and renews, by the seed", async () => {
    await onPage(async (page) => {
      await tab(page, "Client")
      const summary = async () => (await page.locator(".rv-summary").textContent()) ?? ""
      const first = await summary()
      await page.getByLabel("seed").fill("7")
      assert.notEqual(await summary(), first)
      await page.getByLabel("seed").fill("1")
      assert.equal(await summary(), first)
      await page.getByLabel("loss").fill("0")
      // Renewed between half and 5/8 of 600 s (RFC 6887 section 11.2.1): four to five times in half an hour.
      assert.match(await summary(), / 0 lost, 0 retransmissions, [45] renewals/)
      await page.getByLabel("loss").fill("100")
      assert.match(await summary(), /^(\d+) datagrams, \1 lost, [1-9]\d* retransmissions, 0 renewals/)
      // 3 s, within a tenth (RFC 6887 section 8.1.1).
      assert.match(
        (await page.locator(".rv-log").textContent()) ?? "",
        /00:0(?:2\.[789]|3\.[0-3])\d\d → MAP request.*retransmission 1, lost/,
      )
      await page.getByLabel("loss").fill("0")
      await page.getByLabel("jitter").fill("0")
      await page.getByLabel("delay, one way").fill("1000")
      assert.match((await page.locator(".rv-log").textContent()) ?? "", /00:01\.000 ← MAP response/)
      await page.getByLabel("jitter").fill("1000")
      await page.getByLabel("reordering").fill("100")
      assert.match((await page.locator(".rv-log").textContent()) ?? "", /held back/)
      await page.getByLabel("and the CGN").selectOption("restart")
      assert.match((await page.locator(".rv-log").textContent()) ?? "", /the CGN restarts/)
      await page.getByLabel("show").selectOption("60000")
      await shot(page, "client")
    })
  })

  test("a captured answer stands beside ours, and a difference is told with both", async () => {
    const asked = mapStep(1000, "10.0.0.1", { externalPort: "41000" })
    const played = play(sessionOf([asked]))
    const ours = played.ok ? played.value.moments[1].reply : undefined
    assert.ok(ours !== undefined)
    // The lifetime is in octets 4 to 7 (RFC 6887 section 7.2).
    const other = Uint8Array.from(ours)
    other[7] ^= 1
    await onPage(async (page) => {
      await replayText(
        page,
        sessionOf([
          { ...asked, answer: ours },
          { ...asked, at: 2000, answer: other },
        ]),
      )
      await tab(page, "Sequence")
      const marks = page.locator(".rv-as-captured small")
      await page.keyboard.press("Escape")
      assert.deepEqual(
        (await marks.allTextContents()).map((text) => text.trim()),
        ["= captured", "≠ captured, 1 field"],
      )
      assert.equal(await page.locator(".rv-finding").count(), 1)
      await page.locator(".rv-finding").click()
      assert.match((await page.locator(".rv-twins").textContent()) ?? "", /differs.*Lifetime.*a difference/)
      await shot(page, "twins")
      await page.getByRole("button", { name: "open in Inspect" }).click()
      assert.equal(await page.locator("#opened").textContent(), `${other.length} octets;`)
      await page.locator(".rv-twins summary").click()
      assert.match((await page.locator(".rv-twins details").textContent()) ?? "", /Result Code.*SUCCESS.*the same/)
      await tab(page, "Compare")
      assert.match((await page.locator(".rv-futures").textContent()) ?? "", /1 of 2 differ/)
    })
  })

  test("a session is written by hand, with what is wrong said by its path; saved, and loaded again", async () => {
    await onPage(async (page) => {
      await replayText(
        page,
        '{"format":"sallyport-session","version":1,"configuration":{"kind":"nat45"},"steps":[{"type":"announce","at":-1}]}',
      )
      const faults = (await page.getByRole("alert").textContent()) ?? ""
      assert.match(faults, /configuration\.kind/)
      assert.match(faults, /steps\[0\]\.at/)
      await replayText(page, "{")
      assert.match((await page.getByRole("alert").textContent()) ?? "", /that is no JSON/)
      const session = sessionOf([mapStep(5000, "10.0.0.3")], {
        title: "by hand",
        configuration: { ...PRESETS.nat444, quota: 7 },
      })
      await replayText(page, session)
      assert.equal(await page.locator(".rv-title h2").textContent(), "by hand")
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "save" }).click(),
      ])
      const saved = readFileSync(await download.path(), "utf8")
      assert.deepEqual(readSession(saved), {
        ok: true,
        session: sessionOf(session.steps, { title: "by hand", configuration: session.configuration }),
      })
      await page.getByLabel("example").selectOption("crowd")
      assert.equal(await page.locator(".rv-title h2").textContent(), "A crowd and eight ports")
      const file = join(outDir, "session.json")
      writeFileSync(file, saved)
      await page.locator("input[type=file]").setInputFiles(file)
      await page.locator(".rv-title h2", { hasText: "by hand" }).waitFor()
      await scrub(page, 5000)
      await tab(page, "Sequence")
      assert.match((await mappings(page)).join(), /^10\.0\.0\.3:8080/)
    })
  })

  test("a long session draws the rows in sight alone, and jumps to its end", async () => {
    const steps = Array.from({ length: 5000 }, (_, i) =>
      dataStep(i * 100, "inside", [`10.0.${i >> 8}.${i & 255}`, 5000], ["198.51.100.7", 53]),
    )
    const buffer = Buffer.from(writeSession(sessionOf(steps, { title: "long" })))
    await onPage(async (page) => {
      const file = { name: "long.json", mimeType: "application/json", buffer }
      await page.locator("input[type=file]").setInputFiles(file)
      await page.locator(".rv-title h2", { hasText: "long" }).waitFor()
      await page.locator(".rv-rows:not([aria-label*=' 61 rows'])").waitFor()
      await scrub(page, 499_900)
      await page.locator(".rv-row[aria-selected=true]").waitFor()
      const drawn = await page.locator(".rv-row").count()
      assert.ok(drawn > 5 && drawn < 120, `${drawn} rows`)
      assert.ok((await page.locator(".rv-panels tbody tr").count()) <= 200)
    })
  })

  test("what changed glows once; where motion is reduced nothing does", async () => {
    const glowing = "document.querySelector('.rv').getAnimations({ subtree: true }).length"
    await onPage(
      async (page) => {
        await page.locator("body").click({ position: { x: 4, y: 4 } })
        await page.keyboard.press("ArrowRight")
        assert.ok(Number(await page.evaluate(glowing)) > 0)
        await page.waitForFunction(`${glowing} === 0`)
      },
      { reducedMotion: "no-preference" },
    )
    await onPage(async (page) => {
      await page.keyboard.press("ArrowRight")
      assert.equal(await page.evaluate(glowing), 0)
    })
  })

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [size, viewport] of Object.entries({
      phone: { width: 360, height: 740 },
      wide: { width: 1440, height: 960 },
      "4k": { width: 3840, height: 2160 },
    })) {
      test(`${size}, ${colorScheme}: axe finds no violation in any view, and nothing is wider than the page`, async () => {
        await onPage(
          async (page) => {
            await scrub(page, 301_000)
            await page.evaluate(axe)
            await page.getByRole("button", { name: "+ try a packet here" }).click()
            await page.locator(".rv-attempt select").first().selectOption("MAP")
            for (const name of ["Sequence", "Compare", "CGN", "Client", "Session text"]) {
              await tab(page, name)
              const found: unknown = await page.evaluate(
                "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 5).map(({ html, any }) => html.slice(0, 160) + ' ' + any.map(({ message }) => message).join()).join(' | ')))",
              )
              assert.deepEqual(found, [], name)
              const wider = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
              assert.ok(Number(wider) <= 0, `${name} is ${wider} pixels too wide`)
              if (name === "Sequence") await page.getByRole("button", { name: "send it" }).click()
            }
            await tab(page, "Sequence")
            await shot(page, `${size}-${colorScheme}`)
          },
          { colorScheme, viewport },
        )
      })
    }
  }
})
