import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync, renameSync, writeFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { describe, test } from "node:test"
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
