import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"

const has = (program: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Are the server and its load kept apart, each on a core of its own? */
export const isPinned = has("taskset") && availableParallelism() > 1

/** A command held to one core where that can be done. */
export const pinned = (core: number, command: readonly string[]): readonly string[] =>
  isPinned ? ["taskset", "-c", `${core}`, ...command] : command

/** A path of the repository. */
export const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url))

/** Starts a server on core 0 and waits until its output says that it is ready. */
export const startServer = async (command: readonly string[], ready: RegExp): Promise<ChildProcess> => {
  const [name, ...args] = pinned(0, command)
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] })
  await new Promise<void>((resolve, reject) => {
    let text = ""
    const look = (chunk: Buffer): void => {
      text += chunk.toString()
      if (ready.test(text)) resolve()
    }
    child.stdout.on("data", look)
    child.stderr.on("data", look)
    child.once("error", reject)
    child.once("exit", () => reject(new Error(`${command.join(" ")}: ${text}`)))
  })
  return child
}

export const stopServer = async (child: ChildProcess): Promise<void> => {
  const ended = once(child, "exit")
  child.kill("SIGTERM")
  await ended
}

export interface Load {
  /** Answers a second, once everything is warm. */
  readonly rate: number
  readonly refused: number
  /** Microseconds of processor time that the server spent on a request: says more than the rate on a busy machine. */
  readonly cpu: number
}

/** Runs the load generator on core 1 against a server on 127.0.0.1. */
export const load = (server: ChildProcess, port: number, seconds: number, mappings: number, window: number): Load => {
  const bun = path("node_modules/.bin/bun")
  const words = [bun, path("test/bench/udp/load.ts"), ...[port, seconds, mappings, window, server.pid].map(String)]
  const [name, ...args] = pinned(1, words)
  const result: unknown = JSON.parse(execFileSync(name, args, { encoding: "utf8" }))
  if (
    typeof result !== "object" ||
    result === null ||
    !("rate" in result) ||
    !("refused" in result) ||
    !("cpu" in result)
  )
    throw new Error("the load generator printed something else")
  return { rate: Number(result.rate), refused: Number(result.refused), cpu: Number(result.cpu) }
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]
