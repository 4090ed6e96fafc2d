import assert from "node:assert/strict"
import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { paste, screenshot, violations } from "./browser.ts"
import { drag, dropOn, fileOf } from "./drop.ts"
import { toBase64, toHex, toHexdump } from "./forms.ts"
import { hex, MAP_REQUEST, NATPMP_MAP_REQUEST } from "./packets.ts"
import { button, capture, markedOffsets, octet, octetsOf, said } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

const title = (page: Page): Promise<string> => page.locator(".source .what").innerText()
const choose = (page: Page, path: string): Promise<void> =>
  page.locator('input[type="file"]').first().setInputFiles(path)

pageSuite("the playground's page, given something to open", ({ onPage }) => {
  test("pasted anywhere, whatever has the focus: each form, and what it was taken for is said", async () => {
    await onPage(async (page) => {
      const digits = toHex(NATPMP_MAP_REQUEST)
      for (const [text, form] of [
        [digits, /^hex digits, 1 packet$/],
        [digits.replaceAll(/../g, "0x$&, "), /hex/],
        [digits.replaceAll(/../g, "\\x$&"), /escape|hex|string/i],
        [`const unsigned char p[] = { ${digits.replaceAll(/../g, "0x$&,")} };`, /array|program|C/i],
        [`packet = b"${digits.replaceAll(/../g, "\\x$&")}"`, /string|program|Python/i],
        [toHexdump(NATPMP_MAP_REQUEST), /xxd|dump/],
        [toBase64(MAP_REQUEST), /base64/],
      ] as const) {
        await button(page, "examples ▾").focus()
        await paste(page, "00 00")
        await page.getByRole("heading", { name: "NAT-PMP external address request, 2 octets" }).waitFor()
        await octet(page, 0).click()
        await paste(page, text)
        await page
          .getByRole("heading", { name: /^(?:NAT-PMP map UDP request, 12|PCP MAP request, 96) octets$/ })
          .waitFor()
        assert.match(await title(page), form, text)
        assert.equal(await octetsOf(page), form.source === "base64" ? toHex(MAP_REQUEST) : digits)
      }
    })
  })

  test("a paste closes the dialog that is open, and one in Replay leads to the packet", async () => {
    await onPage(async (page) => {
      await button(page, "compare").click()
      await page.getByRole("dialog").getByRole("button", { name: "close" }).focus()
      await paste(page, toHex(NATPMP_MAP_REQUEST))
      await page.getByRole("heading", { name: "NAT-PMP map UDP request, 12 octets" }).waitFor()
      assert.equal(await page.getByRole("dialog").count(), 0)
      await button(page, "Replay").click()
      await page.getByRole("tab").first().waitFor()
      await paste(page, toHex(MAP_REQUEST))
      await page.getByRole("heading", { name: "PCP MAP request, 96 octets" }).waitFor()
    })
  })

  test("a paste into a field stays in the field, and one of nothing says so", async () => {
    await onPage(async (page) => {
      await button(page, "compare").click()
      const before = await title(page)
      await page.getByRole("textbox").focus()
      await paste(page, "00 00")
      assert.equal(await title(page), before)
      await page.keyboard.press("Escape")
      await octet(page, 0).click()
      await paste(page, "  ")
      await said(page).getByText("nothing to read was pasted").waitFor()
    })
  })

  test("dragged over, it says that it may be dropped; dropped, text and files are opened", async () => {
    await onPage(async (page) => {
      const dragged = await drag(page, { text: toHex(NATPMP_MAP_REQUEST) })
      await page.locator("html[data-dropping]").waitFor()
      await screenshot(page, "dropping")
      assert.deepEqual(await violations(page), [])
      await dragged.drop()
      await page.getByText("hex digits, 1 packet", { exact: true }).waitFor()
      assert.equal(await page.locator("html[data-dropping]").count(), 0)

      await dropOn(page, { files: [fileOf("office.pcap", capture(6))] })
      await page.getByText(/^office\.pcap: pcap/).waitFor()
      await page.getByRole("grid", { name: "Packets" }).getByRole("row").nth(6).waitFor()
      await dropOn(page, { files: [fileOf("one.txt", toHexdump(MAP_REQUEST)), fileOf("two.txt", "00 00")] })
      await page.getByText(/^one\.txt: /).waitFor()
      await said(page).getByText("only one.txt is opened, of 2 files").waitFor()
      assert.equal(await page.locator(".packets").count(), 0)
    })
  })

  test("a session's file, dropped or pasted, is replayed; one that is not sound says why", async () => {
    await onPage(async (page) => {
      await button(page, "Replay").click()
      const download = page.waitForEvent("download")
      await button(page, "save").click()
      const path = await (await download).path()
      const heading = await page.locator(".rv-title h2").innerText()
      await button(page, "Inspect").click()
      const text = readFileSync(path, "utf8")
      await dropOn(page, { files: [fileOf("again.json", text)] })
      await page.getByRole("heading", { name: heading }).waitFor()
      await button(page, "Inspect").click()
      await octet(page, 0).click()
      await paste(page, text)
      await page.getByRole("heading", { name: heading }).waitFor()
      await button(page, "Inspect").click()
      await dropOn(page, { files: [fileOf("bad.json", '{"steps": 7}')] })
      await said(page)
        .getByText(/^bad\.json is no sound session: /)
        .waitFor()
    })
  })

  test("100,000 packets: the page works on while a worker reads, checks and hands over in parts", async () => {
    await onPage(async (page) => {
      const before = await title(page)
      await page.evaluate(`
        window.seen = new Set()
        new MutationObserver(() => {
          const bar = document.querySelector(".opening progress")
          if (bar) seen.add(document.querySelector(".opening label").textContent.split(" ")[0] + " " + bar.value)
        }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })`)
      const path = fileOf("big.pcap", capture(100_000))
      await choose(page, path)
      await page.getByRole("progressbar").waitFor()
      await octet(page, 20).click()
      assert.equal((await markedOffsets(page)).length, 16)
      assert.equal(await title(page), before, "what was open stays until the other is there")
      assert.deepEqual(await violations(page), [])
      await page.getByText(/^big\.pcap: pcap.*100000 packets/).waitFor()
      assert.equal(await page.getByRole("progressbar").count(), 0)
      const found: unknown = await page.evaluate("[...seen]")
      assert.ok(Array.isArray(found))
      const seen = found.map(String)
      const listing = new Set(seen.filter((one) => one.startsWith("listing")))
      assert.ok(listing.size >= 20, `${listing.size} parts were seen to come`)
      assert.ok(seen.some((one) => one.startsWith("checking")))
    })
  })

  test("stopped, nothing changes; and whatever comes later takes the place of what is still being read", async () => {
    await onPage(async (page) => {
      const before = await title(page)
      const big = fileOf("big.pcap", capture(100_000))
      await choose(page, big)
      await button(page, "stop").click()
      await page.getByText("big.pcap was not read to its end").waitFor()
      assert.equal(await title(page), before)

      // Twice the same, then something small: the last is what is open, and stays so.
      await dropOn(page, { files: [big] })
      await dropOn(page, { files: [big] })
      await page.getByRole("progressbar").waitFor()
      await octet(page, 0).click()
      await paste(page, toHex(NATPMP_MAP_REQUEST))
      await page.getByText("hex digits, 1 packet", { exact: true }).waitFor()
      assert.equal(await page.getByRole("progressbar").count(), 0)
      await choose(page, fileOf("last.pcap", capture(4)))
      await page.getByText(/^last\.pcap/).waitFor()
      await choose(page, big)
      await button(page, "examples ▾").click()
      await page.getByRole("dialog").getByRole("button").nth(2).click()
      assert.equal(await page.getByRole("progressbar").count(), 0)
    })
  })

  test("files that lie, are cut, packed or enormous: what was not read is said, and where", async () => {
    const whole = capture(4)
    const cut = whole.subarray(0, whole.length - 7)
    const long = whole.slice()
    // The second record says that it has 4 GB.
    new DataView(long.buffer).setUint32(24 + 16 + 28 + MAP_REQUEST.length + 8, 0xffffffff)
    const pcapng = hex("0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c 00000006 7ffffffc 00000000")
    const zeros = fileOf("zeros.bin", "")
    const handle = openSync(zeros, "r+")
    ftruncateSync(handle, 500_000_000)
    closeSync(handle)
    const bomb = new Uint8Array(24 + 16 * 200_000)
    bomb.set(whole.subarray(0, 24))
    await onPage(async (page) => {
      for (const [name, path, words] of [
        ["cut.pcap", fileOf("cut.pcap", cut), /warning: .* — octet \d+/],
        ["long.pcap", fileOf("long.pcap", long), /(?:warning|error): .* — octet \d+/],
        ["cut.pcapng", fileOf("cut.pcapng", pcapng), /(?:warning|error): .* — octet 28/],
        ["empty.pcap", fileOf("empty.pcap", ""), /error: there is nothing in it/],
        [
          "packed.gz",
          fileOf("packed.gz", hex("1f 8b 08 00 00 00 00 00 00 03 4b 4c 4a 06 00 c2 41 24 35 03 00 00 00")),
          /error: .*unpack/,
        ],
        ["bomb.pcap", fileOf("bomb.pcap", bomb), /200000 packets left out/],
        ["zeros.bin", zeros, /error: neither a capture nor text nor a message: octet 0x00 is no text.* — octet 0/],
        [
          "noise.bin",
          fileOf(
            "noise.bin",
            Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >>> 5),
          ),
          /error: /,
        ],
        ["nul.txt", fileOf("nul.txt", `00 01${"\0".repeat(100_000)}`), /error: /],
      ] as const) {
        await choose(page, path)
        await page.locator(".source .what", { hasText: name }).waitFor()
        assert.match(await page.locator(".unread").innerText(), words, name)
        assert.equal(await page.getByRole("progressbar").count(), 0)
      }
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "unread")
      await dropOn(page, { files: [fileOf("x", "").replace(/\/x$/, "")] })
      await said(page)
        .getByText(/cannot be read/)
        .waitFor()
    })
  })
})
