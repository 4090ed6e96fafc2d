import { spawn } from "node:child_process"
import { reasonOf } from "../system-error.ts"
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

/** @param complain Is told once why connections cannot be ended. */
export const createConntrack = (complain: (text: string) => void, program = "conntrack"): Conntrack => {
  let work: Promise<void> = Promise.resolve()
  let isMissing = false
  const run = (connections: Connections): Promise<void> =>
    new Promise((resolve) => {
      if (isMissing) {
        resolve()
        return
      }
      const child = spawn(program, conntrackArguments(connections), { stdio: "ignore" })
      child.once("error", (cause) => {
        isMissing = true
        complain(`${program}: ${reasonOf(cause)}: connections of deleted mappings end by their own time-outs`)
        resolve()
      })
      // That there was none is an error to the program, and none here.
      child.once("close", () => resolve())
    })
  return {
    end: (connections) => {
      for (const one of connections) work = work.then(() => run(one))
    },
    idle: () => work,
  }
}
