import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, test } from "node:test"
import { lockState } from "../../../adapters/files/index.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-lock-"))
after(() => rmSync(folder, { recursive: true }))

/** A state file's path, and what its lock says. */
const place = (name: string) => {
  const path = join(folder, name)
  return { path, lock: `${path}.lock` }
}

test("one has the lock at a time, and the next when it is released", () => {
  const { path, lock } = place("one")
  const first = lockState(path)
  assert.ok(first.ok)
  assert.equal(statSync(lock).mode & 0o777, 0o600)
  const second = lockState(path)
  assert.deepEqual(second, { ok: false, text: `another server has it: process ${process.pid} (${lock})` })
  first.lock.release()
  assert.equal(existsSync(lock), false)
  const third = lockState(path)
  assert.ok(third.ok)
  third.lock.release()
})

test("a lock whose process is gone is taken over, and nothing else is left", () => {
  const { path, lock } = place("gone")
  const { pid } = spawnSync(process.execPath, ["--version"])
  writeFileSync(lock, `${pid} 0/0\n`)
  const taken = lockState(path)
  assert.ok(taken.ok)
  assert.match(readFileSync(lock, "utf8"), new RegExp(`^${process.pid} `))
  taken.lock.release()
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("gone")),
    [],
  )
})

test("another process with the number of one that is gone is not taken for it", { skip: noProc() }, () => {
  const { path, lock } = place("number")
  writeFileSync(lock, `${process.ppid} an-earlier-start-of-the-machine/1\n`)
  const taken = lockState(path)
  assert.ok(taken.ok)
  taken.lock.release()
})

test("an empty lock is somebody's who is about to write it, for some seconds", () => {
  const { path, lock } = place("empty")
  writeFileSync(lock, "")
  assert.deepEqual(lockState(path), { ok: false, text: `another server has it (${lock})` })
  utimesSync(lock, 1, 1)
  const taken = lockState(path)
  assert.ok(taken.ok)
  taken.lock.release()
})

test("what another took over meanwhile is not released with one's own", () => {
  const { path, lock } = place("other")
  const own = lockState(path)
  assert.ok(own.ok)
  writeFileSync(lock, "1 another\n")
  own.lock.release()
  assert.equal(readFileSync(lock, "utf8"), "1 another\n")
})

test("a lock that cannot be made says why", () => {
  const locked = lockState(join(folder, "no", "such", "file"))
  assert.match(locked.ok ? "" : locked.text, /no such file or folder/)
})

function noProc(): string | false {
  return existsSync("/proc/self/stat") ? false : "this system has no /proc to tell processes apart by"
}
