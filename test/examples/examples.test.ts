/** Each example does what examples/README.md says of it, on the runtimes that it is for. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { describe, test } from "node:test"
import { createContext, runInContext } from "node:vm"
import { build as bundle } from "esbuild"
import fc from "fast-check"
import { build as buildPage } from "vite"
import { type Address, parseAddress, toPcap } from "../../core/index.ts"
import { lack, visit } from "./chromium.ts"
import { bun, deno, makeProject, output, run } from "./project.ts"

const home = makeProject()
const root = join(import.meta.dirname, "../..")
const examples = join(home, "examples")
const node = process.execPath

/** The three runtimes, as commands before a script. */
const runtimes: readonly (readonly [string, readonly string[]])[] = [
  [node, []],
  [deno, ["run", "--node-modules-dir=manual", "--allow-read"]],
  [bun, []],
]

/** A NAT-PMP map response, RFC 6886 section 3.3: TCP 8080 at 8080 for an hour. */
const MAPPED = "0082000000000001 1f901f9000000e10"
/** Its fields by the RFC's layout: offset, octets. */
const LAYOUT = [
  ...[
    [0, 1],
    [1, 1],
    [2, 2],
    [4, 4],
  ],
  ...[
    [8, 2],
    [10, 2],
    [12, 4],
  ],
]

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

test("examples compile, in a strict program that has the package as its users do", () => {
  assert.equal(
    output(node, [join(root, "node_modules/typescript/bin/tsc"), "--pretty", "false", "-p", "examples"], home),
    "",
  )
})

test("those for browsers and the edge compile where Node's types are not there", () => {
  const files = ["web-worker/page.ts", "web-worker/worker.ts", "edge/handler.ts", "vite-page/page.ts"]
  const options = ["--ignoreConfig", "--noEmit", "--strict", "--allowImportingTsExtensions", "--target", "ES2022"]
  const modules = [
    "--module",
    "ESNext",
    "--moduleResolution",
    "Bundler",
    "--lib",
    "ES2022,DOM,DOM.Iterable",
    "--types",
    "",
  ]
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  assert.equal(output(node, [tsc, "--pretty", "false", ...options, ...modules, ...files], examples), "")
})

describe("examples/web-worker", () => {
  const fields = (text: string): unknown => {
    const decoded = JSON.parse(text)
    assert.equal(decoded.ok, true)
    return decoded.packets[0].tree.children.map((field: { offset: number; length: number }) => [
      field.offset,
      field.length,
    ])
  }

  test("a worker decodes under Deno and Bun", () => {
    for (const [command, args] of runtimes.slice(1))
      assert.deepEqual(fields(output(command, [...args, "web-worker/main.ts", MAPPED], examples)), LAYOUT, command)
  })

  test("a worker decodes under Node", () => {
    assert.deepEqual(fields(output(node, ["web-worker/node.ts", MAPPED], examples)), LAYOUT)
  })

  test("what is no packet comes back as an error with its place", () => {
    const { ok, error } = JSON.parse(output(node, ["web-worker/node.ts", "00 zz"], examples))
    assert.deepEqual([ok, error.code, error.place], [false, "unreadable", { offset: 3, line: 1, column: 4 }])
  })

  test("in Chromium a file goes to the worker, and the page has a line for each packet", {
    skip: lack ?? false,
  }, async () => {
    const folder = join(home, "worker-page")
    await buildPage({
      ...{ root: join(examples, "web-worker"), configFile: false, logLevel: "error" },
      build: { outDir: folder, emptyOutDir: true },
    })
    const { errors, foreign } = await visit(folder, async (page) => {
      const dump = readFileSync(join(examples, "cli-pipe/exchange.txt"))
      await page.setInputFiles("#file", { name: "exchange.txt", mimeType: "text/plain", buffer: dump })
      await page.locator("#out").filter({ hasText: "octets" }).waitFor()
      assert.deepEqual((await page.textContent("#out"))?.split("\n"), [
        "PCP MAP request, 60 octets, 0 findings",
        "PCP MAP response, 60 octets, 0 findings",
        "NAT-PMP map TCP request, 12 octets, 1 findings",
      ])
      assert.equal(page.workers().length, 1)
    })
    assert.deepEqual({ errors, foreign }, { errors: [], foreign: [] })
  })
})

describe("examples/edge", () => {
  /** What starts a server of the handler on loopback, and says its port. */
  const inBun = `import handler from "./edge/handler.ts"
    const { port } = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: handler.fetch })
    console.log(JSON.stringify({ port }))`
  const servers: readonly (readonly [string, string, readonly string[]])[] = [
    ["Node", node, ["edge/node.ts"]],
    ["Deno", deno, ["serve", "--node-modules-dir=manual", "--host=127.0.0.1", "--port=0", "edge/handler.ts"]],
    ["Bun", bun, ["--eval", inBun]],
  ]

  /** Serves, does something with the address, and ends the server. */
  const serving = async (
    command: string,
    args: readonly string[],
    act: (url: string) => Promise<void>,
  ): Promise<void> => {
    const child = spawn(command, args, { cwd: examples, env: { ...process.env, NO_COLOR: "1" } })
    const closed = once(child, "close")
    const said = Promise.race(
      [child.stdout, child.stderr].map(async (input) => {
        for await (const line of createInterface({ input })) {
          const port = /"port":(\d+)|127\.0\.0\.1:(\d+)/.exec(line)
          if (port !== null) return port[1] ?? port[2]
        }
        return closed.then(() => undefined)
      }),
    )
    try {
      const port = await said
      assert.notEqual(port, undefined, `${command} has named no port`)
      await act(`http://127.0.0.1:${port}/`)
    } finally {
      child.kill()
      await closed
    }
  }

  const post = (url: string, body: string | Uint8Array<ArrayBuffer>, type: string): Promise<Response> =>
    fetch(url, { method: "POST", body, headers: { "content-type": type } })

  for (const [runtime, command, args] of servers) {
    test(`octets and hex give fields and findings, anything else an error: ${runtime}`, () =>
      serving(command, args, async (url) => {
        const octets = Uint8Array.from(Buffer.from(MAPPED.replace(" ", ""), "hex"))
        for (const answer of [
          await post(url, octets, "application/octet-stream"),
          await post(url, MAPPED, "text/plain; charset=utf-8"),
        ]) {
          assert.equal(answer.status, 200)
          assert.match(answer.headers.get("content-type") ?? "", /^application\/json/)
          const { packets } = JSON.parse(await answer.text())
          assert.equal(packets.length, 1)
          assert.deepEqual(
            packets[0].fields.map(({ offset, length }: { offset: number; length: number }) => [offset, length]),
            LAYOUT,
          )
          assert.equal(packets[0].fields[6].text, "3600 s (1 h)")
          assert.deepEqual(packets[0].findings, [])
        }

        // A reserved octet is set: RFC 6886 section 3.3 has zeros there.
        const wrong = JSON.parse(await (await post(url, "000200011f901f9000000e10", "text/plain")).text())
        assert.deepEqual(
          wrong.packets[0].findings.map(({ severity, offset }: { severity: string; offset: number }) => [
            severity,
            offset,
          ]),
          [["warning", 2]],
        )

        const refused = await post(url, "zz", "text/plain")
        assert.equal(refused.status, 422)
        assert.equal(JSON.parse(await refused.text()).error.code, "unreadable")
        assert.equal((await post(url, "0".repeat(65_537), "text/plain")).status, 413)
        const got = await fetch(url)
        assert.deepEqual([got.status, got.headers.get("allow")], [405, "POST"])
      }))
  }

  /** The handler in one script, and what esbuild says of it. */
  const bundled = bundle({
    ...{ entryPoints: [join(examples, "edge/handler.ts")], bundle: true, write: false, metafile: true, outdir: home },
    ...{ format: "iife", globalName: "bundle", platform: "neutral", mainFields: ["module", "main"] },
    logLevel: "silent",
  })

  /** It runs where there is nothing but the web's own names, and is asked there. */
  const answer = async (body: string | Uint8Array<ArrayBuffer>, type?: string): Promise<Response> => {
    const { outputFiles } = await bundled
    const context = createContext({ Request, Response, Blob, TextDecoder, TextEncoder })
    runInContext(`${outputFiles[0].text}\nvar answer = (request) => bundle.default.fetch(request)`, context)
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type }
    return context.answer(new Request("http://edge/", { method: "POST", body, headers }))
  }

  test("its bundle imports nothing, and runs where there is nothing but the web's own names", async () => {
    const { metafile, outputFiles } = await bundled
    assert.deepEqual(
      Object.values(metafile.outputs).flatMap(({ imports }) => imports),
      [],
    )
    assert.doesNotMatch(outputFiles[0].text, /\bnode:|\brequire\(/)
    const response = await answer(MAPPED)
    assert.equal(JSON.parse(await response.text()).packets[0].summary, "NAT-PMP map TCP response, 16 octets")
  })

  test("any octets have fields that share them out, and any text has packets or an error with its place", async () => {
    const octets = fc.uint8Array({ maxLength: 1200 })
    await fc.assert(
      fc.asyncProperty(octets, async (bytes) => {
        const response = await answer(new Uint8Array(bytes), "application/octet-stream")
        assert.equal(response.status, 200)
        const { packets } = JSON.parse(await response.text())
        const ends = packets[0].fields.map(({ offset, length }: { offset: number; length: number }) => offset + length)
        assert.equal(Math.max(0, ...ends), bytes.length)
      }),
      { numRuns: 30 },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.stringMatching(/^[\da-f ]*$/)), async (text) => {
        const response = await answer(text, "text/plain")
        const { packets, error } = JSON.parse(await response.text())
        assert.equal(response.status, packets === undefined ? 422 : 200)
        assert.equal(typeof (packets?.length ?? error.place.offset), "number")
      }),
      { numRuns: 30 },
    )
  })
})

describe("examples/cli-pipe", () => {
  const dump = readFileSync(join(root, "examples/cli-pipe/exchange.txt"), "utf8")
  const sallyport = (input: string): string =>
    output(node, [join(root, "adapters/cli/main.ts"), "decode", "--json"], root, input)

  test("what `sallyport decode --json` prints goes through the filter, on each runtime", () => {
    const told =
      "3: NAT-PMP map TCP request, 12 octets: warning at octet 2: reserved octets are not zero (RFC 6886 3.3)\n"
    for (const [command, args] of runtimes) {
      const filter = [...args, "cli-pipe/filter.ts"]
      assert.deepEqual(run(command, filter, examples, sallyport(dump)), { code: 0, stdout: told, stderr: "" }, command)
      assert.deepEqual(run(command, filter, examples, sallyport(MAPPED)), { code: 0, stdout: "", stderr: "" }, command)
      // MAP of 24 octets, without its opcode's data: an error.
      assert.equal(run(command, filter, examples, sallyport(`0201${"00".repeat(22)}`)).code, 1, command)
    }
  })

  test("a capture goes through the library, on each runtime", () => {
    const lines = [
      "PCP MAP request of 192.0.2.10, UDP 4000 at 0.0.0.0:4000 for 3600 s",
      "PCP MAP response SUCCESS, UDP 4000 at 203.0.113.7:4000 for 3600 s",
      "NAT-PMP map request, tcp 8080 for 3600 s",
    ]
    for (const [command, args] of runtimes) {
      const script = [...args, "cli-pipe/capture.ts"]
      assert.equal(output(command, script, examples, dump), `${lines.join("\n")}\n`, command)
      assert.deepEqual(
        run(command, script, examples, "no packet"),
        { code: 1, stdout: "", stderr: run(node, ["cli-pipe/capture.ts"], examples, "no packet").stderr },
        command,
      )
    }
  })

  test("a pcap file says who sent each message", () => {
    const ends = {
      source: address("192.0.2.1"),
      sourcePort: 5351,
      destination: address("192.0.2.10"),
      destinationPort: 5350,
    }
    const bytes = Uint8Array.from(Buffer.from(MAPPED.replace(" ", ""), "hex"))
    const stdout = output(node, ["cli-pipe/capture.ts"], examples, toPcap([{ bytes, ...ends }]))
    assert.equal(stdout, "from 192.0.2.1: NAT-PMP map response Success, tcp 8080 at port 8080\n")
  })
})

describe("examples/vite-page", { skip: lack ?? false }, () => {
  test("Vite builds it, and in Chromium what is pasted becomes fields", async () => {
    const folder = join(home, "page")
    await buildPage({
      ...{ root: join(examples, "vite-page"), configFile: false, logLevel: "error" },
      build: { outDir: folder, emptyOutDir: true },
    })
    const { errors, foreign } = await visit(folder, async (page) => {
      const cells = async (): Promise<readonly string[]> => page.locator("tr").allInnerTexts()
      assert.equal((await cells()).length, LAYOUT.length)

      await page.fill("#input", "000200011f901f9000000e10")
      assert.deepEqual(await cells(), [
        "0\tVers\t0 (NAT-PMP)",
        "1\tOP\t2 (map TCP request)",
        "2\tReserved\tnot zero: 0001",
        "4\tInternal Port\t8080",
        "6\tSuggested External Port\t8080",
        "8\tRequested Port Mapping Lifetime in Seconds\t3600 s (1 h)",
      ])
      assert.deepEqual(await page.locator("li").allInnerTexts(), [
        "warning: reserved octets are not zero (RFC 6886 3.3)",
      ])

      await page.fill("#input", "<img src=x>")
      assert.equal(await page.locator("tr").count(), 0)
      assert.equal(await page.locator("#output img").count(), 0)
      assert.notEqual(await page.locator("#output p").innerText(), "")
    })
    assert.deepEqual({ errors, foreign }, { errors: [], foreign: [] })
  })
})

describe("examples/README.md", () => {
  const page = readFileSync(join(root, "examples/README.md"), "utf8")

  test("each example has its part, and each file that it names is there", () => {
    const folders = readdirSync(join(root, "examples"), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert.deepEqual(
      [...page.matchAll(/^## .*\(([\w-]+)\)$/gm)].map(([, name]) => name).sort(),
      folders.map(({ name }) => name).sort(),
    )
    for (const [, path] of page.matchAll(/(?<![\w/])(examples\/[\w./-]+)/g))
      assert.ok(existsSync(join(root, path)), path)
  })
})
