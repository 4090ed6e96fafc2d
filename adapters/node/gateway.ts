import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { endianness } from "node:os"
import { win32 } from "node:path"
import process from "node:process"
import {
  type Discovery,
  discoverGatewaysOf,
  type FailureReason,
  type GatewayProgram,
  type GatewaySystem,
  type Output,
} from "../gateway/index.ts"
import { hasCode, reasonOf } from "../system-error.ts"

/** How the default gateways are looked for. */
export interface DiscoverGatewaysOptions {
  /** Ends the search early; what was found until then is the answer. */
  readonly signal?: AbortSignal
  /** Whose sources to ask, as `process.platform` has it, which it is by default. */
  readonly platform?: string
  /** Milliseconds that each program may take; 10 000 by default, as PowerShell takes seconds to start on a busy machine. */
  readonly timeout?: number
}

/**
 * The default gateways of this host, both families: from `/proc` on Linux, by `netstat` and `route` on macOS and the BSDs, and by
 * PowerShell, or else `route print`, on Windows. No shell is involved, and nothing is looked for in the path. Never rejects:
 * where nothing is found `none` says why, and the trials what was asked.
 */
export const discoverGateways = ({
  signal,
  platform = process.platform,
  timeout = 10_000,
}: DiscoverGatewaysOptions = {}): Promise<Discovery> =>
  discoverGatewaysOf(nodeGatewaySystem(platform, programsOf(platform), timeout), signal)

/** Where each program is. */
type Programs = Readonly<Record<GatewayProgram, string>>

const programsOf = (platform: string): Programs => {
  if (platform === "win32") {
    const system = win32.join(process.env.SystemRoot ?? "C:\\Windows", "System32")
    const inSystem = (...path: readonly string[]): string => win32.join(system, ...path)
    return {
      netstat: inSystem("netstat.exe"),
      route: inSystem("route.exe"),
      powershell: inSystem("WindowsPowerShell", "v1.0", "powershell.exe"),
    }
  }
  const netstat = platform === "darwin" ? "/usr/sbin/netstat" : "/usr/bin/netstat"
  return { netstat, route: "/sbin/route", powershell: "/usr/bin/pwsh" }
}

/** Octets of a listing: a host with all of the Internet's routes has more, and says so. */
const LONGEST = 64 * 1024 * 1024

/** {@link GatewaySystem} on `node:fs` and `node:child_process`. */
export const nodeGatewaySystem = (platform: string, programs: Programs, timeout: number): GatewaySystem => ({
  platform,
  endian: endianness() === "LE" ? "little" : "big",
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
        maxBuffer: LONGEST,
        windowsHide: true,
        ...(signal === undefined ? {} : { signal }),
      } as const
      try {
        execFile(programs[program], args, options, (cause, stdout) => {
          resolve(cause === null ? { ok: true, text: stdout } : failed(cause, signal))
        })
      } catch (cause) {
        resolve(failed(cause, signal))
      }
    }),
})

const failed = (cause: unknown, signal: AbortSignal | undefined): Output => {
  const reason = failureOf(cause, signal)
  // Of a program that failed the message is its command line, and then what it wrote: the end of that says most.
  const text = reason === "timeout" ? "it took too long" : (reasonOf(cause).trim().split("\n").at(-1) ?? "")
  return { ok: false, reason, text }
}

const failureOf = (cause: unknown, signal: AbortSignal | undefined): FailureReason => {
  if (signal?.aborted) return "aborted"
  if (["ENOENT", "ENOTDIR"].some((code) => hasCode(cause, code))) return "absent"
  if (["EACCES", "EPERM"].some((code) => hasCode(cause, code))) return "refused"
  if (!(cause instanceof Error && "code" in cause) || typeof cause.code === "string") return "other"
  return "killed" in cause && cause.killed === true ? "timeout" : "exit"
}
