import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { reasonOf } from "../../system-error.ts"
import { makeFolder } from "../folder.ts"
import type { Read } from "../read.ts"

/** Where the servers of one user have their control sockets: a folder of that user alone, one socket a process. */
export const controlFolder = (env: NodeJS.ProcessEnv = process.env): string => {
  const user = process.getuid?.() ?? 0
  if (env.XDG_RUNTIME_DIR !== undefined && env.XDG_RUNTIME_DIR !== "") return join(env.XDG_RUNTIME_DIR, "sallyport")
  return user === 0 ? "/run/sallyport" : join(tmpdir(), `sallyport-${user}`)
}

/** Whose sockets: those of `serve`, or of another command, by what their names begin with. */
export type SocketKind = "" | "overlay-"

/** The socket of this process, unless it is told another path. */
export const ownSocket = (kind: SocketKind = ""): string => join(controlFolder(), `${kind}${process.pid}.sock`)

/** The sockets in the folder, of servers that run or were killed. */
export const knownSockets = (kind: SocketKind = ""): readonly string[] => {
  const folder = controlFolder()
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(kind) && /^\d+\.sock$/.test(name.slice(kind.length)))
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}

/**
 * Sees to the folder of a socket. The one for everybody's default is made if it is not there, mode 0700, and must be its
 * user's own: in a folder that all may write to, anybody could have made it first. Of another path the last folder is made
 * alike, and those before it have to be there: a path with a slip of the pen makes no tree of folders.
 */
export const prepareFolder = (path: string): Read<undefined> => {
  const folder = dirname(path)
  try {
    if (folder !== controlFolder()) {
      if (statSync(dirname(folder), { throwIfNoEntry: false })?.isDirectory() !== true)
        return { ok: false, text: `there is no folder ${dirname(folder)}` }
      if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
      return { ok: true, value: undefined }
    }
    makeFolder(folder)
    const { mode, uid } = lstatSync(folder)
    const isFolder = (mode & 0o170000) === 0o040000
    if (!isFolder || uid !== process.getuid?.()) return { ok: false, text: `${folder} belongs to somebody else` }
    if ((mode & 0o077) !== 0) chmodSync(folder, 0o700)
    return { ok: true, value: undefined }
  } catch (cause) {
    return { ok: false, text: `${folder}: ${reasonOf(cause)}` }
  }
}
