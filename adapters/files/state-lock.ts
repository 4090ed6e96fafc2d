import { closeSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from "node:fs"
import process from "node:process"
import { hasCode, reasonOf } from "../system-error.ts"

/** Keeps a state file for one server: others are told who has it. */
export interface StateLock {
  /** Gives the file up. Twice is once. */
  release(): void
}

/** The lock, or who has it. */
export type Locked = { readonly ok: true; readonly lock: StateLock } | { readonly ok: false; readonly text: string }

/** Times that a lock left behind is taken away, should others try the same at the same instant. */
const TRIES = 5

/**
 * Takes the lock of a state file: `PATH.lock`, mode 0600, with the process's number and, where the system says so, when that
 * process began, so that another with its number is not taken for it. One whose process is gone is taken over.
 */
export const lockState = (path: string): Locked => {
  const lock = `${path}.lock`
  const own = ownerText(process.pid)
  try {
    for (let n = 0; n < TRIES; n++) {
      if (create(lock, own)) return { ok: true, lock: { release: () => release(lock, own) } }
      const owner = read(lock)
      if (owner === undefined) continue
      if (owner === "" ? isYoung(lock) : isAlive(owner))
        return {
          ok: false,
          text: `another server has it${owner === "" ? "" : `: process ${Number.parseInt(owner, 10)}`} (${lock})`,
        }
      takeAway(lock, owner)
    }
    return { ok: false, text: `another server is about to have it (${lock})` }
  } catch (cause) {
    return { ok: false, text: reasonOf(cause) }
  }
}

const create = (lock: string, text: string): boolean => {
  try {
    const file = openSync(lock, "wx", 0o600)
    writeSync(file, text)
    closeSync(file)
    return true
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) return false
    throw cause
  }
}

const read = (lock: string): string | undefined => {
  try {
    return readFileSync(lock, "utf8")
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return undefined
    throw cause
  }
}

/** Takes a lock away that was left behind. Renamed first: of several who try, one has it, and sees whether it was the one. */
const takeAway = (lock: string, owner: string): void => {
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return
    throw cause
  }
  // Somebody was faster, and this is his.
  if (read(aside) !== owner) renameSync(aside, lock)
  else unlinkSync(aside)
}

const release = (lock: string, own: string): void => {
  try {
    if (read(lock) === own) unlinkSync(lock)
  } catch {
    // The next server finds it left behind.
  }
}

/** Milliseconds that a lock may be empty, as its owner is still to write into it. */
const YOUNG = 5000

const isYoung = (lock: string): boolean => {
  const there = statSync(lock, { throwIfNoEntry: false })
  return there !== undefined && Date.now() - there.mtimeMs < YOUNG
}

/** A process as its lock names it: its number, and which of all processes with that number it is. */
const ownerText = (pid: number): string => `${pid} ${beginningOf(pid) ?? ""}\n`

/** When a process began, where the system says so: Linux has it in ticks since a start with a name of its own. */
const beginningOf = (pid: number): string | undefined => {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name of the program, in brackets, may have blanks in it. The 22nd field is the beginning.
    return `${boot}/${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`
  } catch {
    return undefined
  }
}

const isAlive = (owner: string): boolean => {
  const [number, beginning] = owner.trim().split(" ")
  const pid = Number(number)
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (cause) {
    // EPERM: it is there, another user's.
    if (hasCode(cause, "ESRCH")) return false
  }
  if (beginning === undefined) return pid !== process.pid
  return beginningOf(pid) === beginning
}
