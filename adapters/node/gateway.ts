import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import process from "node:process"
import {
  type DiscoverGatewaysOptions,
  type Discovery,
  discoverGatewaysOf,
  ENDIAN,
  failed,
  type GatewaySystem,
  LONGEST_LISTING,
  lastLine,
  type Output,
  PROGRAM_TIMEOUT,
  type Programs,
  programsOf,
  TIMED_OUT,
} from "../gateway/index.ts"
import { reasonOf } from "../system-error.ts"

/**
 * The default gateways of this host, both families: from `/proc` on Linux, by `netstat` and `route` on macOS and the BSDs, and by
 * PowerShell, or else `route print`, on Windows. No shell is involved, and nothing is looked for in the path. Never rejects:
 * where nothing is found `none` says why, and the trials what was asked.
 */
export const discoverGateways = ({
  signal,
  platform = process.platform,
  timeout = PROGRAM_TIMEOUT,
}: DiscoverGatewaysOptions = {}): Promise<Discovery> =>
  discoverGatewaysOf(gatewaySystem(platform, programsOf(platform, process.env.SystemRoot), timeout), signal)

/** {@link GatewaySystem} on `node:fs` and `node:child_process`. */
export const gatewaySystem = (platform: string, programs: Programs, timeout: number): GatewaySystem => ({
  platform,
  endian: ENDIAN,
  read: async (path, signal) => {
    try {
      return { ok: true, text: await readFile(path, signal === undefined ? "utf8" : { encoding: "utf8", signal }) }
    } catch (cause) {
      return failed(cause, signal)
    }
  },
  run: (program, args, signal) =>
    new Promise((resolve) => {
      const options = {
        encoding: "utf8",
        timeout,
        // A program that ignores a polite signal would keep this promise from resolving.
        killSignal: "SIGKILL",
        maxBuffer: LONGEST_LISTING,
        windowsHide: true,
        ...(signal === undefined ? {} : { signal }),
      } as const
      try {
        execFile(programs[program], args, options, (cause, stdout) => {
          resolve(cause === null ? { ok: true, text: stdout } : ended(cause, signal))
        })
      } catch (cause) {
        resolve(failed(cause, signal))
      }
    }),
})

/** A program that could not be started has a code of the system's, one that failed its exit code, or none if a signal ended it. */
const ended = (cause: Error, signal: AbortSignal | undefined): Output => {
  const isExit = "code" in cause && typeof cause.code !== "string"
  if (signal?.aborted || !isExit) return failed(cause, signal)
  if ("killed" in cause && cause.killed === true) return TIMED_OUT
  // The message is its command line, and then what it wrote.
  return { ok: false, reason: "exit", text: lastLine(reasonOf(cause)) ?? "" }
}
