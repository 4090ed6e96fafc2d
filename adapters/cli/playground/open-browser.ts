import { spawn } from "node:child_process"
import { hasCode, reasonOf } from "../../system-error.ts"

/** The program by which a system opens an address as its user would. */
const openerOf = (platform: NodeJS.Platform, url: string): readonly [string, ...string[]] => {
  switch (platform) {
    case "darwin":
      return ["open", url]
    case "win32":
      // The first argument of `start` in quotes is a window's title.
      return ["cmd", "/c", "start", '""', url]
    default:
      return ["xdg-open", url]
  }
}

/** Opens an address in the user's browser; `failed` hears why not, at some time. */
export const openBrowser = (url: string, failed: (why: string) => void): void => {
  const [program, ...args] = openerOf(process.platform, url)
  try {
    const child = spawn(program, args, { stdio: "ignore", detached: process.platform !== "win32" })
    child.once("error", (cause) => failed(hasCode(cause, "ENOENT") ? `there is no ${program}` : reasonOf(cause)))
    child.once("exit", (code) => {
      if (code !== 0 && code !== null) failed(`${program} ended with ${code}`)
    })
    child.unref()
  } catch (cause) {
    // Deno without --allow-run.
    failed(reasonOf(cause))
  }
}
