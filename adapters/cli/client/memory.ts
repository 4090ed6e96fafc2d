import { closeSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, isAbsolute, join } from "node:path"
import { z } from "zod"
import { lockState } from "#runtime"
import { hasCode, reasonOf } from "../../system-error.ts"
import { makeFolder } from "../folder.ts"
import type { Read } from "../read.ts"

const port = z.int().min(0).max(65535)
const hex = z.string().regex(/^([0-9a-f]{2})*$/)

/** A mapping as a later run needs it to renew and to delete it. Addresses are text; `nonce` is a secret. */
const remembered = z.strictObject({
  /** As events call it: its address, with its zone and any port but 5351. */
  server: z.string(),
  via: z.enum(["pcp", "nat-pmp"]),
  /** The own address that it was asked from. */
  client: z.string(),
  protocol: z.int().min(0).max(255),
  internalPort: port,
  /** Of an outbound mapping. */
  remote: z.string().optional(),
  remotePort: port.optional(),
  thirdParty: z.string().optional(),
  thirdPartyId: hex.optional(),
  /** Ports of a set (RFC 7753). */
  ports: z.int().min(2).max(65535).optional(),
  nonce: z.string().regex(/^[0-9a-f]{24}$/),
  /** What was assigned; without it, nobody has answered yet. */
  external: z.string().optional(),
  externalPort: port.optional(),
  /** When it ends at the latest, by the wall clock. */
  ends: z.iso.datetime(),
})

export type Remembered = Readonly<z.infer<typeof remembered>>

const FORMAT = "sallyport mappings 1"
const contents = z.strictObject({ format: z.literal(FORMAT), mappings: z.array(remembered) })

/** Where mappings are remembered unless the user says where: by the XDG base directories, and on Windows among local data. */
export const usualMemory = (env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string => {
  if (platform === "win32")
    return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "sallyport", "mappings.json")
  const { XDG_STATE_HOME: state = "", HOME = homedir() } = env
  // A relative path is to be ignored.
  return join(isAbsolute(state) ? state : join(HOME, ".local", "state"), "sallyport", "mappings.json")
}

/** Milliseconds, and how often, a writer waits for another one to be done. */
const STEP = 25
const STEPS = 80

/** What the file remembers; nothing where there is none. */
export const readMemory = (path: string): Read<readonly Remembered[]> => {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    return hasCode(cause, "ENOENT") ? { ok: true, value: [] } : { ok: false, text: `${path}: ${reasonOf(cause)}` }
  }
  return parseMemory(path, text)
}

const parseMemory = (path: string, text: string): Read<readonly Remembered[]> => {
  try {
    const read = contents.safeParse(JSON.parse(text))
    if (read.success) return { ok: true, value: read.data.mappings }
  } catch {
    // Not even JSON.
  }
  return { ok: false, text: `${path}: it is no file of remembered mappings` }
}

/**
 * Changes what the file remembers, as a whole or not at all, and leaves out what ended by itself. The file is its owner's alone, and
 * of several that write at once each waits for its turn.
 */
export const changeMemory = async (
  path: string,
  change: (mappings: readonly Remembered[]) => readonly Remembered[],
  wallClock: number,
): Promise<Read<readonly Remembered[]>> => {
  try {
    makeFolder(dirname(path))
  } catch (cause) {
    return { ok: false, text: `${path}: ${reasonOf(cause)}` }
  }
  let locked = lockState(path)
  for (let n = 0; n < STEPS && !locked.ok; n++) {
    await new Promise((resolve) => setTimeout(resolve, STEP))
    locked = lockState(path)
  }
  if (!locked.ok) return { ok: false, text: `${path}: ${locked.text}` }
  try {
    const before = readMemory(path)
    if (!before.ok) return before
    const after = change(before.value.filter(({ ends }) => Date.parse(ends) > wallClock))
    // Nothing to remember, and nothing there: no file.
    if (after.length > 0 || before.value.length > 0)
      write(path, `${JSON.stringify({ format: FORMAT, mappings: after }, null, 1)}\n`)
    return { ok: true, value: after }
  } catch (cause) {
    return { ok: false, text: `${path}: ${reasonOf(cause)}` }
  } finally {
    locked.lock.release()
  }
}

const write = (path: string, text: string): void => {
  const temporary = `${path}.new`
  try {
    unlinkSync(temporary)
  } catch (cause) {
    if (!hasCode(cause, "ENOENT")) throw cause
  }
  // "wx": never through a link that somebody put there.
  const file = openSync(temporary, "wx", 0o600)
  try {
    writeFileSync(file, text)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}

/** Which mapping it is: the server has one for each. */
export const keyOf = (mapping: Omit<Remembered, "nonce" | "ends" | "via">): string =>
  JSON.stringify([
    mapping.server,
    mapping.client,
    mapping.protocol,
    mapping.internalPort,
    mapping.remote,
    mapping.remotePort,
    mapping.thirdParty,
    mapping.thirdPartyId,
  ])
