import process from "node:process"
import {
  type Child,
  type DiscoverGatewaysOptions,
  type Discovery,
  discoverGatewaysOf,
  ENDIAN,
  failed,
  type GatewaySystem,
  outputOf,
  PROGRAM_TIMEOUT,
  type Printing,
  type Programs,
  programsOf,
} from "../gateway/index.ts"

interface SpawnOptions {
  readonly stdin: "ignore"
  readonly stdout: "pipe"
  readonly stderr: "pipe"
  readonly windowsHide: true
}

declare const Bun: {
  file(path: string): { text(): Promise<string> }
  spawn(
    words: readonly string[],
    options: SpawnOptions,
  ): {
    readonly stdout: Printing
    readonly stderr: Printing
    readonly exited: Promise<number>
    kill(signal: "SIGKILL"): void
  }
}

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

/** {@link GatewaySystem} on `Bun.file` and `Bun.spawn`. */
export const gatewaySystem = (platform: string, programs: Programs, timeout: number): GatewaySystem => ({
  platform,
  endian: ENDIAN,
  read: async (path, signal) => {
    try {
      signal?.throwIfAborted()
      return { ok: true, text: await Bun.file(path).text() }
    } catch (cause) {
      return failed(cause, signal)
    }
  },
  run: (program, args, signal) => outputOf(() => start(programs[program], args), timeout, signal),
})

const start = (program: string, args: readonly string[]): Child => {
  const options = { stdin: "ignore", stdout: "pipe", stderr: "pipe", windowsHide: true } as const
  const child = Bun.spawn([program, ...args], options)
  return { stdout: child.stdout, stderr: child.stderr, exited: child.exited, kill: () => child.kill("SIGKILL") }
}
