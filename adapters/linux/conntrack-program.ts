import { spawn, spawnSync } from "node:child_process"
import { formatAddress } from "../../core/wire/index.ts"
import { familyOf } from "../address-text.ts"
import { hasCode, reasonOf } from "../system-error.ts"
import type { Conntrack, Follower, Following } from "./conntrack.ts"
import { readLine } from "./conntrack-text.ts"
import type { Tuple } from "./ctnetlink.ts"
import type { Connections } from "./plane.ts"

/** The arguments that name connections. */
const conntrackArguments = (connections: Connections): readonly string[] => {
  const { family, protocol, source, sourcePort, destination, destinationPort, answers, answersPort } = connections
  const named: readonly (readonly [string, string | number | undefined])[] = [
    ["-f", family === 4 ? "ipv4" : "ipv6"],
    ["-p", protocol],
    ["-s", source],
    ["--sport", sourcePort],
    ["-d", destination],
    ["--dport", destinationPort],
    ["-q", answers],
    ["--reply-port-dst", answersPort],
  ]
  return named.flatMap(([name, value]) => (value === undefined ? [] : [name, `${value}`]))
}

const namesOf = ({ protocol, source, sourcePort, destination, destinationPort }: Tuple): readonly string[] =>
  conntrackArguments({
    family: familyOf(source),
    protocol,
    source: formatAddress(source),
    sourcePort,
    destination: formatAddress(destination),
    destinationPort,
  })

/** A process each, of some milliseconds. */
const QUESTIONS = 4
/** Milliseconds until the program is started again that follows the events. */
const REST = 5_000
/** Octets for events that the program has not read yet. */
const ROOM = 8 << 20

/**
 * The kernel's table of connections by the program conntrack(8), for where the runtime calls no foreign functions. What is
 * ended takes a process for each name, one after another, which is longer than a client takes to have a mapping made and deleted:
 * what waits for its turn already is not asked for again, so that no more wait than there are ends of mappings. A question takes a
 * process too, and the server stands still for it, some milliseconds.
 *
 * @param complain Is told once why connections cannot be ended.
 */
export const conntrackProgram = (
  complain: (text: string) => void,
  program = "conntrack",
  room: number = ROOM,
): Conntrack => {
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
  const ask = (words: readonly string[]): { readonly ok: boolean; readonly text: string } => {
    if (isMissing) return { ok: false, text: "" }
    const done = spawnSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
    if (done.error !== undefined) fail(done.error)
    return { ok: done.status === 0, text: done.stdout ?? "" }
  }
  return {
    way: `the program ${program}`,
    questions: QUESTIONS,
    // It takes no family here: the addresses have one.
    get: (tuple) => readLine(ask(["-G", ...namesOf(tuple).slice(2)]).text)?.connection,
    prolong: (original, seconds) => ask(["-U", ...namesOf(original), "-t", `${seconds}`]).ok,
    end: (connections) => {
      if (isMissing) return
      for (const one of connections) {
        const named = ["-D", ...conntrackArguments(one)]
        waiting.set(named.join(" "), named)
      }
      if (waiting.size > 0) work ??= runAll()
    },
    idle: async () => work,
    list: async (family, visit) => {
      if (isMissing) return false
      const { ended } = lines(program, ["-L", "-f", family === 4 ? "ipv4" : "ipv6"], (line) => {
        const read = readLine(line)
        if (read !== undefined) visit(read.connection)
      })
      return (await ended) === 0
    },
    follow: (follower) => follow(program, room, follower),
    close: () => {},
  }
}

/** Tells of each line that a program prints; of what it says on its standard error to `noted`. */
const lines = (
  program: string,
  words: readonly string[],
  told: (line: string) => void,
  noted: (text: string) => void = () => {},
): { readonly ended: Promise<number | null>; kill(): void } => {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] })
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const whole = (rest + text).split("\n")
    rest = whole.pop() ?? ""
    for (const line of whole) told(line)
  })
  child.stderr.setEncoding("utf8").on("data", noted)
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null))
    child.once("close", (code) => resolve(code))
  })
  return { ended, kill: () => void child.kill() }
}

const follow = (program: string, room: number, follower: Follower): Following => {
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  let current: { kill(): void } | undefined
  const begin = (): void => {
    const words = ["-E", "-e", "NEW,DESTROY", "-b", `${room}`]
    const running = lines(
      program,
      words,
      (line) => {
        const read = readLine(line)
        if (read !== undefined && read.what !== "there") follower.told(read.what, read.connection)
      },
      // It goes on behind that.
      (text) => {
        if (text.includes("ENOBUFS")) follower.lost()
      },
    )
    current = running
    void running.ended.then(() => {
      if (isClosed) return
      timer = setTimeout(() => {
        begin()
        follower.lost()
      }, REST)
      timer.unref()
    })
  }
  begin()
  return {
    // What the program has not printed yet cannot be waited for.
    drain: () => false,
    narrow: () => {},
    close: () => {
      isClosed = true
      clearTimeout(timer)
      current?.kill()
    },
  }
}
