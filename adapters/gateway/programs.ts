import type { GatewayProgram } from "./discover.ts"

/** Where each program is. */
export type Programs = Readonly<Record<GatewayProgram, string>>

/** What every runtime's `discoverGateways` can be told. */
export interface DiscoverGatewaysOptions {
  /** Ends the search early; what was found until then is the answer. */
  readonly signal?: AbortSignal
  /** Whose sources to ask, as Node's `process.platform` has it; by default that of this host. */
  readonly platform?: string
  /** Milliseconds that each program may take; 10 000 by default, as PowerShell takes seconds to start on a busy machine. */
  readonly timeout?: number
}

/** {@link DiscoverGatewaysOptions.timeout} where nothing is said, milliseconds. */
export const PROGRAM_TIMEOUT = 10_000

/** Octets of a listing at most: a host with all of the Internet's routes has more, and says so. */
export const LONGEST_LISTING: number = 64 * 1024 * 1024

/** Where a platform has them; `systemRoot` is Windows' folder, its variable of that name. Nothing is looked for in the path. */
export const programsOf = (platform: string, systemRoot: string | undefined): Programs => {
  if (platform === "win32") {
    const system = `${(systemRoot ?? "C:\\Windows").replace(/[\\/]+$/, "")}\\System32`
    return {
      netstat: `${system}\\netstat.exe`,
      route: `${system}\\route.exe`,
      powershell: `${system}\\WindowsPowerShell\\v1.0\\powershell.exe`,
    }
  }
  const netstat = platform === "darwin" ? "/usr/sbin/netstat" : "/usr/bin/netstat"
  return { netstat, route: "/sbin/route", powershell: "/usr/bin/pwsh" }
}

/** The order of octets in a word of this machine. */
export const ENDIAN: "little" | "big" = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "little" : "big"
