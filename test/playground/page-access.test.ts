/** Whoever has no pointer, no sight, no patience with motion or little room: every state of the Inspector. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { paste, screenshot, violations } from "./browser.ts"
import { troubled } from "./captures.ts"
import { fileOf } from "./drop.ts"
import { button, octet, octetsOf, treeItem } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

/** Each state by a name: how to come there from the page as it opens. */
const STATES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  first: async () => undefined,
  findings: async (page) => {
    await octet(page, 65).click()
    await page.keyboard.type("21")
    await page.locator(".finding").first().click()
  },
  editing: async (page) => {
    await treeItem(page, /^Requested Lifetime/).dblclick()
    await page.getByLabel("New value of Requested Lifetime").fill("soon")
    await page.keyboard.press("Enter")
    await page.getByRole("alert").waitFor()
  },
  list: async (page) => {
    await page.locator('input[type="file"]').first().setInputFiles(fileOf("trouble.pcap", troubled()))
    await page.getByText(/^trouble\.pcap/).waitFor()
    await page.getByRole("searchbox").fill("response bogus")
    await page.getByText("5 of 12").waitFor()
    if (await page.locator(".about:not([open])").count()) await page.locator(".about summary").click()
    await page.getByRole("slider").waitFor()
  },
  save: async (page) => {
    await button(page, "save").click()
    await page.getByRole("dialog").waitFor()
  },
  examples: async (page) => {
    await button(page, "examples ▾").click()
    await page.getByRole("dialog").waitFor()
  },
  share: async (page) => {
    await button(page, "share").click()
    await page.locator(".link button:enabled").waitFor()
  },
  build: async (page) => {
    await button(page, "build").click()
    await page.getByLabel("Internal Port, 0 for all").fill("99999")
    await button(page, "add option").click()
    await page.locator(".fault").first().waitFor()
  },
  compare: async (page) => {
    await button(page, "compare").click()
    await page.getByRole("dialog").getByRole("row").nth(2).waitFor()
    await page.getByLabel("equal fields too").check()
  },
  export: async (page) => {
    await button(page, "export ▾").click()
    await button(page, "Hex dump").click()
    await page.getByRole("textbox", { name: "Hex dump" }).waitFor()
  },
  source: async (page) => {
    await button(page, "edit").click()
    await page.getByRole("textbox", { name: /^Packet as text/ }).fill("0201 zz")
    await page.locator(".unread li").first().waitFor()
  },
  nothing: async (page) => {
    await octet(page, 0).click()
    await paste(page, "nothing here")
    await page.locator('.unread [data-severity="error"]').waitFor()
  },
  cut: async (page) => {
    await octet(page, 0).click()
    await paste(page, "02 01 00 00 00 00 1c 20 00 00")
    await page
      .getByText(/hex digits/)
      .first()
      .waitFor()
  },
}

/** Themes are colours and widths are places: each theme is looked at once in full, and each width. */
const LOOKS = {
  "phone, light": { width: 360, height: 780, theme: "light" },
  "laptop, light": { width: 1280, height: 800, theme: "light" },
  "laptop, dark": { width: 1280, height: 800, theme: "dark" },
  "wall, dark": { width: 3840, height: 2160, theme: "dark" },
} as const

/** The element that has the focus, in words: its role or tag, and its name. */
const focused = async (page: Page): Promise<string> =>
  String(
    await page.evaluate(`(() => {
      const { activeElement: it } = document
      const name = it.getAttribute("aria-label") ?? it.labels?.[0]?.textContent ?? it.textContent
      return (it.getAttribute("role") ?? it.tagName.toLowerCase()) + ": " + name.trim().replace(/\\s+/g, " ").slice(0, 60)
    })()`),
  )

/** Presses Tab until what has the focus fits. */
const tabTo = async (page: Page, wanted: RegExp): Promise<void> => {
  const seen: string[] = []
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab")
    const now = await focused(page)
    if (wanted.test(now)) {
      const outline = await page.evaluate(
        "(() => { const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement); return outlineStyle + ' ' + outlineWidth })()",
      )
      assert.match(String(outline), /^(?:solid|auto) [1-9]/, `${now} shows that it has the focus`)
      return
    }
    seen.push(now)
  }
  assert.fail(`${wanted} is not reached by Tab: ${seen.join(" | ")}`)
}

pageSuite("the playground's Inspector, for everybody", ({ onPage, built }) => {
  for (const [look, { width, height, theme }] of Object.entries(LOOKS))
    test(`axe-core finds nothing, and nothing sticks out, in any state: ${look}`, async () => {
      await onPage(
        async (page) => {
          for (const [name, reach] of Object.entries(STATES)) {
            // Another visit: a reload would keep the work.
            await page.goto("about:blank")
            await page.goto(built().url)
            await page.getByRole("grid", { name: "Packets" }).getByRole("row").nth(2).waitFor()
            await reach(page)
            assert.deepEqual(await violations(page), [], name)
            assert.ok(
              Number(await page.evaluate("document.documentElement.scrollWidth")) <= width,
              `${name} sticks out`,
            )
            await screenshot(page, `${name}-${look.replace(", ", "-")}`)
          }
        },
        { width, height, theme },
      )
    })

  test("by keys alone: an example, a field, an octet, a value, undo, an export, a filter, a comparison, a theme", async () => {
    await onPage(async (page) => {
      await page.getByRole("grid", { name: "Packets" }).getByRole("row").nth(2).waitFor()
      await tabTo(page, /^grid: Packets/)
      await page.keyboard.press("End")
      await page.getByRole("heading", { name: /^PCP MAP response/ }).waitFor()
      await page.keyboard.press("Home")
      await page.getByRole("heading", { name: /^PCP MAP request/ }).waitFor()

      await tabTo(page, /^button: examples/)
      await page.keyboard.press("Enter")
      await tabTo(page, /^button: .*PEER/)
      await page.keyboard.press("Enter")
      await page.getByRole("heading", { name: /^PCP PEER request/ }).waitFor()
      assert.match(await focused(page), /^button: examples/, "the focus is back where it was")
      await page.keyboard.press("Enter")
      await page.getByRole("dialog").waitFor()
      await page.keyboard.press("Escape")
      await page.getByRole("dialog").waitFor({ state: "detached" })

      await tabTo(page, /^gridcell: 02, octet 0/)
      await page.keyboard.press("ArrowRight")
      await page.keyboard.press("ArrowDown")
      assert.match(await focused(page), /octet 17/)
      await page.keyboard.press("Home")
      await page.keyboard.press("PageUp")
      for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight")
      const before = await octetsOf(page)
      await page.keyboard.type("0a")
      assert.equal((await octetsOf(page)).slice(8, 10), "0a")
      await page.keyboard.press("Control+z")
      assert.equal(await octetsOf(page), before)
      await page.keyboard.press("Control+Shift+z")
      assert.equal((await octetsOf(page)).slice(8, 10), "0a")
      await page.keyboard.press("Control+z")

      await tabTo(page, /^summary|^gridcell: Requested Lifetime|^gridcell: /)
      await tabTo(page, /^treeitem: /)
      await page.keyboard.press("Home")
      for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown")
      assert.match(await focused(page), /^treeitem: R/)
      await page.keyboard.press("ArrowUp")
      await page.keyboard.press("ArrowUp")
      await page.keyboard.press("ArrowLeft")
      assert.equal(await treeItem(page, /^Request Header/).getAttribute("aria-expanded"), "false")
      await page.keyboard.press("ArrowRight")
      await page.keyboard.press("End")
      await page.keyboard.press("F2")
      await page.keyboard.type("192.0.2.99")
      await page.keyboard.press("Enter")
      assert.match(await octetsOf(page), /ffffc0000263$/)
      await page.keyboard.press("Control+z")

      await tabTo(page, /^select: rules of/)
      await tabTo(page, /^a: RFC/)
      await tabTo(page, /^button: Copy portcontrol/)
      await tabTo(page, /^button: flip a byte/)
      await page.keyboard.press("Enter")
      assert.notEqual(await octetsOf(page), before)
      await page.keyboard.press("Shift+Tab")
      await page.keyboard.press("Shift+Tab")
      await page.keyboard.press("Control+z")
      assert.equal(await octetsOf(page), before)
      await tabTo(page, /^button: compare/)
      await page.keyboard.press("Enter")
      await tabTo(page, /^textarea: /)
      await page.keyboard.press("Control+a")
      await page.keyboard.type("0000")
      await page.getByRole("dialog").getByRole("row").nth(3).waitFor()
      await page.keyboard.press("Escape")
      await tabTo(page, /^button: export/)
      await page.keyboard.press("Enter")
      await tabTo(page, /^button: C array/)
      await page.keyboard.press("Enter")
      await page.getByRole("textbox", { name: "C array" }).waitFor()
      await page.keyboard.press("Escape")
      assert.match(await focused(page), /^button: export/)
      await tabTo(page, /^button: theme/)
      await page.keyboard.press("Enter")
      await page.keyboard.press("Enter")
      await button(page, "theme: dark").waitFor()
      await page.keyboard.press("Shift+Tab")
      await page.keyboard.press("Shift+Tab")
      await page.keyboard.press("Shift+Tab")
      assert.match(await focused(page), /^button: Replay/)
    })
  })

  test("by keys alone in a capture: a filter, the exchange, the drift, saving", async () => {
    await onPage(async (page) => {
      await page.locator('input[type="file"]').first().setInputFiles(fileOf("trouble.pcap", troubled()))
      await page.getByText(/^trouble\.pcap/).waitFor()
      await page.getByRole("slider").waitFor()
      await tabTo(page, /^grid: Packets/)
      await tabTo(page, /^input: Filter packets/)
      await page.keyboard.type("retransmission")
      await page.getByText("3 of 12").waitFor()
      await page.keyboard.press("Control+a")
      await page.keyboard.press("Delete")
      await tabTo(page, /^button: save/)
      await page.keyboard.press("Enter")
      await page.getByRole("dialog").waitFor()
      await page.keyboard.press("Escape")
      await tabTo(page, /^summary: exchange/)
      await page.keyboard.press("Enter")
      await page.keyboard.press("Enter")
      await tabTo(page, /^button: Go to packet 2/)
      await page.keyboard.press("Enter")
      await page.locator("#row-1.chosen").waitFor()
      await tabTo(page, /^slider: Drift/)
      await page.keyboard.press("End")
      await page.locator("#row-11.chosen").waitFor()
    })
  })

  test("what tree, grids and slider say of themselves", async () => {
    await onPage(async (page) => {
      const tree = page.getByRole("tree", { name: "Fields" })
      const items = tree.getByRole("treeitem")
      const [root, header, version] = [items.nth(0), items.nth(1), items.nth(2)]
      const says = async (item: typeof root): Promise<readonly (string | null)[]> =>
        Promise.all(
          ["aria-level", "aria-posinset", "aria-setsize", "aria-expanded"].map((name) => item.getAttribute(name)),
        )
      assert.deepEqual(await says(root), ["1", "1", "1", "true"])
      assert.deepEqual(await says(header), ["2", "1", "3", "true"])
      assert.deepEqual(await says(version), ["3", "1", "6", null])
      for (const name of [/^Octets of/, "Diagram, 32 bits a row", "Packets"]) {
        const grid = page.getByRole("grid", { name })
        assert.ok((await grid.getByRole("row").count()) > 1)
        assert.ok((await grid.getByRole("gridcell").count()) > 4)
      }
      await page.getByRole("grid", { name: "Packets" }).focus()
      await page.keyboard.press("ArrowDown")
      assert.equal(await page.getByRole("grid", { name: "Packets" }).getAttribute("aria-activedescendant"), "row-1")
    })
  })

  test("nothing moves for whoever asked for less motion", async () => {
    await onPage(async (page) => {
      const moving = await page.evaluate(`[...document.querySelectorAll("*")].filter((it) => {
        const { animationName, transitionDuration } = getComputedStyle(it)
        return animationName !== "none" || !/^0s(, 0s)*$/.test(transitionDuration)
      }).length`)
      assert.equal(moving, 0)
    })
  })
})
