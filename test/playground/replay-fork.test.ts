/** Other futures of a session, and other CGNs, in a browser. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { readSession } from "../../playground/model/session/index.ts"
import { SKIP } from "./browser.ts"
import { mappings, replayPage, scrub, shot, tab, textOf, tryPacket } from "./replay-page.ts"

describe("Other futures in a browser", { skip: SKIP }, () => {
  const { onPage } = replayPage()

  test("another packet makes another future, and both are compared", async () => {
    await onPage(async (page) => {
      await scrub(page, 30_000)
      await page.getByRole("button", { name: "+ try a packet here" }).click()
      const form = page.locator(".rv-attempt")
      await form.locator("select").first().selectOption("host gone")
      await form.getByLabel("internal address").fill("10.0.0.x")
      await page.getByRole("button", { name: "send it" }).click()
      assert.match((await form.textContent()) ?? "", /an address is expected/)
      await form.getByLabel("internal address").fill("10.0.0.1")
      await page.getByRole("button", { name: "send it" }).click()
      assert.equal((await mappings(page)).filter((text) => text.startsWith("10.0.0.1:")).length, 0)
      await tab(page, "Compare")
      await shot(page, "compare")
      const differences = (await page.locator(".rv-differences").textContent()) ?? ""
      assert.match(differences, /00:30\.000only try 1: host gonehost gone: − deleted/)
      // The nonce that was refused before has nothing against it now.
      assert.match(differences, /00:40\.000both, otherwise/)
      assert.match(
        (await page.locator(".rv-side-by-side").textContent()) ?? "",
        /10\.0\.0\.1:8080 → 203\.0\.113\.1:41000 9:31 · only here/,
      )
      await page.getByRole("button", { name: "as it is" }).click()
      assert.equal((await mappings(page)).filter((text) => text.startsWith("10.0.0.1:")).length, 1)
      await page.getByRole("button", { name: "remove try 1" }).click()
      assert.match((await page.locator(".rv-futures").textContent()) ?? "", /There is one future so far/)
    })
  })

  test("a request is tried with its options, and what is mistyped in one is said beside it", async () => {
    await onPage(async (page) => {
      await scrub(page, 50_000)
      await page.getByRole("button", { name: "+ try a packet here" }).click()
      const form = page.locator(".rv-attempt")
      await form.locator("select").first().selectOption("MAP")
      await form.getByLabel("Internal Port, 0 for all").fill("9000")
      await form.getByLabel("add an option").selectOption("DESCRIPTION")
      await form.getByLabel("add an option").selectOption("FILTER")
      const prefix = form.locator(".rv-option", { hasText: "FILTER" }).locator("input").first()
      await prefix.fill("nowhere")
      await page.getByRole("button", { name: "send it" }).click()
      assert.match((await form.locator(".rv-option .rv-fault").first().textContent()) ?? "", /a prefix is expected/)
      await prefix.fill("192.0.2.0/24")
      await form.getByLabel("and then").selectOption("nothing")
      await page.getByRole("button", { name: "send it" }).click()
      const row = page.locator(".rv-panels tbody tr", { hasText: "10.0.0.1:9000" })
      assert.match((await row.textContent()) ?? "", /192\.0\.2\.0\/24/)
      // Nothing more happens in it: the deletion at 400 s is not part of this future.
      await scrub(page, 400_000)
      assert.match((await mappings(page)).join(), /10\.0\.0\.2:22 /)
    })
  })

  test("a packet of data is translated, filtered, hairpinned or dropped, with the reason", async () => {
    await onPage(async (page) => {
      const verdict = async (from: string, source: string, destination: string): Promise<string> => {
        await tryPacket(page, "data", { source, destination }, { from })
        return textOf(page, ".rv-verdict")
      }
      await scrub(page, 12_000)
      assert.match(
        await verdict("outside", "198.51.100.9 4000", "203.0.113.1 41000"),
        /^translated.*becomes TCP 198\.51\.100\.9:4000 → 10\.0\.0\.1:8080/,
      )
      assert.match(await verdict("outside", "192.0.2.1 4000", "203.0.113.1 41000"), /^filtered.*RFC 6887 section 13\.3/)
      assert.match(
        await verdict("outside", "192.0.2.1:4000", "203.0.113.1:1"),
        /^dropped.*nobody inside has that address and port/,
      )
      assert.match(await verdict("inside", "10.0.0.2 5000", "198.51.100.7 80"), /^translated/)
      const own = (await mappings(page)).find((text) => text.startsWith("10.0.0.2:22 ")) ?? ""
      assert.match(await verdict("inside", "10.0.0.1 5000", own.replace(/^.*→ (.*):/, "$1 ")), /^hairpinned/)
    })
  })

  test("futures of futures: one leaves another, all are noted in the session, and one is kept as the session", async () => {
    await onPage(async (page) => {
      const names = page.locator(".rv-branch-names [aria-pressed]")
      await scrub(page, 30_000)
      await tryPacket(page, "host gone", { "internal address": "10.0.0.1" })
      await scrub(page, 35_000)
      await tryPacket(page, "MAP", { "Internal Port, 0 for all": "9000", "Suggested External Port": "45000" })
      await page.getByRole("button", { name: /^try 1/ }).click()
      await scrub(page, 50_000)
      await tryPacket(page, "announce", {}, { "and then": "nothing" })
      assert.deepEqual(await names.allTextContents(), [
        "as it is",
        "try 1: host gone · from 00:30.000",
        "try 2: MAP · from 00:35.000",
        "try 3: announce · from 00:50.000",
      ])
      // The second leaves the first, so that it has both.
      await page.getByRole("button", { name: /^try 2/ }).click()
      await scrub(page, 36_000)
      const own = (await mappings(page)).filter((text) => text.startsWith("10.0.0.1:"))
      assert.deepEqual(own, ["10.0.0.1:9000 → 203.0.113.1:45000"])
      await tab(page, "Compare")
      await page.getByLabel("left").selectOption("as it is")
      const table = page.getByRole("table", { name: "what happened in both" })
      assert.match((await table.textContent()) ?? "", /00:30\.000.*only on the right.*10\.0\.0\.1 is gone/)
      await page.getByLabel("right").selectOption("try 3: announce")
      assert.match((await table.textContent()) ?? "", /the server announces itself/)
      await tab(page, "Session text")
      const text = await page.locator("textarea").inputValue()
      const read = readSession(text)
      assert.ok(read.ok)
      assert.deepEqual(
        read.session.tries?.map(({ of, name, after }) => [of, name, after]),
        [
          [0, "try 1: host gone", "rest"],
          [1, "try 2: MAP", "rest"],
          [1, "try 3: announce", "nothing"],
        ],
      )
      await page.getByRole("button", { name: "remove try 1: host gone" }).click()
      assert.equal(await names.count(), 0, "what left it goes with it")
      await page.locator("textarea").fill(text)
      await page.getByRole("button", { name: "replay it" }).click()
      await names.nth(3).waitFor()
      await page.getByRole("button", { name: "keep try 2: MAP as the session" }).click()
      await page.locator(".rv-title h2", { hasText: "try 2: MAP" }).waitFor()
      assert.equal(await names.count(), 0)
      await tab(page, "Sequence")
      await scrub(page, 36_000)
      assert.ok((await mappings(page)).includes("10.0.0.1:9000 → 203.0.113.1:45000"))
    })
  })

  test("a session is made of nothing: packets are tried and kept", async () => {
    await onPage(async (page) => {
      await page.getByRole("button", { name: "new" }).click()
      await page.locator(".rv-title h2", { hasText: "A new session" }).waitFor()
      assert.match(await textOf(page, ".rv-sequence"), /Nothing happens/)
      await scrub(page, 5000)
      await tryPacket(page, "MAP", { "Suggested External Port": "42000" })
      await page.getByRole("button", { name: /^keep/ }).click()
      await page.locator(".rv-branch-names").waitFor({ state: "detached" })
      await scrub(page, 7000)
      assert.match((await mappings(page)).join(), /^10\.0\.0\.1:\d+ → 203\.0\.113\.1:42000$/)
    })
  })

  test("packets of other kinds: as they are, by a prefix, told to their sender, by identifier", async () => {
    await onPage(async (page) => {
      const verdict = async (kind: string, from: string, source: string, destination: string, protocol = "udp") => {
        await page.getByLabel("kind of CGN").selectOption(kind)
        await page.getByRole("button", { name: "to the start" }).click()
        await tryPacket(page, "data", { source, destination }, { from, protocol })
        return textOf(page, ".rv-verdict")
      }
      assert.match(await verdict("firewall6", "inside", "2001:db8:1::10 5000", "2001:db8:99::7 53"), /^passes as it is/)
      assert.match(await verdict("firewall6", "outside", "2001:db8:99::8 53", "2001:db8:1::10 22"), /^dropped/)
      assert.match(
        await verdict("nptv6", "inside", "fd00:0:1::10 5000", "2001:db8:99::7 53"),
        /^translated.*becomes UDP \[2001:db8:2:/,
      )
      assert.match(
        await verdict("nat64", "inside", "2001:db8:1::10 5000", "2001:db8:64::c633:6407 53"),
        /^translated.*203\.0\.113\.1:\d+ → 198\.51\.100\.7:53/,
      )
      assert.match(await verdict("nat444", "inside", "10.0.0.1 77", "198.51.100.7 0", "icmp"), /^translated.*ICMP/)
    })
  })

  test("kinds and switches are chosen, each says what it changes, and the session is played anew", async () => {
    await onPage(async (page) => {
      await scrub(page, 1000)
      await tab(page, "CGN")
      assert.equal(await page.locator(".rv-kinds input").count(), 8)
      const map = page.locator(".rv-switches li", { has: page.locator("strong", { hasText: /^MAP$/ }) })
      assert.match((await map.textContent()) ?? "", /MAP makes mappings\.Off: MAP is answered UNSUPP_OPCODE/)
      await map.getByRole("checkbox").click()
      assert.match((await map.textContent()) ?? "", /changed.*MAP is answered UNSUPP_OPCODE.*On: MAP makes mappings/)
      assert.deepEqual(await mappings(page), [])
      assert.match(
        (await page.locator(".rv-effects").textContent()) ?? "",
        /differences to this session.*Result Code: SUCCESS/,
      )
      await page.getByRole("button", { name: "as the preset has it" }).click()
      assert.equal((await mappings(page)).length, 1)
      await page.getByLabel("external IPv4 addresses").fill("203.0.113.77")
      assert.match((await mappings(page)).join(), /203\.0\.113\.77/)
      assert.match((await page.locator(".rv-switches").textContent()) ?? "", /It cannot be turned on: /)
      for (const name of [
        "DS-Lite AFTR",
        "NAT64",
        "NAT46",
        "NPTv6",
        "IPv4 firewall",
        "IPv6 firewall",
        "L2-aware NAT",
      ]) {
        await page.locator(".rv-kinds").getByText(name, { exact: true }).click()
        assert.equal(await page.locator(".rv-kinds .rv-is-chosen strong").textContent(), name)
        assert.equal(await page.locator(".rv-fault").count(), 0, name)
      }
    })
  })
})
