import { type Address, parseAddress } from "../../core/wire/index.ts"
import { ESTABLISHED, Status, type Tracked, type Tuple } from "./ctnetlink.ts"

/** What a line of the program says. */
export interface Line {
  /** `there`: of a list. */
  readonly what: "there" | "began" | "changed" | "ended"
  readonly connection: Tracked
}

const EVENTS: ReadonlyMap<string, Line["what"]> = new Map([
  ["NEW", "began"],
  ["UPDATE", "changed"],
  ["DESTROY", "ended"],
])

/**
 * Reads a line of conntrack(8): `[NEW] udp 17 30 src=10.0.0.2 dst=… sport=… dport=… [UNREPLIED] src=…`, the event only where
 * events are listed. `undefined`: it tells of no connection.
 */
export const readLine = (line: string): Line | undefined => {
  const event = /^\s*\[(\w+)\]/.exec(line)
  const what = event === null ? "there" : EVENTS.get(event[1])
  const head = /^(?:\s*\[\w+\])?\s*(?:ipv[46]\s+\d+\s+)?\w+\s+(\d{1,3})(?:\s+(\d{1,10}))?(?:\s+([A-Z_0-9]+))?\s/.exec(
    line,
  )
  if (what === undefined || head === null) return undefined
  const directions = [...line.matchAll(/src=(\S+) dst=(\S+)(?: sport=(\d{1,5}) dport=(\d{1,5}))?/g)]
  const [original, reply] = directions.map((found) => readTuple(Number(head[1]), found))
  if (original === undefined || reply === undefined) return undefined
  const status =
    (line.includes("[UNREPLIED]") ? 0 : Status.SEEN_REPLY) | (line.includes("[ASSURED]") ? Status.ASSURED : 0)
  return {
    what,
    connection: {
      original,
      reply,
      status,
      timeout: head[2] === undefined ? undefined : Number(head[2]),
      tcpState: head[3] === undefined ? undefined : head[3] === "ESTABLISHED" ? ESTABLISHED : 0,
    },
  }
}

const readTuple = (protocol: number, found: RegExpExecArray): Tuple | undefined => {
  const [source, destination]: readonly (Address | undefined)[] = [parseAddress(found[1]), parseAddress(found[2])]
  const [sourcePort, destinationPort] = [Number(found[3] ?? 0), Number(found[4] ?? 0)]
  const isPossible = protocol <= 255 && sourcePort <= 65535 && destinationPort <= 65535
  return source === undefined || destination === undefined || !isPossible
    ? undefined
    : { protocol, source, sourcePort, destination, destinationPort }
}
