import assert from "node:assert/strict"
import { once } from "node:events"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, request } from "node:http"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { after, describe, it } from "node:test"
import { assertNoStack, COMMAND, kill, sallyport, startedBy } from "./command.ts"

const home = mkdtempSync(join(tmpdir(), "sallyport-command-page-"))
after(() => rmSync(home, { recursive: true }))

const POLICY = "default-src 'none'; script-src 'sha256-x='; connect-src 'none'"
const HTML = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>page</title>`
const file = join(home, "page.html")
writeFileSync(file, HTML)
const env = { SALLYPORT_PLAYGROUND: file }

interface Got {
  readonly status: number | undefined
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** A request as it is written: neither its path nor its Host is put right. */
const get = (url: string, { method = "GET", host = new URL(url).host, path = "/" } = {}): Promise<Got> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    request({ hostname, port, method, path, headers: { host }, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      )
    })
      .on("error", reject)
      .end()
  })

const playground = async (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
  const started = startedBy(COMMAND, ["playground", ...args], { ...env, ...more })
  const [, url] = await started.until(/(http:\/\/127\.0\.0\.1:\d+\/)/)
  return { ...started, url }
}

describe("sallyport playground", { concurrency: 3 }, () => {
  it("serves the page on loopback with the policy that the page has, and ends with 0 at SIGINT", async () => {
    const { child, ended, url } = await playground(["--no-open"])
    const got = await get(url)
    assert.deepEqual([got.status, got.body], [200, HTML])
    assert.equal(got.headers["content-security-policy"], `${POLICY}; frame-ancestors 'none'`)
    assert.equal(got.headers["x-content-type-options"], "nosniff")
    assert.match(String(got.headers["content-type"]), /^text\/html/)
    const head = await get(url, { method: "HEAD" })
    assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", `${HTML.length}`])
    kill(child, "SIGINT")
    const { code, stdout, stderr } = await ended
    assert.deepEqual([code, stdout], [0, `${url}\n`])
    assertNoStack(stderr)
  })

  it("keeps no place for who was refused and does not close, and ends all the same", async () => {
    const { child, ended, url } = await playground(["--no-open"])
    const { host, hostname, port } = new URL(url)
    const sockets: Socket[] = []
    for (let i = 0; i < 70; i++) {
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).on("error", () => {})
      socket.write(`GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`)
      const [chunk]: readonly unknown[] = await once(socket, "data")
      assert.match(String(chunk), /^HTTP\/1.1 404 /)
      sockets.push(socket)
    }
    assert.equal((await get(url)).status, 200)
    // Nothing more is said on these, and they are open still.
    const idle = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).on("error", () => {})
    await once(idle, "connect")
    kill(child, "SIGTERM")
    assert.equal((await ended).code, 0)
    for (const socket of [...sockets, idle]) socket.destroy()
  })

  it("gives nothing to another name, by another method, or from another path", async () => {
    const { child, ended, url } = await playground(["--no-open", "--json"])
    const { port } = new URL(url)
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "127.0.0.1:1", `127.0.0.2:${port}`])
      assert.equal((await get(url, { host })).status, 421, host)
    assert.equal((await get(url, { host: `LOCALHOST:${port}` })).status, 200)
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const got = await get(url, { method })
      assert.deepEqual([got.status, got.headers.allow], [405, "GET, HEAD"], method)
    }
    for (const path of [
      "/../package.json",
      "/..%2fpackage.json",
      "/%2e%2e/package.json",
      "//etc/passwd",
      "/live",
      "*",
    ]) {
      const got = await get(url, { path })
      assert.equal(got.status, 404, path)
      assert.doesNotMatch(got.body, /sallyport"|root:/)
    }
    kill(child, "SIGTERM")
    const { code, stdout } = await ended
    assert.deepEqual([code, JSON.parse(stdout)], [0, { url }])
  })

  it("serves on the port that is asked for, and says so when that one is taken", async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    const address = taken.address()
    assert.ok(typeof address === "object" && address !== null)
    const refused = await sallyport(["playground", "--no-open", "--port", `${address.port}`], "", env)
    await new Promise((resolve) => taken.close(resolve))
    assert.deepEqual([refused.code, refused.stdout], [1, ""])
    assert.match(refused.stderr, /^sallyport: option '--port': 127\.0\.0\.1:\d+ is in use already; choose another\n$/)
    const { child, ended, url } = await playground(["--no-open", "--port", `${address.port}`])
    assert.equal(url, `http://127.0.0.1:${address.port}/`)
    kill(child, "SIGINT")
    assert.equal((await ended).code, 0)
  })

  it("opens the browser, and goes on when it cannot", {
    skip: process.platform !== "linux" && "Linux has xdg-open",
  }, async () => {
    const opened = join(home, "opened")
    const opener = join(home, "xdg-open")
    writeFileSync(opener, `#!/bin/sh\nprintf %s "$1" > ${opened}.new && mv ${opened}.new ${opened}\nexit 3\n`)
    chmodSync(opener, 0o755)
    const PATH = `${home}${delimiter}${process.env.PATH}`
    const one = await playground([], { PATH })
    await one.untilError(/No browser was opened \(xdg-open ended with 3\): open the address yourself\.\n/)
    assert.equal(readFileSync(opened, "utf8"), one.url)
    assert.equal((await get(one.url)).status, 200)
    kill(one.child, "SIGINT")
    assert.equal((await one.ended).code, 0)
    const none = await playground([], { PATH: join(home, "nothing") })
    await none.untilError(/No browser was opened \(there is no xdg-open\)/)
    kill(none.child, "SIGINT")
    assert.equal((await none.ended).code, 0)
  })

  it("prints where the page is as a file", async () => {
    assert.deepEqual(await sallyport(["playground", "--file"], "", env), { code: 0, stdout: `${file}\n`, stderr: "" })
    const { stdout } = await sallyport(["playground", "--file", "--json"], "", env)
    assert.deepEqual(JSON.parse(stdout), { file })
  })

  it("says in a line that a page is not there, and what is wrong with its options", async () => {
    const gone = join(home, "gone.html")
    const missing = await sallyport(["playground"], "", { SALLYPORT_PLAYGROUND: gone })
    assert.deepEqual(missing, {
      code: 1,
      stdout: "",
      stderr: `sallyport: the playground's page is not there: ${gone}\n`,
    })
    const folder = await sallyport(["playground", "--file"], "", { SALLYPORT_PLAYGROUND: home })
    assert.equal(folder.code, 1)
    assert.match(folder.stderr, /^sallyport: cannot read the playground's page .*\n$/)
    for (const args of [["--port", "65536"], ["--port", "1", "--port", "2"], ["--file", "--port", "1"], ["now"]]) {
      const { code, stderr } = await sallyport(["playground", ...args], "", env)
      assert.equal(code, 1)
      assert.match(stderr, /^sallyport: .*\n$/)
    }
  })
})
