import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, test } from "node:test"
import { toHex } from "../../core/wire/text/index.ts"
import { GALLERY } from "../../playground/model/gallery/index.ts"
import { paste, screenshot, violations } from "./browser.ts"
import { MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST } from "./packets.ts"
import { button, markedOffsets, octet, octetsOf, range, said, treeItem } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

pageSuite("the playground's page, at work", ({ onPage }) => {
  describe("editing", () => {
    test("a field is typed over in its place, and undo and redo bring both back", async () => {
      await onPage(async (page) => {
        const before = await octetsOf(page)
        await treeItem(page, /^Requested Lifetime/).dblclick()
        const input = page
          .getByRole("combobox", { name: "New value of Requested Lifetime" })
          .or(page.getByRole("textbox", { name: "New value of Requested Lifetime" }))
        await input.fill("soon")
        await page.keyboard.press("Enter")
        assert.match(await page.getByRole("alert").innerText(), /seconds are expected/)
        assert.deepEqual(await violations(page), [])
        await input.fill("1 h")
        await page.keyboard.press("Enter")
        await page.getByRole("treeitem", { name: /^Requested Lifetime ?: 3600 s \(1 h\)$/ }).waitFor()
        assert.equal((await octetsOf(page)).slice(8, 16), "00000e10")
        await page.keyboard.press("Control+z")
        assert.equal(await octetsOf(page), before)
        await page.keyboard.press("Control+y")
        assert.equal((await octetsOf(page)).slice(8, 16), "00000e10")
        await button(page, "undo").click()
        assert.equal(await octetsOf(page), before)
        assert.equal(await button(page, "undo").isDisabled(), true)
        await treeItem(page, /^Internal Port/).click()
        await page.keyboard.press("F2")
        await page.keyboard.press("Escape")
        assert.match(await page.locator(".item:focus").innerText(), /^Internal Port/)
      })
    })

    test("octets are overtyped by two digits, and findings follow", async () => {
      await onPage(async (page) => {
        await octet(page, 65).click()
        await page.keyboard.type("21")
        assert.equal((await octetsOf(page)).slice(130, 132), "21")
        assert.equal(await octet(page, 66).getAttribute("tabindex"), "0")
        const finding = page.locator(".finding", { hasText: "error" }).first()
        assert.match(await finding.innerText(), /Prefix/)
        await octet(page, 0).click()
        await finding.click()
        assert.deepEqual(await markedOffsets(page), [65])
        assert.deepEqual(await violations(page), [])
        await screenshot(page, "finding")
      })
    })

    test("a random octet is flipped, and comparing with what it was shows where", async () => {
      await onPage(async (page) => {
        const before = await octetsOf(page)
        await button(page, "flip a byte").click()
        const now = await octetsOf(page)
        const differing = range(0, 100).filter((i) => now.slice(2 * i, 2 * i + 2) !== before.slice(2 * i, 2 * i + 2))
        assert.equal(differing.length, 1)
        await button(page, "compare").click()
        const dialog = page.getByRole("dialog")
        assert.match(await dialog.innerText(), new RegExp(`; octet ${differing[0]}\\.`))
        assert.deepEqual(await violations(page), [])
        await dialog.getByRole("textbox").fill(toHex(MAP_RESPONSE))
        await dialog.getByRole("row").nth(3).waitFor()
        await screenshot(page, "compare")
        await page.keyboard.press("Escape")
        assert.equal(await dialog.count(), 0)
      })
    })

    test("what is said of an edit goes when another packet is shown, of the same capture or a new one", async () => {
      await onPage(async (page) => {
        const flip = async (): Promise<void> => {
          await button(page, "flip a byte").click()
          await said(page).getByText(/\w/).waitFor()
        }
        await flip()
        await paste(page, [MAP_REQUEST, MAP_RESPONSE].map((bytes) => toHex(bytes)).join("\n\n"))
        await page.getByText("2 packets").first().waitFor()
        assert.equal(await said(page).innerText(), "")
        await flip()
        await page.getByRole("row").nth(2).click()
        await page.getByRole("treeitem", { name: /^Assigned External Port/ }).waitFor()
        assert.equal(await said(page).innerText(), "")
      })
    })

    test("a packet is built from a form, with options and faults by entry", async () => {
      await onPage(async (page) => {
        await button(page, "build").click()
        const dialog = page.getByRole("dialog")
        await dialog.getByLabel("Internal Port, 0 for all").fill("99999")
        assert.match(await dialog.locator(".fault").innerText(), /99999 is more than 65535/)
        assert.equal(await button(page, "build it").isDisabled(), true)
        await dialog.getByLabel("Internal Port, 0 for all").fill("4242")
        await dialog.getByLabel("Lifetime").fill("1 h")
        await dialog.getByLabel("Option", { exact: true }).selectOption("PREFER_FAILURE")
        await button(page, "add option").click()
        assert.deepEqual(await violations(page), [])
        await screenshot(page, "build")
        await button(page, "build it").click()
        // RFC 6887 sections 11.1 and 13.2: 24 + 36 + 4 octets.
        await page.getByRole("heading", { name: "PCP MAP request, 64 octets" }).waitFor()
        const digits = await octetsOf(page)
        assert.equal(digits.slice(8, 16), "00000e10")
        assert.equal(digits.slice(80, 84), "1092")
        assert.equal(digits.slice(120), "02000000")
        await page.keyboard.press("Control+z")
        await page.getByRole("heading", { name: "PCP MAP request, 100 octets" }).waitFor()
      })
    })

    test("profile and direction change what is found", async () => {
      await onPage(async (page) => {
        await page.getByText("no findings").waitFor()
        await page.getByLabel("going").selectOption("towards the client")
        assert.match(await page.locator(".findings").innerText(), /R/)
        assert.notEqual(await page.locator("#findings-title").innerText(), "no findings")
        await page.getByLabel("going").selectOption("either way")
        await page.getByLabel("rules of").selectOption("firewall6")
        assert.notEqual(await page.locator("#findings-title").innerText(), "no findings")
      })
    })
  })

  describe("taking away", () => {
    test("the packet is exported as text that is copied, and as a file", async () => {
      await onPage(async (page) => {
        await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
        await paste(page, toHex(NATPMP_MAP_REQUEST))
        await button(page, "export ▾").click()
        await button(page, "C array").click()
        await page.getByText("C array copied").waitFor()
        assert.match(
          String(await page.evaluate("navigator.clipboard.readText()")),
          /0x00, 0x01, 0x00, 0x00, 0x10, 0x92/,
        )
        assert.deepEqual(await violations(page), [])
        await button(page, "sallyport decode").click()
        await page.getByText("sallyport decode copied").waitFor()
        const download = page.waitForEvent("download")
        await button(page, "pcap file").click()
        const saved = readFileSync((await (await download).path()) ?? "")
        assert.equal(saved.readUInt32BE(0), 0xa1b23c4d)
        assert.deepEqual(new Uint8Array(saved.subarray(-12)), NATPMP_MAP_REQUEST)
        await page.keyboard.press("Escape")
        assert.equal(await page.locator(".menu").count(), 0)
      })
    })

    test("a link holds the packet, or one with other addresses; it is kept in the address only when asked", async () => {
      let [link, anonymous] = ["", ""]
      await onPage(async (page) => {
        await paste(page, toHex(MAP_REQUEST))
        await button(page, "share").click()
        const field = page.getByRole("textbox", { name: "Link" })
        await page.locator(".link button:enabled").waitFor()
        link = await field.inputValue()
        assert.deepEqual(await violations(page), [])
        await screenshot(page, "share")
        await page.getByLabel(/other addresses/).check()
        for (anonymous = link; anonymous === link; anonymous = await field.inputValue()) await page.waitForTimeout(50)
        assert.ok(!page.url().includes("#"))
        await page.getByLabel(/keep the packet/).check()
        await page.waitForURL(/#1p/)
        await page.keyboard.press("Escape")
        await octet(page, 4).click()
        const kept = page.url()
        await page.keyboard.type("77")
        await page.waitForURL((url) => url.href !== kept)
        await page.reload()
        await page.getByText("hex digits, 1 packet").waitFor()
        assert.equal((await octetsOf(page)).slice(8, 10), "77")
        assert.equal(await page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length"), 0)
      })
      await onPage(
        async (page) => {
          await page.getByText("a packet from a link").waitFor()
          assert.equal(await octetsOf(page), toHex(MAP_REQUEST))
        },
        {},
        link.slice(link.indexOf("#")),
      )
      await onPage(
        async (page) => {
          await page.getByText("a packet from a link").waitFor()
          const digits = await octetsOf(page)
          assert.equal(digits.slice(0, 16), toHex(MAP_REQUEST).slice(0, 16))
          assert.notEqual(digits, toHex(MAP_REQUEST))
        },
        {},
        anonymous.slice(anonymous.indexOf("#")),
      )
      await onPage(
        async (page) => {
          await said(page)
            .getByText(/^This link cannot be opened/)
            .waitFor()
        },
        {},
        "#1p1broken",
      )
    })
  })

  test("every example of packets opens from the menu", async () => {
    await onPage(async (page) => {
      await button(page, "examples ▾").click()
      await page.getByRole("dialog").waitFor()
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "examples")
      await page.keyboard.press("Escape")
      for (const example of GALLERY) {
        if (example.kind !== "packets") continue
        await button(page, "examples ▾").click()
        await page.getByRole("dialog").getByRole("button", { name: example.title, exact: true }).first().click()
        await page.locator(".source .what", { hasText: example.title }).waitFor()
      }
    })
  })

  test("the theme is chosen by a button, and the modes by the navigation", async () => {
    await onPage(async (page) => {
      const surface = (): Promise<unknown> => page.evaluate("getComputedStyle(document.body).backgroundColor")
      const light = await surface()
      await button(page, "theme: system").click()
      assert.equal(await surface(), light)
      await button(page, "theme: light").click()
      assert.notEqual(await surface(), light)
      assert.deepEqual(await violations(page), [])
      await button(page, "Replay").click()
      assert.equal(await button(page, "Replay").getAttribute("aria-current"), "page")
      assert.equal(await page.getByRole("tree", { name: "Fields" }).count(), 0)
    })
  })
})
