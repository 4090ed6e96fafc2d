/** From the Inspector to Replay and back, and by links, in the whole page. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { formatAddress, parse } from "../../core/wire/index.ts"
import { toPcap } from "../../core/wire/text/index.ts"
import { PRESETS } from "../../playground/model/session/index.ts"
import { fromFragment } from "../../playground/model/share/index.ts"
import { screenshot, violations } from "./browser.ts"
import { address } from "./packets.ts"
import { octet } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"
import { mappings, replayFile, scrub, tab, textOf, tryPacket } from "./replay-page.ts"
import { answerTo, mapStep, sessionOf } from "./sessions.ts"

pageSuite("Replay in the whole page", ({ onPage }) => {
  /** Three requests and their answers: the second one's lifetime is another than ours, the third is refused where we do not. */
  const office = (): Uint8Array => {
    const [client, server] = [address("10.0.0.1"), address("10.0.0.254")]
    const packets = [0, 1, 2].flatMap((i) => {
      const asked = mapStep(0, "10.0.0.1", {
        internalPort: `${8080 + i}`,
        externalPort: `${41000 + i}`,
        nonce: `${i}`.padStart(24, "0"),
        lifetime: "3600",
      })
      const answer = answerTo(asked)
      // Octets 4 to 7 are the lifetime, octet 3 the result (RFC 6887 section 7.2).
      if (i === 1) answer.set([0, 0, 2, 88], 4)
      if (i === 2) answer[3] = 8
      const at = (milliseconds: number) => ({ seconds: 1_700_000_000 + i, nanoseconds: milliseconds * 1e6 })
      return [
        {
          bytes: asked.bytes,
          source: client,
          sourcePort: 50_000,
          destination: server,
          destinationPort: 5351,
          at: at(0),
        },
        { bytes: answer, source: server, sourcePort: 5351, destination: client, destinationPort: 50_000, at: at(12) },
      ]
    })
    return toPcap(packets)
  }

  test("a capture is replayed: its answers and ours are twins, what differs is a finding with both taken apart", async () => {
    await onPage(async (page) => {
      await page.locator('input[type="file"]').setInputFiles({
        name: "office.pcap",
        mimeType: "application/octet-stream",
        buffer: Buffer.from(office()),
      })
      await page.getByRole("button", { name: /^replay( them)?$/ }).click()
      const rows = page.locator(".rv-row")
      await rows.nth(8).waitFor()
      const marks = (await page.locator(".rv-row small").allTextContents()).map((text) => text.trim())
      assert.deepEqual(marks, ["ours", "= captured", "ours", "≠ captured, 1 field", "ours", "≠ captured, 1 field"])
      // The pool is what was assigned in it.
      await scrub(page, 2000)
      assert.deepEqual(await mappings(page), [
        "10.0.0.1:8080 → 203.0.113.1:41000",
        "10.0.0.1:8081 → 203.0.113.1:41001",
        "10.0.0.1:8082 → 203.0.113.1:41002",
      ])
      await page.locator(".rv-finding").first().click()
      const findings = page.locator(".rv-twin-findings li")
      assert.match(
        (await findings.first().textContent()) ?? "",
        /a difference Lifetime: 600 s .*captured, 3600 s .*ours/,
      )
      assert.equal(await page.locator(".rv-both tbody tr").count(), 14)
      await page.locator(".rv-finding").nth(1).click()
      assert.match(
        (await findings.first().textContent()) ?? "",
        /a difference Result Code: NO_RESOURCES.*captured, SUCCESS/,
      )
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "replay-capture")
      await tab(page, "Compare")
      assert.match(await textOf(page, ".rv-futures"), /2 of 3 differ/)
      await tab(page, "Sequence")
      await page.locator(".rv-finding").first().click()
      await page.getByRole("button", { name: "open the captured one in Inspect" }).click()
      await page.getByRole("heading", { name: /^PCP MAP response/ }).waitFor()
      assert.equal((await octet(page, 6).innerText()).trim() + (await octet(page, 7).innerText()).trim(), "0258")
      // Who comes back is where they were.
      await page.getByRole("button", { name: "Replay", exact: true }).click()
      await page.locator(".rv-clock", { hasText: "00:01.000" }).waitFor()
    })
  })

  /** The link of the dialog, once it is another one. */
  const otherLink = async (page: Page, known: string): Promise<string> => {
    for (let turn = 0; turn < 400; turn++) {
      const link = await page.getByRole("textbox", { name: "Link" }).inputValue()
      if (link !== known) return link
      await page.waitForTimeout(25)
    }
    return assert.fail("there is no other link")
  }

  const linkOf = async (page: Page): Promise<string> => {
    await page.getByRole("button", { name: "share" }).click()
    return otherLink(page, "")
  }

  test("a link holds a session with all that was tried over it, and opens in a page that knows nothing", async () => {
    const session = sessionOf([mapStep(1000, "10.0.0.3", { externalPort: "45678" })], {
      title: "for a colleague",
      configuration: { ...PRESETS.nat444, quota: 5 },
    })
    let link = ""
    await onPage(async (page) => {
      await page.getByRole("button", { name: "Replay", exact: true }).click()
      await page.locator(".rv-rows").waitFor()
      await replayFile(page, session)
      await scrub(page, 2000)
      await tryPacket(page, "host gone", { "internal address": "10.0.0.3" })
      await scrub(page, 3000)
      await tryPacket(page, "MAP", { "Internal Port, 0 for all": "9000", "Suggested External Port": "45000" })
      link = await linkOf(page)
    })
    assert.match(link, /#1s1[\w-]+$/)
    const read = await fromFragment(new URL(link).hash)
    assert.ok(read.ok && read.shared.kind === "session")
    assert.deepEqual(read.shared.session.steps, session.steps)
    await onPage(async (page) => {
      await page.goto("about:blank")
      await page.goto(link)
      await page.locator(".rv-title h2", { hasText: "for a colleague" }).waitFor()
      assert.deepEqual(await page.locator(".rv-branch-names [aria-pressed]").allTextContents(), [
        "as it is",
        "try 1: host gone · from 00:02.000",
        "try 2: MAP · from 00:03.000",
      ])
      await page.getByRole("button", { name: /^try 2/ }).click()
      await scrub(page, 3000)
      assert.deepEqual(await mappings(page), ["10.0.0.1:9000 → 203.0.113.1:45000"])
      await page.getByRole("button", { name: "as it is" }).click()
      assert.deepEqual(await mappings(page), ["10.0.0.3:8080 → 203.0.113.1:45678"])
      assert.equal(await page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length"), 0)
    })
  })

  test("a link with other addresses plays alike, and tells of nobody, in what was tried neither", async () => {
    await onPage(async (page) => {
      await page.getByRole("button", { name: "Replay", exact: true }).click()
      await page.locator(".rv-rows").waitFor()
      await replayFile(page, sessionOf([mapStep(1000, "10.0.0.3")], { title: "secret" }))
      await scrub(page, 2000)
      await tryPacket(page, "host gone", { "internal address": "10.0.0.3" })
      await tryPacket(page, "data", { source: "10.0.0.3 5000", destination: "93.184.216.34 53" }, { from: "inside" })
      const plain = await linkOf(page)
      await page.getByRole("checkbox", { name: /^other addresses/ }).check()
      const read = await fromFragment(new URL(await otherLink(page, plain)).hash)
      assert.ok(read.ok && read.shared.kind === "session")
      const { title, steps, tries = [] } = read.shared.session
      assert.equal(title, "")
      const [first] = steps
      assert.ok(first.type === "datagram")
      const parsed = parse(first.bytes)
      assert.ok(parsed.ok && parsed.packet.kind === "pcp-request")
      const other = formatAddress(parsed.packet.client)
      assert.notEqual(other, "10.0.0.3")
      const [gone, data] = tries.map(({ step }) => step)
      assert.ok(gone.type === "revoke" && data.type === "packet")
      assert.deepEqual([gone.internal, data.packet.source.address, first.source.address].map(formatAddress), [
        other,
        other,
        other,
      ])
      assert.notEqual(formatAddress(data.packet.destination.address), "93.184.216.34")
    })
  })
})
