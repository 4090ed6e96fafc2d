import { spawn } from "node:child_process"
import { hasCode, reasonOf } from "../system-error.ts"
import type { Connections } from "./plane.ts"

/** Ends connections of the kernel (conntrack(8)), one after another, while the server goes on. */
export interface Conntrack {
  end(connections: readonly Connections[]): void
  /** Resolves when all are ended that were asked for. */
  idle(): Promise<void>
}

/** The arguments that name connections. */
export const conntrackArguments = (connections: Connections): readonly string[] => {
  const { family, protocol, source, sourcePort, destination, destinationPort, answers } = connections
  const named: readonly (readonly [string, string | number | undefined])[] = [
    ["-f", family === 4 ? "ipv4" : "ipv6"],
    ["-p", protocol],
    ["-s", source],
    ["--sport", sourcePort],
    ["-d", destination],
    ["--dport", destinationPort],
    ["-q", answers],
  ]
  return ["-D", ...named.flatMap(([name, value]) => (value === undefined ? [] : [name, `${value}`]))]
}

/**
 * A process for each takes longer than a client takes to have a mapping made and deleted: what waits for its turn already is not
 * asked for again, so that no more wait than there are ends of mappings.
 *
 * @param complain Is told once why connections cannot be ended.
 */
export const createConntrack = (complain: (text: string) => void, program = "conntrack"): Conntrack => {
  const waiting = new Map<string, readonly string[]>()
  let work: Promise<void> | undefined
  let isMissing = false
  let isTold = false
  const run = (named: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = spawn(program, named, { stdio: "ignore" })
      child.once("error", reject)
      // That there was none is an error to the program, and none here.
      child.once("close", () => resolve())
    })
  const fail = (cause: unknown): void => {
    // Anything else, as that there are too many processes, may be over with the next.
    isMissing = hasCode(cause, "ENOENT") || hasCode(cause, "EACCES")
    if (!isTold) complain(`${program}: ${reasonOf(cause)}: connections of deleted mappings end by their own time-outs`)
    isTold = true
  }
  const runAll = async (): Promise<void> => {
    for (const [key, named] of waiting) {
      waiting.delete(key)
      await run(named).catch(fail)
      if (isMissing) waiting.clear()
    }
    work = undefined
  }
  return {
    end: (connections) => {
      if (isMissing) return
      for (const one of connections) {
        const named = conntrackArguments(one)
        waiting.set(named.join(" "), named)
      }
      if (waiting.size > 0) work ??= runAll()
    },
    idle: async () => work,
  }
}
