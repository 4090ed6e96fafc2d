/** Each form of the export menu, taken from the page, read by the program that it is for. */
import assert from "node:assert/strict"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, test } from "node:test"
import type { Page } from "playwright-core"
import { EXPORTS } from "../../playground/model/export/index.ts"
import { GALLERY } from "../../playground/model/gallery/index.ts"
import { inspect } from "../../playground/model/inspect/index.ts"
import { onPath, print, root } from "../package/run.ts"
import { paste, screenshot, violations } from "./browser.ts"
import { toHex } from "./forms.ts"
import { MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST } from "./packets.ts"
import { button, said } from "./page-parts.ts"
import { pageSuite } from "./page-suite.ts"

/** What is missing of a program, or false. */
const lacks = (program: string, what: string): string | false => {
  const missing = `${program} is missing: install ${what}`
  if (onPath(program).length > 0) return false
  if (process.env.CI === "true") throw new Error(missing)
  return missing
}

const folder = mkdtempSync(join(tmpdir(), "sallyport-export-"))
const save = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** A form's text, as the page shows and copies it. */
const textOf = async (page: Page, name: string): Promise<string> => {
  await button(page, name).click()
  await said(page)
    .getByText(new RegExp(`^${name} copied`))
    .waitFor()
  const shown = await page.getByRole("textbox", { name, exact: true }).inputValue()
  assert.equal(await page.evaluate("navigator.clipboard.readText()"), shown)
  return shown
}

pageSuite("what the playground exports", ({ onPage }) => {
  const onMenu = (packet: Uint8Array, use: (page: Page) => Promise<void>): Promise<void> =>
    onPage(async (page) => {
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
      await paste(page, toHex(packet))
      await button(page, "export ▾").click()
      await use(page)
    })
  const digits = toHex(MAP_REQUEST)

  test("hex digits, by xxd", { skip: lacks("xxd", "Debian's package xxd") }, async () => {
    await onMenu(MAP_REQUEST, async (page) => {
      const hex = save("hex.txt", await textOf(page, "Hex digits"))
      assert.equal(print("sh", ["-c", `xxd -r -p ${hex} | xxd -p -c 0`]).trim(), digits)
      assert.deepEqual(await violations(page), [])
      await screenshot(page, "export")
    })
  })

  test("a C array, compiled with every warning an error", {
    skip: lacks("cc", "Debian's package build-essential"),
  }, async () => {
    await onMenu(MAP_REQUEST, async (page) => {
      const main = `#include <stdio.h>\n${await textOf(page, "C array")}
        int main(void) { for (unsigned i = 0; i < sizeof packet; i++) printf("%02x", packet[i]); return 0; }\n`
      const program = join(folder, "literal")
      print("cc", ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", program, save("literal.c", main)])
      assert.equal(print(program, []), digits)
    })
  })

  test("Python bytes, by python3", { skip: lacks("python3", "Debian's package python3") }, async () => {
    await onMenu(MAP_REQUEST, async (page) => {
      const program = `${await textOf(page, "Python bytes")}print(packet.hex(), end="")\n`
      assert.equal(print("python3", [save("literal.py", program)]), digits)
    })
  })

  test("a TypeScript array, by Node, and a Go slice, by its grammar", async () => {
    await onMenu(MAP_REQUEST, async (page) => {
      const program = `${await textOf(page, "TypeScript array")}process.stdout.write(Buffer.from(packet).toString("hex"))\n`
      assert.equal(print(process.execPath, [save("literal.ts", program)]), digits)
      const go = await textOf(page, "Go slice")
      // A composite literal of the Go specification: each line of elements ends in a comma.
      const [, list] = /^var packet = \[\]byte\{\n((?:\t(?:0x[0-9a-f]{2}, )*0x[0-9a-f]{2},\n)+)\}\n$/.exec(go) ?? []
      assert.equal((list ?? "").replaceAll(/0x|[^0-9a-fx]/g, ""), digits)
    })
  })

  test("a hex dump, by Wireshark's text2pcap", { skip: lacks("text2pcap", "Debian's package tshark") }, async () => {
    await onMenu(MAP_REQUEST, async (page) => {
      const dump = save("dump.txt", await textOf(page, "Hex dump"))
      const file = join(folder, "dump.pcap")
      print("text2pcap", ["-q", "-u", "50000,5351", dump, file])
      assert.equal(print("tshark", ["-r", file, "-T", "fields", "-e", "udp.payload"]).trim(), digits)
    })
  })

  test("a pcap file, by Wireshark", { skip: lacks("tshark", "Debian's package tshark") }, async () => {
    await onMenu(MAP_REQUEST, async (page) => {
      const download = page.waitForEvent("download")
      await button(page, "pcap file").click()
      const path = (await (await download).path()) ?? ""
      const fields = ["udp.dstport", "portcontrol.opcode", "portcontrol.map.internal_port", "udp.payload"]
      const seen = print("tshark", ["-r", path, "-T", "fields", ...fields.flatMap((name) => ["-e", name])])
      assert.deepEqual(seen.trim().split("\t"), ["5351", "1", "4242", digits])
    })
  })

  test("a test vector, with the answer where the capture has it, and the command lines, by a shell", async () => {
    await onMenu(MAP_REQUEST, async (page) => {
      const alone: unknown = JSON.parse(await textOf(page, "Test vector"))
      assert.match(JSON.stringify(alone), /\{client\}/)
      const decode = await textOf(page, "sallyport decode")
      const [name, ...words] = print("sh", ["-c", `printf '%s\\n' ${decode.trim()}`])
        .trim()
        .split("\n")
      assert.equal(name, "sallyport")
      const told = print(process.execPath, [join(root, "adapters/cli/main.ts"), ...words])
      assert.match(told, /MAP request, 96 octets/)
      assert.match(
        await textOf(page, "sallyport command that sends it"),
        /^sallyport map 4242\/udp --external-port 40000 /,
      )
      await paste(page, `${toHex(MAP_REQUEST)}\n\n${toHex(MAP_RESPONSE)}`)
      await page.getByRole("grid", { name: "Packets" }).getByRole("row").nth(2).waitFor()
      const text = await textOf(page, "Test vector")
      // The answer's nonce and internal port stand in it, its epoch time does not.
      assert.match(text, /a1b2c3d4e5f607182+9?3?a?4?b?5?c?/)
      assert.match(text, /\?4/)
      await page.getByRole("grid", { name: "Packets" }).getByRole("row").nth(2).click()
      await button(page, "sallyport command that sends it").click()
      await said(page).getByText("no command sends such a packet: it is no request").waitFor()
    })
    await onMenu(NATPMP_MAP_REQUEST, async (page) => {
      assert.match(await textOf(page, "sallyport command that sends it"), /^sallyport map 4242\/udp .*--nat-pmp/)
      assert.equal(await page.locator(".menu li").count(), EXPORTS.length)
    })
  })
})

describe("Wireshark's names", { skip: lacks("tshark", "Debian's package tshark") }, () => {
  test("every name that a field of the gallery offers to copy is one that Wireshark has", () => {
    const known = new Set(
      print("sh", ["-c", "tshark -G fields | grep -E 'portcontrol|nat-pmp'"])
        .split("\n")
        .flatMap((line) => (line.startsWith("F\t") ? [line.split("\t")[2]] : [])),
    )
    const offered = new Set(
      GALLERY.flatMap((example) => (example.kind === "packets" ? example.packets() : [])).flatMap(({ bytes }) =>
        inspect(bytes).fields.flatMap(({ wireshark }) => (wireshark === undefined ? [] : [wireshark])),
      ),
    )
    assert.ok(offered.size > 40, `${offered.size} names`)
    assert.deepEqual(
      [...offered].filter((name) => !known.has(name)),
      [],
    )
  })
})
