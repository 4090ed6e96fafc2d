import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { paste, violations } from "./browser.ts"
import { dropOn, fileOf } from "./drop.ts"
import { toHex } from "./forms.ts"
import { MAP_REQUEST, NATPMP_MAP_REQUEST } from "./packets.ts"
import { button, capture, octet, octetsOf } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

/** The page still works: what is pasted now is what is open. */
const works = async (page: Page): Promise<void> => {
  await octet(page, 0).or(page.locator("h1")).first().click()
  await page.evaluate("document.activeElement.blur()")
  await paste(page, toHex(NATPMP_MAP_REQUEST))
  await page.getByRole("heading", { name: "NAT-PMP map UDP request, 12 octets" }).waitFor()
  assert.equal(await octetsOf(page), toHex(NATPMP_MAP_REQUEST))
}

const option = `80 00 ff ff ${"41 ".repeat(500)}`
const ODD: Readonly<Record<string, string>> = {
  "NUL and control characters": "\u0000\u0001\u001b[2J\u0007 02 01",
  "right to left": "\u202e 02 01 00 00 \u202c שלום 02 مرحبا",
  "lone surrogates": "\ud800 02 01 \udc00",
  markup: "<img src=x onerror=alert(1)><script>alert(2)</script> 02 01",
  "an enormous line of hex": "02 01 ".repeat(300_000),
  "an enormous line of something else": "x".repeat(3_000_000),
  "a million line feeds": "\n".repeat(1_000_000),
  "open brackets": "[".repeat(200_000),
  quotes: '"\\x'.repeat(100_000),
  "an option that is longer than its packet": `${toHex(MAP_REQUEST.subarray(0, 60))} ${option}`,
  "hundreds of options": toHex(MAP_REQUEST.subarray(0, 60)) + "02000000".repeat(2000),
  "a session that is none": '{"steps": [[[[[[]]]]]], "configuration": null}',
  "an object without an end": `{"steps": ${"[".repeat(100_000)}`,
}

pageSuite("the playground's page, ill-treated", ({ onPage }) => {
  for (const [name, text] of Object.entries(ODD))
    test(`it takes ${name}, says what it is, and works on`, async () => {
      await onPage(async (page) => {
        const before = await page.locator(".source").innerText()
        await octet(page, 0).click()
        await paste(page, text)
        // The page's policy lets nothing be evaluated in it, so it is asked from outside.
        const isDone = `document.querySelector("progress") === null &&
          (document.querySelector(".source").innerText !== ${JSON.stringify(before)} || document.querySelector(".said").textContent !== "")`
        while (!(await page.evaluate(isDone))) await page.waitForTimeout(20)
        // Thousands of octets take axe-core minutes, and are no other elements than a few.
        if ((await page.locator(".octet").count()) < 500) assert.deepEqual(await violations(page), [])
        assert.equal(await page.locator("img, main script").count(), 0)
        await works(page)
      })
    })

  test("modes, dialogs, drops and pastes all at once: the last is what is open", async () => {
    await onPage(async (page) => {
      const big = fileOf("big.pcap", capture(30_000))
      for (let i = 0; i < 6; i++) {
        await dropOn(page, { files: [big] })
        await button(page, "Replay").click()
        await button(page, "Inspect").click()
        await button(page, "flip a byte").click()
        await button(page, "share").click()
        await page.keyboard.press("Escape")
        await dropOn(page, { text: `0${i % 2} 00` })
        await button(page, "Replay").click()
        await button(page, "Inspect").click()
        await page.evaluate("for (let i = 0; i < 40; i++) dispatchEvent(new Event('resize'))")
      }
      await works(page)
      assert.equal(await page.getByRole("progressbar").count(), 0)
    })
  })

  test("a hundred edits, undone and done again, by keys held down", async () => {
    await onPage(async (page) => {
      const before = await octetsOf(page)
      await octet(page, 0).click()
      await page.keyboard.type("a5".repeat(100))
      const after = await octetsOf(page)
      assert.equal(after, "a5".repeat(100))
      for (let i = 0; i < 105; i++) await page.keyboard.press("Control+z")
      assert.equal(await octetsOf(page), before)
      for (let i = 0; i < 105; i++) await page.keyboard.press("Control+y")
      assert.equal(await octetsOf(page), after)
      await works(page)
    })
  })
})
