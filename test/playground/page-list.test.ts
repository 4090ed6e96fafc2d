import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import type { Locator, Page } from "playwright-core"
import { onPath } from "../package/run.ts"
import { screenshot, violations } from "./browser.ts"
import { troubled } from "./captures.ts"
import { fileOf } from "./drop.ts"
import { button, capture, octet, said } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

const choose = async (page: Page, name: string, content: Uint8Array): Promise<Locator> => {
  await page.locator('input[type="file"]').first().setInputFiles(fileOf(name, content))
  await page.getByText(new RegExp(`^${name}: pcap`)).waitFor()
  const list = page.getByRole("grid", { name: "Packets" })
  await list.getByRole("row").nth(2).waitFor()
  return list
}

const chosen = (list: Locator): Promise<string> => list.locator(".chosen").innerText()
/** Number of the chosen packet. */
const number = async (list: Locator): Promise<number> => Number((await chosen(list)).split("\n")[0])

const tshark = onPath("tshark")[0]
const NO_TSHARK = tshark === undefined ? "tshark is missing: install Debian's package tshark" : false
if (NO_TSHARK !== false && process.env.CI === "true") throw new Error(NO_TSHARK)

/** A file's source and destination addresses, and the ports that MAP asks for, as Wireshark reads them. */
const fieldsOf = (path: string): readonly (readonly string[])[] => {
  const fields = ["ip.src", "ip.dst", "portcontrol.map.nonce", "portcontrol.map.internal_port", "frame.time_epoch"]
  const { stdout } = spawnSync(
    tshark ?? "",
    ["-r", path, "-T", "fields", ...fields.flatMap((field) => ["-e", field])],
    {
      encoding: "utf8",
    },
  )
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split("\t"))
}

pageSuite("the playground's list of packets", ({ onPage }) => {
  test("an exchange is told: transmissions with their waits, latency, whence the answer came, and its epoch", async () => {
    await onPage(async (page) => {
      const list = await choose(page, "trouble.pcap", troubled())
      const story = page.getByRole("region", { name: "Exchange" })
      assert.match(await story.innerText(), /asked again after 3\.1 s by #2/)
      assert.match(
        await story.innerText(),
        /▲ asked again after 1 s, where 8\.7 to 16 s is the wait, by #4 \(RFC 6887 section 8\.1\.1\)/,
      )
      assert.match(await story.innerText(), /answered after 10 s, 40 ms since the last, by #5/)
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "story")
      const rows = list.getByRole("row")
      assert.match(await rows.nth(4).innerText(), /again 3/)
      assert.match(await rows.nth(6).innerText(), /repeated/)
      assert.match(await rows.nth(7).innerText(), /no answer/)
      assert.match(await rows.nth(10).innerText(), /unasked/)
      for (const i of [2, 3, 4, 5, 6]) assert.match((await rows.nth(i).getAttribute("class")) ?? "", /partner/)
      await button(page, "Go to packet 5").click()
      assert.equal(await number(list), 5)
      await rows.nth(8).click()
      assert.match(await story.innerText(), /answered after 4\.5 ms by #9/)
      assert.match(await story.innerText(), /▲ the answer came from another address/)
    })
  })

  test("a server's drift is plotted, its restarts named, and its points chosen by keys and pointer", async () => {
    await onPage(async (page) => {
      const list = await choose(page, "trouble.pcap", troubled())
      // Two servers answered; one alone often enough to be plotted.
      const plot = page.getByRole("slider", { name: "Drift of the PCP server 10.0.0.254" })
      await plot.waitFor()
      assert.equal(await page.getByRole("slider").count(), 1)
      // 1000 at 10.04 and 10.05 s, 5 at 20.05 s: lost; then 16 ten seconds after: 11 s of its clock are 1 s too many.
      assert.match(
        await page.locator(".drift figcaption").innerText(),
        /4 epoch times, drift at most 1\.0\ss, state lost once, at\s*#10/,
      )
      await plot.focus()
      await page.keyboard.press("Home")
      assert.equal(await number(list), 5)
      assert.equal(await plot.getAttribute("aria-valuetext"), "packet 5 at 10.040 s: epoch time 1000 s, drift 0.0 s")
      await page.keyboard.press("ArrowRight")
      assert.equal(await number(list), 6)
      await page.keyboard.press("PageDown")
      assert.equal(await number(list), 10)
      assert.match((await plot.getAttribute("aria-valuetext")) ?? "", /drift 0\.0 s, state lost$/)
      await page.keyboard.press("End")
      assert.equal(await plot.getAttribute("aria-valuetext"), "packet 12 at 30.050 s: epoch time 16 s, drift 1.0 s")
      assert.equal(await page.evaluate("document.activeElement.getAttribute('role')"), "slider")
      await button(page, "Go to packet 10, state lost").click()
      assert.equal(await number(list), 10)
      const over = page.locator(".u-over")
      const box = await over.boundingBox()
      assert.ok(box !== null)
      await over.click({ position: { x: box.width - 1, y: box.height / 2 } })
      assert.equal(await number(list), 12)
      await button(page, "theme: system").click()
      await button(page, "theme: light").click()
      await page.getByRole("slider").waitFor()
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "drift-dark")
    })
  })

  test("100,000 rows: few are drawn wherever one goes, by keys, by scrolling and by filter", async () => {
    await onPage(async (page) => {
      const list = await choose(page, "big.pcap", capture(100_000))
      const rows = list.getByRole("row")
      const isBounded = async (): Promise<void> => assert.ok((await rows.count()) < 80, `${await rows.count()} rows`)
      await list.focus()
      assert.equal(await list.getAttribute("aria-rowcount"), "100001")
      for (const [key, expected] of [
        ["ArrowDown", 2],
        ["PageDown", 22],
        ["PageDown", 42],
        ["PageUp", 22],
        ["End", 100_000],
        ["ArrowDown", 100_000],
        ["PageUp", 99_980],
        ["Home", 1],
        ["ArrowUp", 1],
      ] as const) {
        await page.keyboard.press(key)
        await list.locator(`#row-${expected - 1}.chosen`).waitFor()
        await page.locator(`[aria-activedescendant="row-${expected - 1}"]`).waitFor()
        await isBounded()
      }
      for (const place of [50_000, 99_000, 3, 77_777]) {
        await list.evaluate((element, top) => element.scrollTo(0, top), place * 28)
        const cell = list.getByRole("gridcell", { name: `${place + 2}`, exact: true })
        await cell.waitFor()
        await isBounded()
        // A capture of pairs: the row is where it says it is.
        const row = list.locator(`#row-${place + 1}`)
        assert.equal(await row.getAttribute("aria-rowindex"), `${place + 3}`)
        const [box, frame] = [await row.boundingBox(), await list.boundingBox()]
        assert.ok(box !== null && frame !== null && box.y > frame.y && box.y < frame.y + frame.height)
      }
      await page.mouse.move(100, 300)
      for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 50_000)
      await isBounded()

      const search = page.getByRole("searchbox")
      await search.pressSequentially("response 10.0.0.254 not port 1")
      await page.getByText("50000 of 100000", { exact: true }).waitFor()
      await list.focus()
      await page.keyboard.press("End")
      await list.locator("#row-99999.chosen").waitFor()
      await isBounded()
      await search.fill("port 2")
      await page.getByText("0 of 100000", { exact: true }).waitFor()
      await search.fill("")
      await page.locator("#packets-title .muted", { hasText: /^100000$/ }).waitFor()
      await list.locator("#row-99999.chosen").waitFor()
      assert.deepEqual(await violations(page), [])
    })
  })

  test("packets are saved as they are now: all, those of the filter, or with other addresses", {
    skip: NO_TSHARK,
  }, async () => {
    await onPage(async (page) => {
      await choose(page, "office.pcap", capture(12))
      const save = async (): Promise<readonly (readonly string[])[]> => {
        const download = page.waitForEvent("download")
        await button(page, "save as pcap").click()
        const fields = fieldsOf((await (await download).path()) ?? "")
        assert.equal(await page.getByRole("dialog").count(), 0)
        return fields
      }
      // Internal port 4242 becomes 1 in the first packet.
      await octet(page, 40).click()
      await page.keyboard.type("0001")
      await button(page, "save").click()
      assert.deepEqual(await violations(page), [])
      const all = await save()
      assert.equal(all.length, 12)
      assert.deepEqual(all[0].slice(0, 2).concat(all[0][3]), ["10.0.0.1", "10.0.0.254", "1"])
      assert.equal(all[3][3], "4242")

      await page.getByRole("searchbox").fill("response")
      await page.getByText("6 of 12").waitFor()
      await button(page, "save").click()
      await screenshot(page, "save")
      await page.getByLabel("the 6 that the filter shows").check()
      const some = await save()
      assert.deepEqual(
        some,
        all.filter((_, i) => i % 2 === 1),
      )

      await button(page, "save").click()
      await page.getByLabel("all 12").check()
      await page.getByLabel(/other addresses/).check()
      const anonymous = await save()
      assert.equal(anonymous.length, 12)
      for (const [i, [source, destination, nonce, port, time]] of anonymous.entries()) {
        const [first, second, ownNonce, ownPort, ownTime] = all[i]
        assert.notEqual(nonce, ownNonce)
        assert.deepEqual([port, time], [ownPort, ownTime])
        // The two shared 24 bits and not the 25th, in 10.0.0.0/8: so do those that stand for them, and both directions agree.
        const bits = (text: string): string =>
          text
            .split(".")
            .map((part) => Number(part).toString(2).padStart(8, "0"))
            .join("")
        const shared = (one: string, other: string): number => {
          let count = 0
          while (count < 32 && bits(one)[count] === bits(other)[count]) count++
          return count
        }
        assert.match(source, /^10\./)
        assert.notDeepEqual([source, destination], [first, second])
        assert.equal(shared(source, destination), shared(first, second))
        const [a, b] = i % 2 === 0 ? [source, destination] : [destination, source]
        assert.deepEqual([a, b], anonymous[0].slice(0, 2))
      }
      await said(page).getByText("12 packets saved").waitFor()
    })
  })

  test("100,000 packets are written under a progress bar, which can be stopped", async () => {
    await onPage(async (page) => {
      await choose(page, "big.pcap", capture(100_000))
      await button(page, "save").click()
      await page.getByLabel(/other addresses/).check()
      await button(page, "save as pcap").click()
      await page.getByRole("progressbar", { name: "written" }).waitFor()
      assert.deepEqual(await violations(page), [])
      await button(page, "stop").click()
      assert.equal(await page.getByRole("progressbar").count(), 0)
      await page.getByLabel(/other addresses/).uncheck()
      const download = page.waitForEvent("download")
      await button(page, "save as pcap").click()
      const saved = readFileSync((await (await download).path()) ?? "")
      // 24 octets of file header; 16 + 20 + 8 of headers each; requests of 96 and responses of 60.
      assert.equal(saved.length, 24 + 100_000 * 44 + 50_000 * (96 + 60))
    })
  })
})
