/** The built-in client in a browser. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { SKIP } from "./browser.ts"
import { replayPage, shot, tab } from "./replay-page.ts"

describe("The built-in client in a browser", { skip: SKIP }, () => {
  const { onPage } = replayPage()

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

  test("each wait stands beside those of RFC 6887: sections 8.1.1 and 11.2.1 (C-03, C-130)", async () => {
    await onPage(async (page) => {
      await tab(page, "Client")
      await page.getByLabel("loss").fill("100")
      await page.locator(".rv-timings summary").click()
      const rows = page.locator(".rv-timings tbody tr")
      const numbers = async () => {
        const cells: string[][] = []
        for (const row of await rows.all()) cells.push(await row.locator("td").allTextContents())
        return cells.map(([, , waited, range]) => [Number(waited), ...range.split(" to ").map(Number)])
      }
      const lost = await numbers()
      assert.ok(lost.length > 6)
      // RT is 3 s, and then twice the RT before, each time a tenth more or less; 1024 s at most.
      let before = 1.5
      for (const [waited, least, most] of lost) {
        const nominal = Math.min(2 * before, 1024)
        assert.ok(
          Math.abs(least - 0.9 * nominal) < 0.003 && Math.abs(most - 1.1 * nominal) < 0.003,
          `${least} to ${most}`,
        )
        assert.ok(waited >= 0.9 * nominal - 0.003 && waited <= 1.1 * nominal + 0.003, `${waited} s after ${before} s`)
        before = waited
      }
      await page.getByLabel("loss").fill("0")
      await page.getByLabel("jitter").fill("0")
      await page.getByLabel("delay, one way").fill("10")
      const kept = await numbers()
      assert.ok(kept.length >= 4)
      // The first renewal is due between 1/2 and 5/8 of 600 s.
      for (const [waited] of kept) assert.ok(waited >= 299.9 && waited <= 375.1, `${waited} s`)
      await rows.first().getByRole("button").click()
      assert.match((await page.locator(".rv-timeline svg").getAttribute("aria-label")) ?? "", /timeline from 0[45]:/)
    })
  })
})
