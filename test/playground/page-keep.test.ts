import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { paste, screenshot, violations } from "./browser.ts"
import { fileOf } from "./drop.ts"
import { toHex } from "./forms.ts"
import { MAP_REQUEST, NATPMP_MAP_REQUEST } from "./packets.ts"
import { button, capture, octet, octetsOf, said } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

/** Everything in which a page can store anything, as a list of what is there. */
const stored = async (page: Page): Promise<unknown> =>
  page.evaluate(`(async () => [
    ...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie,
    ...(await indexedDB.databases()).map(({ name }) => name), ...(await caches.keys()),
    ...(await navigator.serviceWorker?.getRegistrations() ?? []), window.name,
  ].filter((one) => one !== ""))()`)

const reload = async (page: Page): Promise<void> => {
  await page.reload()
  await page.locator("h1").waitFor()
}

const link = async (page: Page): Promise<string> => {
  await button(page, "share").click()
  await page.locator(".link button:enabled").waitFor()
  const href = await page.getByRole("textbox", { name: "Link" }).inputValue()
  await page.keyboard.press("Escape")
  return href.slice(href.indexOf("#"))
}

pageSuite("the playground's page, left and come back to", ({ onPage }) => {
  test("a reload keeps packets, edits, the chosen packet, text and theme; nothing is stored, and the address says nothing", async () => {
    await onPage(async (page) => {
      await page
        .locator('input[type="file"]')
        .first()
        .setInputFiles(fileOf("office.pcap", capture(6)))
      const list = page.getByRole("grid", { name: "Packets" })
      await list.getByRole("row").nth(3).click()
      await octet(page, 40).click()
      await page.keyboard.type("0001")
      await button(page, "theme: system").click()
      const before = await octetsOf(page)
      assert.equal(before.slice(80, 84), "0001")
      await reload(page)
      await page.getByText(/^office\.pcap: pcap/).waitFor()
      await list.getByRole("row").nth(6).waitFor()
      assert.match(await list.locator(".chosen").innerText(), /^3\n/)
      assert.equal(await octetsOf(page), before)
      await button(page, "theme: light").waitFor()
      assert.deepEqual(await stored(page), [])
      assert.ok(!page.url().includes("#"))

      await octet(page, 0).click()
      await paste(page, `  ${toHex(NATPMP_MAP_REQUEST)}  `)
      await button(page, "edit").click()
      await reload(page)
      await button(page, "edit").click()
      assert.equal(
        await page.getByRole("textbox", { name: /^Packet as text/ }).inputValue(),
        `  ${toHex(NATPMP_MAP_REQUEST)}  `,
      )
      assert.deepEqual(await stored(page), [])
    })
    await onPage(async (page) => {
      await page.getByText("MAP with FILTER and DESCRIPTION", { exact: false }).first().waitFor()
      assert.deepEqual(await stored(page), [])
    })
  })

  test("a capture that is too big to be kept is said to be gone after a reload", async () => {
    await onPage(async (page) => {
      await page
        .locator('input[type="file"]')
        .first()
        .setInputFiles(fileOf("big.pcap", capture(5000)))
      await page.getByText(/^big\.pcap: pcap/).waitFor()
      await reload(page)
      await said(page)
        .getByText(/too much to be kept/)
        .waitFor()
      await page.getByRole("tree").waitFor()
    })
  })

  test("a link followed is opened, a reload keeps what became of it, and another link in the same tab is opened", async () => {
    let [first, second] = ["", ""]
    await onPage(async (page) => {
      await octet(page, 0).click()
      await paste(page, toHex(MAP_REQUEST))
      first = await link(page)
      await paste(page, toHex(NATPMP_MAP_REQUEST))
      second = await link(page)
      assert.notEqual(first, second)
    })
    await onPage(
      async (page) => {
        await page.getByText("a packet from a link").waitFor()
        await octet(page, 4).click()
        await page.keyboard.type("77")
        await reload(page)
        assert.equal((await octetsOf(page)).slice(8, 10), "77")
        await page.evaluate(`location.hash = ${JSON.stringify(second)}`)
        await page.getByRole("heading", { name: "NAT-PMP map UDP request, 12 octets" }).waitFor()
        await page.goBack()
        await page.getByRole("heading", { name: "PCP MAP request, 96 octets" }).waitFor()
      },
      {},
      first,
    )
  })

  test("a session's link replays the same session on a fresh page, anonymous if asked", async () => {
    let [plain, anonymous, changes, heading] = ["", "", "", ""]
    const seen = (page: Page): Promise<string> => page.locator(".rv-main").innerText()
    await onPage(async (page) => {
      await button(page, "examples ▾").click()
      await page.getByRole("button", { name: "Two hosts behind one CGN" }).click()
      heading = await page.locator(".rv-title h2").innerText()
      await page.locator(".rv-main").getByText(/MAP/).first().waitFor()
      changes = await seen(page)
      plain = await link(page)
      await button(page, "share").click()
      const field = page.getByRole("textbox", { name: "Link" })
      await page.locator(".link button:enabled").waitFor()
      await page.getByLabel(/other addresses/).check()
      for (anonymous = plain; anonymous === plain; ) {
        await page.waitForTimeout(50)
        const href = await field.inputValue()
        if (href !== "") anonymous = href.slice(href.indexOf("#"))
      }
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "share-session")
    })
    assert.match(plain, /^#1s/)
    await onPage(
      async (page) => {
        await page.getByRole("heading", { name: heading }).waitFor()
        await page.locator(".rv-main").getByText(/MAP/).first().waitFor()
        assert.equal(await seen(page), changes)
        await reload(page)
        await page.getByRole("heading", { name: heading }).waitFor()
        assert.deepEqual(await stored(page), [])
      },
      { ready: ".rv" },
      plain,
    )
    await onPage(
      async (page) => {
        await page.locator(".rv-main").getByText(/MAP/).first().waitFor()
        const text = await seen(page)
        // As many arrows, by the same opcodes and results, between other addresses.
        const words = (all: string): readonly string[] => all.match(/MAP|PEER|ANNOUNCE|SUCCESS|\bok\b/g) ?? []
        assert.deepEqual(words(text), words(changes))
        assert.notEqual(text, changes)
      },
      { ready: ".rv" },
      anonymous,
    )
  })
})
