/** A session's replay in a browser: instants, keys, panels. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { SKIP } from "./browser.ts"
import { clock, mappings, processed, replayFile, replayPage, scrub, tab, textOf, tryPacket } from "./replay-page.ts"
import { mapStep, sessionOf } from "./sessions.ts"

describe("Replay in a browser", { skip: SKIP }, () => {
  const { onPage } = replayPage()

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

  test("ten thousand packets: few rows are drawn, and going back and forth processes none of them again", async () => {
    const steps = Array.from({ length: 10_000 }, (_, i) =>
      mapStep(i * 100, `10.0.${i % 200}.${1 + (i % 50)}`, {
        internalPort: `${1024 + (i % 3000)}`,
        lifetime: "300",
        nonce: i.toString(16).padStart(24, "0"),
      }),
    )
    await onPage(async (page) => {
      await replayFile(page, sessionOf(steps, { title: "ten thousand" }))
      await page.locator(".rv-of", { hasText: "26:39.900" }).waitFor()
      const first = await processed(page)
      assert.ok(first >= 10_000)
      const seen = async (at: number) => {
        await scrub(page, at)
        await page.locator(".rv-row[aria-selected=true]").waitFor()
        return [
          await mappings(page),
          await textOf(page, ".rv-counters"),
          await textOf(page, ".rv-row[aria-selected=true]"),
        ]
      }
      const places = [0, 999_900, 500_000, 12_300, 999_800, 750_000]
      const forth = []
      for (const at of places) forth.push(await seen(at))
      for (const [i, at] of [...places.entries()].toReversed()) assert.deepEqual(await seen(at), forth[i], `at ${at}`)
      assert.equal(await processed(page), first)
      const rows = await page.locator(".rv-row").count()
      assert.ok(rows > 5 && rows < 120, `${rows} rows`)
      assert.ok((await page.locator(".rv-panels tbody tr").count()) <= 200)
      assert.ok(Number(await page.evaluate("document.querySelectorAll('*').length")) < 6000)
      // Another future of it is played from where it parts alone.
      await scrub(page, 999_000)
      await tryPacket(page, "host gone", { "internal address": "10.0.1.2" })
      await page.locator(".rv-branch-names").waitFor()
      const more = (await processed(page)) - first
      assert.ok(more > 0 && more < 20, `${more} requests processed`)
    })
  })

  test("it plays at the speed that is chosen, and stops where it is told or at its end", async () => {
    await onPage(async (page) => {
      await page.clock.install({ time: 0 })
      await page.clock.pauseAt(1000)
      await page.getByRole("button", { name: "play" }).click()
      await page.getByLabel("speed").selectOption("10")
      // The frames of the page come every 16 ms of its clock; the first tells when it began.
      await page.clock.runFor(2016)
      const at = async () => {
        const [minutes, seconds] = ((await clock(page)) ?? "").split(":").map(Number)
        return 60_000 * minutes + 1000 * seconds
      }
      const reached = await at()
      assert.ok(reached >= 19_000 && reached <= 21_000, `${reached} ms`)
      await page.getByRole("button", { name: "pause" }).click()
      const stopped = await at()
      await page.clock.runFor(1000)
      assert.equal(await at(), stopped)
      await page.getByLabel("speed").selectOption("0.1")
      await page.getByRole("button", { name: "play" }).click()
      await page.clock.runFor(1000)
      const slow = (await at()) - stopped
      assert.ok(slow >= 60 && slow <= 140, `${slow} ms`)
    })
  })

  test("another kind of CGN while it plays: the instant goes on, the picture is the other one's", async () => {
    await onPage(async (page) => {
      await page.getByLabel("speed").selectOption("20")
      await page.getByRole("button", { name: "play" }).click()
      await page.locator(".rv-row[aria-selected=true]").click()
      await page.getByRole("button", { name: "play" }).click()
      for (const kind of ["dslite", "nat64", "nat46", "nptv6", "firewall4", "firewall6", "l2dslite", "nat444"]) {
        await page.getByLabel("kind of CGN").selectOption(kind)
      }
      await page.getByRole("button", { name: "pause" }).click()
      assert.notEqual(await clock(page), "00:00.000")
      await scrub(page, 60_000)
      // One more than at first: a preset has a greater quota than this session had.
      assert.equal((await mappings(page)).length, 6)
    })
  })

  test("by keys alone: to an instant, to a row, to a port, through the form and the tabs", async () => {
    await onPage(async (page) => {
      const press = async (...keys: readonly string[]) => {
        for (const key of keys) await page.keyboard.press(key)
      }
      const reach = async (what: string) => {
        for (let i = 0; i < 60; i++) {
          await press("Tab")
          const here = String(
            await page.evaluate(
              "(document.activeElement.getAttribute('aria-label') ?? '') + ' ' + document.activeElement.textContent.slice(0, 60)",
            ),
          )
          const ring = await page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle !== 'none' || document.activeElement.matches('input[type=range]')",
          )
          assert.equal(ring, true, `the focus on ${here} is seen`)
          if (here.includes(what)) return
        }
        assert.fail(`${what} is not reached`)
      }
      await reach("step")
      await reach("instant of the session")
      await press("End")
      assert.equal(await clock(page), "15:00.000")
      await press("Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
      await reach("what happened")
      await press("ArrowUp", "Enter")
      await reach("external ports of")
      await press("Home", "ArrowRight")
      assert.match(await textOf(page, ".rv-hover"), /^41000: TCP 10\.0\.0\.1:8080/)
      await page.keyboard.press("Shift+Tab")
      await page.locator(".rv-try").focus()
      await press("Enter")
      await page.locator(".rv-attempt select:focus").waitFor()
      // From a packet of data to a host that goes.
      await press("ArrowDown", "Tab", "Enter")
      await page.locator(".rv-branch-names").waitFor()
      assert.equal(await page.evaluate("document.activeElement.className"), "rv-try", "the focus goes back")
      await page.getByRole("tab", { name: "Sequence" }).focus()
      await press("ArrowRight")
      await page.getByRole("table", { name: "what happened in both" }).waitFor()
      await press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
      assert.equal(await page.getByRole("tab", { name: "Sequence" }).getAttribute("aria-selected"), "true")
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
})
