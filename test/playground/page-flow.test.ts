/** Datagrams of flow allocation on the page: pasted, dropped and out of the gallery, looked at and edited by clicks and keys. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { toPcap } from "../../core/wire/text/index.ts"
import { paste, screenshot, violations } from "./browser.ts"
import { dropOn, fileOf } from "./drop.ts"
import { address, hex } from "./packets.ts"
import { button, markedOffsets, octet, octetsOf, range, said, texts, treeItem } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

/** The golden vector of A5: FLOW_REQ for `oecho`. */
const REQUEST =
  "00000000000000400000000000000000" +
  "0000000000000000ffffffff0000000100000001ffffffff0001d4c0010000" +
  "c36f43274cb781532a4bd6e0b9d47d3e"

const [CLIENT, SERVER] = [address("192.0.2.2"), address("203.0.113.1")]
const between = (digits: string, sourcePort: number, destinationPort: number) => ({
  bytes: hex(digits),
  sourcePort,
  destinationPort,
  source: CLIENT,
  destination: SERVER,
  at: { seconds: 1_700_000_000, nanoseconds: 0 },
})

pageSuite("flow allocation on the playground's page", ({ onPage }) => {
  test("a management message, pasted as hex: tree, bytes and diagram linked, a finding where it is wrong", async () => {
    await onPage(async (page) => {
      await octet(page, 0).click()
      await paste(page, REQUEST)
      await page.getByRole("heading", { name: "Ouroboros FLOW_REQ, 63 octets" }).waitFor()
      assert.equal(await octetsOf(page), REQUEST)
      await treeItem(page, /^Hash of the name/).click()
      assert.deepEqual(await markedOffsets(page), range(47, 63))
      await octet(page, 40).click()
      assert.equal(await treeItem(page, /^Peer timeout/).getAttribute("aria-selected"), "true")
      assert.match((await texts(page.locator(".box[data-marked]")))[0] ?? "", /^Peer timeout/)
      await page.getByRole("heading", { name: "no findings" }).waitFor()
      assert.equal(await page.getByRole("link", { name: "Ouroboros struct mgmt_msg" }).count(), 1)
      // Its rules are nobody's RFC: there is nothing to choose.
      assert.equal(await page.getByRole("combobox", { name: /rules of/ }).count(), 0)
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "flow")

      // The field is typed over, and what is wrong then is said beside it.
      await treeItem(page, /^Responder's endpoint id/).dblclick()
      await page.keyboard.type("65")
      await page.keyboard.press("Enter")
      await page.getByRole("heading", { name: "1 finding" }).waitFor()
      await octet(page, 0).click()
      await page.locator(".finding").click()
      assert.deepEqual(await markedOffsets(page), range(8, 12))
      await button(page, "undo").click()
      await page.getByRole("heading", { name: "no findings" }).waitFor()
    })
  })

  test("a capture, dropped: both forms by their ports, in the list and one by one; a reload keeps them", async () => {
    const file = toPcap([
      between("6f6563686f", 49200, 3359),
      between(REQUEST, 3435, 3435),
      between("0000004168656c6c6f", 3435, 3435),
    ])
    await onPage(async (page) => {
      await dropOn(page, { files: [fileOf("flows.pcap", file)] })
      const rows = page.getByRole("grid", { name: "Packets" }).getByRole("row")
      await rows.nth(3).waitFor()
      await page.getByRole("heading", { name: "Ouroboros flow request of the first form, 5 octets" }).waitFor()
      assert.match(await treeItem(page, /^Name/).innerText(), /"oecho"/)
      await treeItem(page, /^Name/).dblclick()
      await page.keyboard.type("echo")
      await page.keyboard.press("Enter")
      await page.getByRole("heading", { name: "Ouroboros flow request of the first form, 4 octets" }).waitFor()
      await page.getByRole("grid", { name: "Packets" }).getByText("FLOW_REQ").first().click()
      await page.getByRole("heading", { name: "Ouroboros FLOW_REQ, 63 octets" }).waitFor()
      await page.getByRole("grid", { name: "Packets" }).getByText("flow message").first().click()
      await page.getByRole("heading", { name: "Ouroboros flow message, 9 octets" }).waitFor()
      assert.match(await treeItem(page, /^Endpoint id/).innerText(), /65/)
      assert.deepEqual(await violations(page), [])
      await page.reload()
      await page.getByRole("heading", { name: "Ouroboros flow message, 9 octets" }).waitFor()
    })
  })

  test("the gallery has an example of each form, and a link holds the ports of what has no other sign", async () => {
    await onPage(async (page) => {
      const example = async (name: string): Promise<void> => {
        await button(page, "examples ▾").click()
        await page.getByRole("dialog").getByRole("button", { name, exact: true }).click()
      }
      await example("A flow, asked for and had")
      await page.getByRole("heading", { name: "Ouroboros FLOW_REQ, 63 octets" }).waitFor()
      await page.getByRole("grid", { name: "Packets" }).getByText("FLOW_REPLY, accepted").first().click()
      await page.getByRole("heading", { name: "Ouroboros FLOW_REPLY, 47 octets" }).waitFor()
      await example("A flow as in 2016")
      await page.getByRole("heading", { name: "Ouroboros flow request of the first form, 5 octets" }).waitFor()
      await button(page, "share").click()
      const link = page.getByRole("textbox", { name: "Link" })
      await page.locator(".link button:not([disabled])").waitFor()
      const address = await link.inputValue()
      await page.getByRole("dialog").getByRole("button", { name: "close" }).click()
      await example("A flow, refused")
      await page.getByRole("heading", { name: "Ouroboros FLOW_REQ, 63 octets" }).waitFor()
      await page.evaluate(`location.hash = ${JSON.stringify(new URL(address).hash)}`)
      await page.getByRole("heading", { name: "Ouroboros flow request of the first form, 5 octets" }).waitFor()
      assert.equal(await said(page).innerText(), "")
    })
  })

  test("overlays: VXLAN and the frame in it, pasted; the gallery's examples", async () => {
    const frame = "ffffffffffffdeadbeef00010806000108000604" + "0001deadbeef00010a373703" + "0000000000000a373702"
    await onPage(async (page) => {
      await octet(page, 0).click()
      await paste(page, `0800000000001700${frame}`)
      await page.getByRole("heading", { name: "Virtual eXtensible Local Area Network, 50 octets" }).waitFor()
      await treeItem(page, /^VXLAN Network Identifier/).click()
      assert.deepEqual(await markedOffsets(page), range(4, 7))
      await treeItem(page, /^Target protocol address/).click()
      assert.deepEqual(await markedOffsets(page), range(46, 50))
      assert.deepEqual(await violations(page), [])
      await page.getByText("Nothing to say against it, by RFC 7348.").waitFor()
      await screenshot(page, "overlay")
    })
  })
})
