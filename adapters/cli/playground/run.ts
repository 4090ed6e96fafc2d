import { stopSignal } from "../client/stop-signal.ts"
import { complain, note } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { openBrowser } from "./open-browser.ts"
import { findPage } from "./page-file.ts"
import { startWeb } from "./web.ts"

export interface PlaygroundOptions {
  readonly port?: number
  readonly open: boolean
  readonly file?: boolean
  readonly json?: boolean
}

/** Serves the page until a signal, or says where it is as a file; gives the exit code. */
export const playground = async ({ port = 0, open, file, json }: PlaygroundOptions): Promise<ExitCode> => {
  const page = findPage()
  if (!page.ok) {
    complain(page.text)
    return Exit.USAGE
  }
  if (file === true) {
    say(json, "file", page.value.path)
    return Exit.DONE
  }
  const started = await startWeb({ port, path: "/", page: () => page.value.html })
  if (!started.ok) {
    complain(`option '--port': ${started.text}`)
    return Exit.USAGE
  }
  const { url, stop } = started.value
  const { signal } = stopSignal()
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
  say(json, "url", url)
  note("The page is there until Ctrl-C; it connects to nobody.")
  if (open) openBrowser(url, (why) => note(`No browser was opened (${why}): open the address yourself.`))
  await stopped
  await stop()
  return Exit.DONE
}

const say = (json: boolean | undefined, name: string, where: string): void => {
  process.stdout.write(`${json === true ? JSON.stringify({ [name]: where }) : where}\n`)
}
