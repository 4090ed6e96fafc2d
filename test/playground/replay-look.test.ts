/** How the Replay looks: sizes, themes, accessibility. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { SKIP } from "./browser.ts"
import { faultsOf, replayPage, replayText, scrub, shot, tab, tryPacket } from "./replay-page.ts"
import { answerTo, mapStep, sessionOf } from "./sessions.ts"

describe("The look of Replay", { skip: SKIP }, () => {
  const { onPage } = replayPage()

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [size, viewport] of Object.entries({
      phone: { width: 360, height: 740 },
      wide: { width: 1280, height: 900 },
      "4k": { width: 3840, height: 2160 },
    })) {
      test(`${size}, ${colorScheme}: axe finds no violation in any state, and nothing is wider than the page`, async () => {
        await onPage(
          async (page) => {
            const look = async (name: string) => assert.deepEqual(await faultsOf(page), [], name)
            const take = (name: string) => shot(page, `${size}-${colorScheme}-${name}`)
            await scrub(page, 301_000)
            await look("as it opens")
            await take("sequence")
            await page.getByRole("button", { name: "+ try a packet here" }).click()
            await look("a packet of data to try")
            await page.locator(".rv-attempt select").first().selectOption("MAP")
            await page.getByLabel("add an option").selectOption("FILTER")
            await page.getByLabel("Protocol").first().fill("nothing")
            await page.getByRole("button", { name: "send it" }).click()
            await look("a request to try, with a fault")
            await take("try")
            await page.getByLabel("Protocol").first().fill("TCP")
            await page.getByRole("button", { name: "remove FILTER" }).click()
            await page.getByRole("button", { name: "send it" }).click()
            await page.locator(".rv-branch-names").waitFor()
            await scrub(page, 60_000)
            await tryPacket(page, "host gone", { "internal address": "10.0.0.2" })
            await look("branches")
            await tab(page, "Compare")
            await look("two futures")
            await take("compare")
            await tab(page, "CGN")
            await look("the CGN")
            await page.locator(".rv-switches input:not(:disabled)").first().click()
            await page.getByLabel("external IPv4 addresses").fill("here")
            await look("the CGN, with effects and a fault")
            await take("cgn")
            await tab(page, "Client")
            await page.locator(".rv-timings summary").click()
            await look("the client")
            await take("client")
            await tab(page, "Session text")
            await page.locator("textarea").fill("{")
            await page.getByRole("button", { name: "replay it" }).click()
            await look("a text that is no session")
            await take("text")
            const asked = mapStep(1000, "10.0.0.1", { externalPort: "41000" })
            const answer = answerTo(asked)
            answer[7] ^= 1
            await replayText(page, sessionOf([{ ...asked, answer }], { title: "twins" }))
            await tab(page, "Sequence")
            await page.locator(".rv-finding").click()
            await look("a captured answer beside ours")
            await take("twins")
            await replayText(page, sessionOf([], { title: "" }))
            await tab(page, "Sequence")
            await look("a session without a step")
            await take("empty")
          },
          { colorScheme, viewport },
        )
      })
    }
  }
})
