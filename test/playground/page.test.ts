import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { describe, test } from "node:test"
import { toHex } from "../../core/wire/text/index.ts"
import { gzipped } from "../size/bundle.ts"
import { paste, screenshot, violations } from "./browser.ts"
import { hex, MAP_REQUEST, NATPMP_MAP_REQUEST } from "./packets.ts"
import { button, capture, markedOffsets, octet, octetsOf, range, texts, treeItem } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

pageSuite("the playground's page", ({ built, browser, onPage }) => {
  describe("as it is built", () => {
    test("the first paint needs less than 100 kB of JavaScript, gzipped", () => {
      const folder = built().folder
      const html = readFileSync(join(folder, "index.html"), "utf8")
      const scripts = [...html.matchAll(/(?:src|href)="(\.\/assets\/[^"]+\.js)"/g)].map(([, path]) => path)
      assert.ok(scripts.length > 0)
      const size = scripts.reduce((sum, path) => sum + gzipped(readFileSync(join(folder, path), "utf8")), 0)
      assert.ok(size < 100_000, `${size} octets`)
    })

    for (const at of ["url", "file"] as const)
      test(`its policy lets it connect to nobody: ${at}`, async () => {
        const context = await browser().newContext()
        const page = await context.newPage()
        const asked: string[] = []
        const listener = createServer((request, response) => {
          asked.push(request.url ?? "")
          response.end()
        })
        await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
        const address = listener.address()
        assert.ok(typeof address === "object" && address !== null)
        const host = `127.0.0.1:${address.port}`
        await page.goto(built()[at])
        await page.getByRole("tree").waitFor()
        const refused = await page.evaluate(`(async () => {
          const refused = []
          document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective))
          await fetch("http://${host}/").catch(() => {})
          try { new WebSocket("ws://${host}/") } catch {}
          try { new EventSource("http://${host}/") } catch {}
          navigator.sendBeacon("http://${host}/", "x")
          const add = (name, more) => document.body.append(Object.assign(document.createElement(name), more))
          add("img", { src: "http://${host}/x.png" })
          add("script", { src: "http://${host}/x.js" })
          add("script", { textContent: "window.injected = true" })
          add("iframe", { src: "http://${host}/" })
          await new Promise((resolve) => setTimeout(resolve, 300))
          return [...new Set(refused)].sort().concat(String(window.injected))
        })()`)
        assert.deepEqual(refused, ["connect-src", "frame-src", "img-src", "script-src-elem", "undefined"])
        assert.deepEqual(asked, [])
        await context.close()
        listener.close()
      })

    test("from a disk the page is one file, and the other one leads to it", async () => {
      const context = await browser().newContext({ offline: true })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on("console", (message) => complaints.push(message.text()))
      page.on("pageerror", (error) => complaints.push(error.message))
      await page.goto(built().splitFile)
      await page.waitForURL(built().file)
      await page.getByRole("tree").waitFor()
      await paste(page, "00 01 00 00 10 92 9c 40 00 00 0e 10")
      await page.getByRole("heading", { name: "NAT-PMP map UDP request, 12 octets" }).waitFor()
      await button(page, "Replay").click()
      await button(page, "Inspect").click()
      assert.deepEqual(complaints, [])
      await context.close()
    })
  })

  const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 360, height: 780 } } as const
  for (const theme of ["light", "dark"] as const)
    for (const size of ["desktop", "phone"] as const)
      test(`a worked example is open at first sight, and axe-core finds nothing: ${size}, ${theme}`, async () => {
        await onPage(
          async (page) => {
            await page.getByRole("heading", { name: "PCP MAP request, 100 octets" }).waitFor()
            await page.getByRole("grid", { name: "Packets" }).getByRole("row").nth(2).waitFor()
            assert.deepEqual(await violations(page), [])
            await screenshot(page, `first-${size}-${theme}`)
            await treeItem(page, /^Prefix Length/).click()
            await screenshot(page, `field-${size}-${theme}`)
            assert.deepEqual(await violations(page), [])
            const width = await page.evaluate("document.documentElement.scrollWidth")
            assert.ok(Number(width) <= SIZES[size].width, `${width} px`)
          },
          { ...SIZES[size], theme },
        )
      })

  for (const [width, height] of [
    [768, 1024],
    [1100, 700],
    [3840, 2160],
  ] as const)
    test(`it fits ${width} by ${height} pixels`, async () => {
      await onPage(
        async (page) => {
          await page.getByRole("grid", { name: "Packets" }).waitFor()
          await screenshot(page, `first-${width}`)
          assert.ok(Number(await page.evaluate("document.documentElement.scrollWidth")) <= width)
        },
        { width, height },
      )
    })

  describe("linked views", () => {
    test("what the pointer is over in one is marked in the others", async () => {
      await onPage(async (page) => {
        await octet(page, 20).hover()
        assert.deepEqual(await markedOffsets(page), range(8, 24))
        assert.match(await page.locator(".item[data-marked]").first().innerText(), /^PCP Client's IP/)
        assert.match((await texts(page.locator(".box[data-marked]")))[0], /^PCP Client's IP Address/)
        await treeItem(page, /^Mapping Nonce/).hover()
        assert.deepEqual(await markedOffsets(page), range(24, 36))
        await page.getByRole("gridcell", { name: /^Protocol ?: TCP/ }).hover()
        assert.deepEqual(await markedOffsets(page), [36])
        await treeItem(page, /^Request Header/).hover()
        assert.deepEqual(await markedOffsets(page), range(0, 24))
      })
    })

    test("down to bits: R and the opcode share an octet", async () => {
      await onPage(async (page) => {
        await treeItem(page, /^R ?:/).click()
        assert.deepEqual(await markedOffsets(page), [1])
        const parts = page.locator(".part[data-marked]")
        assert.equal(await parts.count(), 1)
        assert.match((await parts.getAttribute("style")) ?? "", /flex-grow: 1;/)
        const box = await octet(page, 1).boundingBox()
        assert.ok(box !== null)
        await octet(page, 1).click({ position: { x: box.width - 4, y: 10 } })
        assert.equal(await treeItem(page, /^Opcode/).getAttribute("aria-selected"), "true")
        await octet(page, 1).click({ position: { x: 1, y: 10 } })
        assert.equal(await treeItem(page, /^R ?:/).getAttribute("aria-selected"), "true")
      })
    })

    test("keys move in the octets, in the diagram and in the tree", async () => {
      await onPage(async (page) => {
        await octet(page, 0).click()
        await page.keyboard.press("ArrowDown")
        assert.equal(await octet(page, 16).getAttribute("tabindex"), "0")
        assert.equal(await treeItem(page, /^PCP Client's/).getAttribute("aria-selected"), "true")
        await page.keyboard.press("End")
        assert.equal(await treeItem(page, /^Mapping Nonce/).getAttribute("aria-selected"), "true")
        await page.keyboard.press("PageUp")
        assert.equal(await treeItem(page, /^Version/).getAttribute("aria-selected"), "true")

        await page.getByRole("gridcell", { name: /^Version ?: / }).click()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        assert.deepEqual(await markedOffsets(page), [1])
        await page.keyboard.press("ArrowDown")
        assert.deepEqual(await markedOffsets(page), range(4, 8))
        await page.keyboard.press("ArrowDown")
        assert.deepEqual(await markedOffsets(page), range(8, 24))

        await treeItem(page, /^Request Header/).click()
        await page.keyboard.press("ArrowLeft")
        assert.equal(await treeItem(page, /^Request Header/).getAttribute("aria-expanded"), "false")
        assert.equal(await page.getByRole("treeitem", { name: /^Version/ }).count(), 0)
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        assert.equal(await treeItem(page, /^Version/).getAttribute("aria-selected"), "true")
        await page.keyboard.press("End")
        assert.equal(await treeItem(page, /^Padding/).getAttribute("aria-selected"), "true")
        assert.equal(await page.locator('.tree [tabindex="0"]').count(), 1)
        assert.equal(await page.locator('.octets [tabindex="0"]').count(), 1)
        // A folded group opens when something in it is chosen elsewhere.
        await treeItem(page, /^PCP Options/).click()
        await page.keyboard.press("ArrowLeft")
        await octet(page, 61).click()
        assert.equal(await treeItem(page, /^PCP Options/).getAttribute("aria-expanded"), "true")
      })
    })

    test("of the chosen field there are its number, its registry, its clause, both addresses and Wireshark's name", async () => {
      await onPage(async (page) => {
        await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
        const details = page.locator(".details")
        await treeItem(page, /^Remote Peer IP Address/).click()
        assert.match(await details.innerText(), /198\.51\.100\.0 · ::ffff:198\.51\.100\.0/)
        await treeItem(page, /^Opcode/).click()
        assert.match(await details.innerText(), /PCP Opcodes, number 1/)
        assert.equal(
          await details.getByRole("link").getAttribute("href"),
          "https://www.rfc-editor.org/rfc/rfc6887#section-7.1",
        )
        await button(page, "Copy portcontrol.opcode").click()
        await page.getByText("portcontrol.opcode copied").waitFor()
        assert.equal(await page.evaluate("navigator.clipboard.readText()"), "portcontrol.opcode")
      })
    })
  })

  describe("what is pasted and dropped", () => {
    test("it says what it took it for, and lists several packets", async () => {
      await onPage(async (page) => {
        await paste(page, `${toHex(MAP_REQUEST)}\n`)
        await page.getByText("hex digits, 1 packet", { exact: true }).waitFor()
        assert.equal(await page.locator(".packets").count(), 0)
        assert.equal(await octetsOf(page), toHex(MAP_REQUEST))
        await paste(page, "there is nothing here")
        await page.locator('.unread [data-severity="error"]').waitFor()
        assert.match(await page.locator(".unread").innerText(), /error: .*paste hex digits/)
        assert.deepEqual(await violations(page), [])
      })
    })

    test("the text can be edited, and both sides follow", async () => {
      await onPage(async (page) => {
        await button(page, "edit").click()
        const area = page.getByRole("textbox", { name: /^Packet as text/ })
        assert.match(await area.inputValue(), /^0+ +02 01/)
        await area.fill(toHex(NATPMP_MAP_REQUEST))
        await page.getByRole("heading", { name: "NAT-PMP map UDP request, 12 octets" }).waitFor()
        assert.deepEqual(await violations(page), [])
      })
    })

    test("a capture is dropped: rows, pairs, latency, retransmissions, a filter, and the epoch's drift", async () => {
      await onPage(async (page) => {
        await page.locator('input[type="file"]').setInputFiles({
          name: "office.pcap",
          mimeType: "application/octet-stream",
          buffer: Buffer.from(capture(12)),
        })
        await page.getByText(/^office\.pcap: pcap/).waitFor()
        const rows = page.getByRole("grid", { name: "Packets" }).getByRole("row")
        await rows.nth(12).waitFor()
        await rows.nth(2).click()
        assert.match(await rows.nth(2).innerText(), /MAP ok UDP 4242 → 40001/)
        assert.match(await rows.nth(2).innerText(), /25 ms/)
        assert.match((await rows.nth(1).getAttribute("class")) ?? "", /partner/)
        await page.keyboard.press("End")
        await page.getByRole("heading", { name: /^PCP MAP response/ }).waitFor()
        await page.locator(".drift .u-over").waitFor()
        assert.match(await page.locator(".drift").innerText(), /6 epoch times, drift at most/)
        await page.getByRole("searchbox").fill("response bogus")
        assert.match(await page.locator("#filter-words").innerText(), /not understood: bogus/)
        await page.getByRole("searchbox").fill("response")
        await page.getByText("6 of 12").waitFor()
        assert.deepEqual(await violations(page), [])
        await screenshot(page, "capture")
        // What was drawn of the request is not taken for the answer's.
        assert.equal(await treeItem(page, /^MAP/).getAttribute("aria-expanded"), "true")
        assert.match((await treeItem(page, /^MAP/).getAttribute("class")) ?? "", /group/)
        assert.doesNotMatch((await treeItem(page, /^Epoch Time/).getAttribute("class")) ?? "", /group/)
      })
    })

    test("100,000 packets open in a worker under a progress bar, and few of them are drawn", async () => {
      await onPage(async (page) => {
        const file = { name: "big.pcap", mimeType: "application/octet-stream", buffer: Buffer.from(capture(100_000)) }
        await page.locator('input[type="file"]').setInputFiles(file)
        await page.getByRole("progressbar").waitFor()
        await page.getByText(/^big\.pcap: pcap.*100000 packets/).waitFor()
        assert.equal(await page.getByRole("progressbar").count(), 0)
        const list = page.getByRole("grid", { name: "Packets" })
        await list.focus()
        await page.keyboard.press("End")
        await list.getByRole("gridcell", { name: "100000", exact: true }).waitFor()
        assert.ok((await list.getByRole("row").count()) < 100)
        await page.getByRole("searchbox").fill("request")
        await page.getByText("50000 of 100000").waitFor()
        await screenshot(page, "big-capture")

        await page.locator('input[type="file"]').setInputFiles(file)
        await button(page, "stop").click()
        await page.getByText("big.pcap was not read to its end").waitFor()
      })
    })

    test("files that lie do not freeze it: it says what it could not read", async () => {
      await onPage(async (page) => {
        const whole = capture(4)
        for (const [name, buffer] of [
          ["cut.pcap", whole.subarray(0, whole.length - 7)],
          ["noise.bin", Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919) >>> 5)],
          ["packed.gz", hex("1f 8b 08 00 00 00 00 00 00 03 4b 4c 4a 06 00 c2 41 24 35 03 00 00 00")],
        ] as const) {
          await page
            .locator('input[type="file"]')
            .setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(buffer) })
          await page.locator(".source .what", { hasText: name }).waitFor()
          assert.notEqual(await page.locator(".unread").innerText(), "", name)
        }
        assert.deepEqual(await violations(page), [])
      })
    })
  })
})
