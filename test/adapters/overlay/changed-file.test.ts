import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { describe, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { publishToFile } from "../../../adapters/overlay/index.ts"
import { watchFile } from "../../../adapters/overlay/watched-file.ts"
import { address } from "../udp-suite.ts"
import { A, B, box, folder, mac } from "./scene.ts"

describe("a file that changes", () => {
  test("what was read slowly is not taken for newer than what was there after it", {
    skip: process.platform === "win32" && "has no pipes in its file system",
  }, async (t) => {
    const path = join(folder(t), "hosts.json")
    // Who opens a pipe waits for its other side: a reading that takes as long as the test wants.
    execFileSync("mkfifo", [path])
    const told = box<string>()
    const watched = watchFile(path, "first", told.put)
    t.after(watched.close)
    const slow = await open(path, "w")
    writeFileSync(`${path}.new`, "newest")
    renameSync(`${path}.new`, path)
    await watched.again()
    assert.deepEqual(told.all(), ["newest"])
    await slow.writeFile("oldest")
    await slow.close()
    // A reading that begins now ends after that one.
    for (let i = 0; i < 3; i++) await watched.again()
    assert.deepEqual(told.all(), ["newest"])
  })

  test("one that is written again and again without a rest is read all the same", async (t) => {
    const path = join(folder(t), "hosts.json")
    writeFileSync(path, "first")
    const told = box<string>()
    const watched = watchFile(path, "first", told.put)
    t.after(watched.close)
    // Far more often than writers are waited for, and for far longer than they are.
    for (let i = 0; i < 500 && told.all().length < 2; i++) {
      writeFileSync(path, `text ${i}`)
      await setTimeout(5)
    }
    assert.ok(told.all().length >= 2, "it was not read while it was written")
  })

  test("a file that ends are published to keeps its mode, and one that is made is its owner's alone", {
    skip: process.platform === "win32" && "has no such modes",
  }, async (t) => {
    const path = join(folder(t), "ends.json")
    const end = { address: address("198.51.100.7"), port: 4789 }
    const mode = (): string => (statSync(path).mode & 0o777).toString(8)
    await publishToFile(path, [mac(A)], end)
    assert.equal(mode(), "600")
    // More than an umask leaves.
    chmodSync(path, 0o664)
    await publishToFile(path, [mac(B)], end)
    assert.equal(mode(), "664")
    await publishToFile(path, [mac(A), mac(B)], undefined)
    assert.equal(mode(), "664")
  })

  test("of ends that are published to it at once each is there", async (t) => {
    const path = join(folder(t), "ends.json")
    const end = (port: number) => ({ address: address("198.51.100.7"), port })
    await Promise.all([
      publishToFile(path, [mac(A)], end(1)),
      publishToFile(path, [mac(B)], end(2)),
      publishToFile(path, [mac(A)], end(3)),
    ])
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), {
      "de:ad:be:ef:00:01": { ip: "198.51.100.7", port: 2 },
      "de:ad:be:ef:00:00": { ip: "198.51.100.7", port: 3 },
    })
  })
})
