/** Tests of the built page in Chromium: built and launched once for a file, each test on a page of its own. */
import assert from "node:assert/strict"
import { after, before, describe } from "node:test"
import type { Browser, Page } from "playwright-core"
import { type Built, buildPage, type Look, launch, SKIP, withPage } from "./browser.ts"

export interface Suite {
  /** Opens the page, at `fragment` where one is given, and hands it to `use`. */
  readonly onPage: (use: (page: Page) => Promise<void>, look?: Look, fragment?: string) => Promise<void>
  readonly built: () => Built
  readonly browser: () => Browser
}

export const pageSuite = (name: string, tests: (suite: Suite) => void): void => {
  describe(name, { skip: SKIP }, () => {
    let launched: Browser | undefined
    let page: Built | undefined
    before(async () => {
      page = await buildPage()
      launched = await launch()
    })
    after(async () => {
      await launched?.close()
      await page?.close()
    })
    const built = (): Built => page ?? assert.fail("the page was not built")
    const browser = (): Browser => launched ?? assert.fail("Chromium was not launched")
    tests({
      built,
      browser,
      onPage: (use, look = {}, fragment = "") => withPage(browser(), `${built().url}${fragment}`, look, use),
    })
  })
}
