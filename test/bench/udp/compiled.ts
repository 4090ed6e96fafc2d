/** Programs of the bench's own in C: compiled for one run, and the load that is one of them. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { path, pinned } from "./pinned.ts"

/** Compiles programs of test/bench/udp into a folder that goes when this process ends; `undefined`: there is no compiler. */
export const compile = (names: readonly string[]): ReadonlyMap<string, string> | undefined => {
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" })
  } catch {
    return undefined
  }
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"))
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
  return new Map(
    names.map((name) => {
      const program = join(folder, name)
      execFileSync("cc", ["-O2", "-o", program, path(`test/bench/udp/${name}.c`)], { stdio: "inherit" })
      return [name, program]
    }),
  )
}

/** What a command of the load came to. */
export interface Loaded {
  readonly answered: number
  readonly seconds: number
  /** Answers a second. */
  readonly rate: number
  /** Microseconds from the request to its answer. */
  readonly p50: number
  readonly p99: number
  /** Requests sent again. */
  readonly again: number
  /** Share of a core that the load itself took: far from 1, it is not what limits the rate. */
  readonly busy: number
}

const isLoaded = (value: unknown): value is Loaded & { refused: number; refusal: number; wrong: number } =>
  typeof value === "object" && value !== null && "rate" in value && "refused" in value && "wrong" in value

export interface Load {
  /** New mappings: so many, so many at once, for how many seconds; asked again after so many ms, given up after so many s. */
  create(count: number, window: number, more?: { lifetime?: number; again?: number; budget?: number }): Promise<Loaded>
  /** Renewals of all of them, over and over. */
  renew(seconds: number, window: number): Promise<Loaded>
  /** Those that there are belong to no renewal any more. */
  forget(): Promise<void>
  stop(): Promise<void>
}

/** Where the load asks, and as whom. */
export interface LoadOptions {
  readonly program: string
  readonly address: string
  readonly port: number
  readonly firstHost: string
  readonly hosts: number
  readonly isEcho?: boolean
}

/** Starts the load on core 1. Any answer that is not its request's is an error here. */
export const startLoad = ({ program, address, port, firstHost, hosts, isEcho = false }: LoadOptions): Load => {
  const words = [program, address, `${port}`, firstHost, `${hosts}`, isEcho ? "echo" : "map"]
  const [name, ...args] = pinned(1, words)
  const child: ChildProcess = spawn(name, args, { stdio: ["pipe", "pipe", "inherit"] })
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new Error("the load has no pipes")
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  const command = async (line: string): Promise<unknown> => {
    stdin.write(`${line}\n`)
    const { done, value } = await lines.next()
    if (done === true) throw new Error(`the load ended at: ${line}`)
    return JSON.parse(value)
  }
  const measured = async (line: string): Promise<Loaded> => {
    const loaded = await command(line)
    if (!isLoaded(loaded)) throw new Error("the load printed something else")
    const { refused, refusal, wrong } = loaded
    if (refused + wrong > 0)
      throw new Error(`${line}: ${refused} requests refused (result ${refusal}), ${wrong} wrong answers`)
    return loaded
  }
  return {
    create: (count, window, { lifetime = 3600, again = 500, budget = 60 } = {}) =>
      measured(`create ${count} ${window} ${lifetime} ${again} ${budget}`),
    renew: (seconds, window) => measured(`renew ${seconds} ${window} 200`),
    forget: async () => {
      await command("forget")
    },
    stop: async () => {
      const ended = once(child, "exit")
      stdin.end()
      await ended
    },
  }
}
