import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { createSocket, type Socket } from "node:dgram"
import { once } from "node:events"
import { after } from "node:test"
import { fileURLToPath } from "node:url"

/** `npm test` bundles the command once, as it starts sooner then; a file that runs by itself starts the sources. */
const MAIN = process.env.SALLYPORT_COMMAND ?? fileURLToPath(new URL("../../../adapters/cli/main.ts", import.meta.url))

/** The arguments that start the command. */
export const COMMAND: readonly string[] = [process.execPath, MAIN]

/** Servers that a failed test left running would keep its file from ending. */
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill("SIGKILL")
})

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command to its end. */
export const sallyport = (
  args: readonly string[],
  input: string | Uint8Array = "",
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> => endedBy(COMMAND, args, input, env)

/** Runs any command to its end. */
export const endedBy = async (
  command: readonly string[],
  args: readonly string[],
  input: string | Uint8Array = "",
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> => {
  const child = spawn(command[0], [...command.slice(1), ...args], { stdio: "pipe", env: { ...process.env, ...env } })
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  await once(child, "close")
  return { code: child.exitCode, stdout: out.text(), stderr: err.text() }
}

const collect = (stream: NodeJS.ReadableStream) => {
  const chunks: Buffer[] = []
  let waiting: (() => void)[] = []
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  })
  const text = (): string => Buffer.concat(chunks).toString()
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(text())
      if (match !== null) return match
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
      })
    }
  }
  return { text, until }
}

/** As its own `kill`, which on Deno does it once only, and then knows no exit code. */
export const kill = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(child.pid, signal)
}

/** Any command that runs until it is told to end. */
export const startedBy = (command: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const child = spawn(command[0], [...command.slice(1), ...args], { stdio: "pipe", env: { ...process.env, ...env } })
  running.add(child)
  child.once("exit", () => running.delete(child))
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  const ended = once(child, "close").then(
    (): Ended => ({ code: child.exitCode, stdout: out.text(), stderr: err.text() }),
  )
  const early = ended.then(({ stderr }) => {
    throw new Error(`it ended: ${stderr}`)
  })
  early.catch(() => {})
  return {
    child,
    ended,
    until: (pattern: RegExp) => Promise.race([out.until(pattern), early]),
    untilError: (pattern: RegExp) => Promise.race([err.until(pattern), early]),
  }
}

/** A `serve` on a port of its own, unless the arguments say where. */
export const serving = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  servingBy(COMMAND, args.includes("--listen") ? args : ["--listen", "127.0.0.1:0", ...args], env)

/** Milliseconds to come up or to end: far more than any server takes, as a test that waits for ever says nothing. */
const PATIENCE = 120_000

/** A `serve` that has begun to listen, started by any command. */
export const servingBy = async (command: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const child: ChildProcess = spawn(command[0], [...command.slice(1), "serve", ...args], {
    stdio: "pipe",
    env: { ...process.env, ...env },
  })
  running.add(child)
  child.once("exit", () => running.delete(child))
  assert.ok(child.stdout !== null && child.stderr !== null)
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  const started = args.includes("--json")
    ? out.until(/"event":"listening".*"port":(\d+)/)
    : err.until(/Listening.*:(\d+)/)
  const ended = once(child, "close")
  const exited = once(child, "exit")
  const early = ended.then(() => {
    throw new Error(`serve ended: ${err.text()}`)
  })
  early.catch(() => {})
  /** The promise, or a server that is killed: then it fails with what that had said. */
  const within = <T>(promise: Promise<T>): Promise<T> => {
    const late = setTimeout(() => kill(child, "SIGKILL"), PATIENCE)
    return promise.finally(() => clearTimeout(late))
  }
  const port = Number((await within(Promise.race([started, early])))[1])
  return {
    child,
    port,
    stdout: out.text,
    stderr: err.text,
    until: (pattern: RegExp) => Promise.race([out.until(pattern), early]),
    untilError: (pattern: RegExp) => Promise.race([err.until(pattern), early]),
    records: () => records(out.text()),
    stop: async (signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> => {
      kill(child, signal)
      await within(exited)
      // A test may have stopped reading.
      child.stdout?.resume()
      await ended
      return { code: child.exitCode, stdout: out.text(), stderr: err.text() }
    },
  }
}

/** What a line of JSON holds, as far as tests look into it. */
export type JsonRecord = { readonly [name: string]: unknown }

const isRecord = (value: unknown): value is JsonRecord => typeof value === "object" && value !== null

/** Every complete line, each of which must be an object. */
export const records = (text: string): JsonRecord[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const value: unknown = JSON.parse(line)
      assert.ok(isRecord(value), line)
      return value
    })

/** A client socket on a loopback address that asks and waits for the answer, again if need be. */
export const client = async (own: "127.0.0.1" | "::1" = "127.0.0.1") => {
  const socket: Socket = createSocket(own === "::1" ? "udp6" : "udp4")
  socket.bind(0, own)
  await once(socket, "listening")
  return {
    port: socket.address().port,
    ask: async (bytes: Uint8Array, port: number, host: string = own): Promise<Uint8Array> => {
      const again = setInterval(() => socket.send(bytes, port, host), 1000)
      socket.send(bytes, port, host)
      const [answer] = await once(socket, "message")
      clearInterval(again)
      return answer
    },
    send: (bytes: Uint8Array, port: number, host = "127.0.0.1"): Promise<void> =>
      new Promise((resolve) => socket.send(bytes, port, host, () => resolve())),
    close: (): void => {
      socket.close()
    },
  }
}

/** Octets from hex digits with any spacing. */
export const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"))

/** A 60-octet MAP request of 127.0.0.1 (RFC 6887 section 11.1). */
export const mapRequest = (
  port: number,
  lifetime: number,
  nonce = "0102030405060708090a0b0c",
  protocol = 17,
): Uint8Array => {
  const number = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")
  const head = `02010000 ${number(lifetime, 8)} 00000000000000000000ffff7f000001`
  return octets(
    `${head} ${nonce} ${number(protocol, 2)}000000 ${number(port, 4)} 0000 00000000000000000000ffff00000000`,
  )
}

/** Standard error must never show people where in the code something went wrong. */
export const assertNoStack = (text: string): void => {
  assert.doesNotMatch(text, /\n\s+at |node:internal|\.ts:\d+/)
}
