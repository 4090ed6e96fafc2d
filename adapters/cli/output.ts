import { constants, fstatSync, openSync } from "node:fs"
import { isatty } from "node:tty"

/**
 * A descriptor of standard output whose writes never block. A blocked write would hold a thread that Node waits for when it
 * exits, so nothing but SIGKILL would end a server whose reader sleeps. Its own opening of the pipe or terminal, as the
 * flag of the inherited one is shared with the shell; where there is no /proc the inherited one has to do.
 */
export const openOutput = (): number => {
  try {
    if (!fstatSync(1).isFIFO() && !isatty(1)) return 1
    return openSync("/proc/self/fd/1", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return 1
  }
}
