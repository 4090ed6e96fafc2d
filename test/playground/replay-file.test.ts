/** Sessions as files and text, and captured answers, in a browser. */
import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import type { Page } from "playwright-core"
import { toHex } from "../../core/wire/text/index.ts"
import { PRESETS, readSession, writeSession } from "../../playground/model/session/index.ts"
import { paste, SKIP } from "./browser.ts"
import { faultsOf, mappings, replayPage, replayText, scrub, shot, tab, textOf } from "./replay-page.ts"
import { answerTo, mapStep, sessionOf } from "./sessions.ts"

describe("Sessions opened in a browser", { skip: SKIP }, () => {
  const { onPage, folder } = replayPage()

  test("a captured answer stands beside ours, and a difference is told with both", async () => {
    const asked = mapStep(1000, "10.0.0.1", { externalPort: "41000" })
    const ours = answerTo(asked)
    // The lifetime is in octets 4 to 7 (RFC 6887 section 7.2).
    const other = answerTo(asked)
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
      assert.match(
        await textOf(page, ".rv-twin-findings"),
        /▲ a difference Lifetime: 7201 s \(2 h 1 s\) captured, 7200 s \(2 h\) ours○ another clock Epoch Time/,
      )
      const fields = page.locator(".rv-both tbody tr")
      assert.deepEqual((await fields.allTextContents()).filter((text) => /differs/.test(text)).length, 2)
      assert.match(
        (await fields.allTextContents()).join(),
        /Result CodeSUCCESS \(0\): Success\.SUCCESS \(0\): Success\./,
      )
      await shot(page, "twins")
      await page.getByRole("button", { name: "open the captured one in Inspect" }).click()
      await page.getByRole("button", { name: "open ours in Inspect" }).click()
      assert.equal(
        await page.locator("#opened").textContent(),
        `${toHex(other)};${toHex(ours).replace(/^(.{16}).{8}/, "$100000002")};`,
      )
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
      const file = join(folder, "session.json")
      writeFileSync(file, saved)
      await page.locator("input[type=file]").setInputFiles(file)
      await page.locator(".rv-title h2", { hasText: "by hand" }).waitFor()
      await scrub(page, 5000)
      await tab(page, "Sequence")
      assert.match((await mappings(page)).join(), /^10\.0\.0\.3:8080/)
    })
  })

  /** Drops something on the page, as the pointer does. */
  const drop = (page: Page, data: { readonly name?: string; readonly text: string }) =>
    page.evaluate(`{
      const dataTransfer = new DataTransfer()
      const { name, text } = ${JSON.stringify(data)}
      if (name === undefined) dataTransfer.setData("text/plain", text)
      else dataTransfer.items.add(new File([text], name))
      const event = (type) => new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })
      const place = document.querySelector(".rv-rows") ?? document.body
      if (place.dispatchEvent(event("dragover"))) throw new Error("nothing can be dropped here")
      place.dispatchEvent(event("drop"))
    }`)

  test("a session is dropped or pasted anywhere, as a file or as text; of one that is broken every fault is named", async () => {
    const text = (title: string) => writeSession(sessionOf([mapStep(1000, "10.0.0.7")], { title }))
    const title = (page: Page, name: string) => page.locator(".rv-title h2", { hasText: name }).waitFor()
    await onPage(async (page) => {
      await drop(page, { name: "dropped.json", text: text("a dropped file") })
      await title(page, "a dropped file")
      await drop(page, { text: text("dropped text") })
      await title(page, "dropped text")
      await paste(page, text("pasted"))
      await title(page, "pasted")
      await drop(page, {
        name: "broken.json",
        text: JSON.stringify({
          format: "sallyport-session",
          version: 1,
          configuration: { kind: "nat444", quota: "many", external: ["nowhere"], inside: ["10.0.0.0/99"] },
          steps: [
            { type: "datagram", at: 1e99, source: { address: "10.0.0.1", port: 70000 }, bytes: "0g" },
            { type: "packet", at: 0 },
            { type: "revoke", at: 0, internal: 7 },
          ],
          tries: [{ of: 3, name: "later", step: { type: "announce", at: 0 } }],
          colour: "red",
        }),
      })
      await page.getByRole("alert").waitFor()
      assert.deepEqual(await page.locator(".rv-faults code").allTextContents(), [
        "steps[0].at",
        "steps[0].bytes",
        "steps[0].source.port",
        "steps[1]",
        "steps[2].internal",
        "configuration.external[0]",
        "configuration.quota",
        "configuration.inside[0]",
        "tries[0].of",
      ])
      assert.match(await textOf(page, ".rv-faults"), /there is no member "colour"/)
      assert.equal(await textOf(page, ".rv-title h2"), "pasted", "what was open stays open")
      await page.getByLabel("example").selectOption("home")
      await page.getByRole("alert").waitFor({ state: "detached" })
    })
  })

  test("hostile sessions: no step, one instant for all, out of order, ten years, a configuration that cannot be", async () => {
    await onPage(async (page) => {
      await replayText(page, sessionOf([], { title: "nothing", until: 0 }))
      await tab(page, "Sequence")
      await page.locator(".rv-sequence", { hasText: "Nothing happens" }).waitFor()
      for (const name of ["step", "to the end", "step back", "play"])
        await page.getByRole("button", { name, exact: true }).click()
      assert.equal(await textOf(page, ".rv-clock"), "00:00.000")

      const late = 315_576_000_000
      await replayText(page, sessionOf([mapStep(late, "10.0.0.2"), mapStep(0, "10.0.0.1"), mapStep(0, "10.0.0.3")]))
      await page.getByRole("button", { name: "to the end" }).click()
      assert.equal(await textOf(page, ".rv-clock"), "87660:10:00.000")
      assert.match((await mappings(page)).join(), /^$|10\.0\.0\.2/)
      await page.getByRole("button", { name: "to the start" }).click()
      assert.equal((await mappings(page)).length, 0)
      await tab(page, "Sequence")
      assert.deepEqual((await page.locator(".rv-row").allTextContents()).map((text) => text.slice(0, 9)).slice(0, 2), [
        "00:00.000",
        "00:00.000",
      ])

      // A title that turns what follows around, marks that look like the page's own, and a word without an end.
      const odd = `\u202eevil\u202c <b>x</b> \u0000 ${"w".repeat(160)}`
      const tries = [{ of: 0, name: odd, step: { type: "announce", at: 5 }, after: "rest" }] as const
      await replayText(page, sessionOf([mapStep(0, "10.0.0.1")], { title: odd, note: odd.repeat(9), tries }))
      await page.locator(".rv-branch-names").waitFor()
      assert.equal(await page.locator(".rv b").count(), 0)
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 800 })
        assert.deepEqual(await faultsOf(page), [], `${width} pixels`)
      }

      const ports = { first: 9, last: 5 }
      await replayText(page, sessionOf([mapStep(0, "10.0.0.1")], { configuration: { ...PRESETS.nat444, ports } }))
      assert.match(await textOf(page, ".rv-status"), /This cannot be played: .*9-5/)
      assert.equal(await page.locator(".rv-panels").count(), 0, "nothing of the session before is shown for it")
      await page.getByLabel("example").selectOption("crowd")
      await page
        .locator(".rv-panels")
        .waitFor({ state: "attached" })
        .catch(() => undefined)
      await tab(page, "Sequence")
      await page.locator(".rv-row").first().waitFor()
      assert.equal(await page.locator(".rv-fault").count(), 0)
    })
  })
})
