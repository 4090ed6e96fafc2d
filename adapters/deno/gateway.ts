import {
  type Child,
  type DiscoverGatewaysOptions,
  type Discovery,
  discoverGatewaysOf,
  ENDIAN,
  failed,
  type GatewaySystem,
  type Output,
  outputOf,
  PROGRAM_TIMEOUT,
  type Printing,
  type Programs,
  programsOf,
} from "../gateway/index.ts"

interface CommandOptions {
  readonly args: readonly string[]
  readonly stdin: "null"
  readonly stdout: "piped"
  readonly stderr: "piped"
}

declare const Deno: {
  readonly build: { readonly os: string }
  readonly env: { get(name: string): string | undefined }
  readTextFile(path: string, options: { readonly signal?: AbortSignal }): Promise<string>
  readonly Command: new (
    program: string,
    options: CommandOptions,
  ) => {
    spawn(): {
      readonly stdout: Printing
      readonly stderr: Printing
      readonly status: Promise<{ readonly code: number }>
      kill(signal: "SIGKILL"): void
    }
  }
}

/**
 * The default gateways of this host, both families: from `/proc` on Linux, which Deno reads with `--allow-all` only; by `netstat` and
 * `route` on macOS and the BSDs, and by PowerShell, or else `route print`, on Windows, which want `--allow-run` of them. No shell is
 * involved, and nothing is looked for in the path. Never rejects: where nothing is found `none` says why, and the trials what
 * was asked, and which permission was missing.
 */
export const discoverGateways = ({
  signal,
  platform = thisPlatform(),
  timeout = PROGRAM_TIMEOUT,
}: DiscoverGatewaysOptions = {}): Promise<Discovery> =>
  discoverGatewaysOf(gatewaySystem(platform, programsOf(platform, systemRoot(platform)), timeout), signal)

/** As the other runtimes name it. */
const thisPlatform = (): string => (Deno.build.os === "windows" ? "win32" : Deno.build.os)

/** Wants `--allow-env=SystemRoot`, on Windows alone; without it Windows is where it usually is. */
const systemRoot = (platform: string): string | undefined => {
  if (platform !== "win32") return undefined
  try {
    return Deno.env.get("SystemRoot")
  } catch {
    return undefined
  }
}

/** {@link GatewaySystem} on `Deno.readTextFile` and `Deno.Command`. */
export const gatewaySystem = (platform: string, programs: Programs, timeout: number): GatewaySystem => ({
  platform,
  endian: ENDIAN,
  read: async (path, signal) => {
    try {
      return { ok: true, text: await Deno.readTextFile(path, signal === undefined ? {} : { signal }) }
    } catch (cause) {
      return denied(cause) ?? failed(cause, signal)
    }
  },
  run: (program, args, signal) => outputOf(() => start(programs[program], args), timeout, signal, denied),
})

const start = (program: string, args: readonly string[]): Child => {
  const command = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" })
  const child = command.spawn()
  return {
    stdout: child.stdout,
    stderr: child.stderr,
    exited: child.status.then(({ code }) => code),
    kill: () => child.kill("SIGKILL"),
  }
}

/** What Deno itself does not permit; it says which flag would. */
const denied = (cause: unknown): Output | undefined =>
  cause instanceof Error && cause.name === "NotCapable"
    ? { ok: false, reason: "refused", text: cause.message }
    : undefined
