/** Where things are on the page, and captures to drop on it. */
import type { Locator, Page } from "playwright-core"
import { toPcap } from "../../core/wire/text/index.ts"
import { address, MAP_REQUEST, MAP_RESPONSE } from "./packets.ts"

export const octet = (page: Page, offset: number): Locator => page.locator(`.octet[data-offset="${offset}"]`)
export const treeItem = (page: Page, name: RegExp): Locator => page.getByRole("treeitem", { name }).first()
export const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true })
export const texts = (locator: Locator): Promise<readonly string[]> => locator.allInnerTexts()
/** All octets of the page as hex. */
export const octetsOf = async (page: Page): Promise<string> =>
  (await texts(page.locator(".octet"))).join("").replace(/\s/g, "")
export const markedOffsets = async (page: Page): Promise<readonly number[]> => {
  const cells = await page.locator(".octet[data-marked]").all()
  return Promise.all(cells.map(async (cell) => Number(await cell.getAttribute("data-offset"))))
}
export const said = (page: Page): Locator => page.locator(".said")
export const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)

/** A capture of so many packets: MAP requests and their answers 25 ms later, by another nonce each, every second. */
export const capture = (count: number): Uint8Array => {
  const [client, server] = [address("10.0.0.1"), address("10.0.0.254")]
  return toPcap(
    range(0, count).map((i) => {
      const exchange = i >>> 1
      const isAnswer = i % 2 === 1
      const bytes = (isAnswer ? MAP_RESPONSE : MAP_REQUEST).slice()
      const view = new DataView(bytes.buffer)
      view.setUint32(24, exchange)
      if (isAnswer) view.setUint32(8, 1000 + exchange)
      return {
        bytes,
        source: isAnswer ? server : client,
        sourcePort: isAnswer ? 5351 : 50_000,
        destination: isAnswer ? client : server,
        destinationPort: isAnswer ? 50_000 : 5351,
        at: { seconds: 1_700_000_000 + exchange, nanoseconds: isAnswer ? 25_000_000 : 0 },
      }
    }),
  )
}
