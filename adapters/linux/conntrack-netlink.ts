import { joinOctets } from "../../core/wire/index.ts"
import type { Conntrack } from "./conntrack.ts"
import {
  deleteMessage,
  dumpMessage,
  EventGroup,
  getMessage,
  readConnection,
  type Tracked,
  timeoutMessage,
  toldBy,
} from "./ctnetlink.ts"
import { namedBy } from "./ending.ts"
import { filterOctets } from "./event-filter.ts"
import { behind, errorOf, type Found, messageAt, NetlinkType } from "./netlink.ts"
import type { NetlinkSocket, OpenNetlink } from "./netlink-socket.ts"
import type { Connections } from "./plane.ts"

/** Octets for events that are not read yet: some ten thousand. */
const ROOM = 8 << 20
/** Milliseconds of one turn. */
const SLICE = 4
/** Some microseconds each. */
const QUESTIONS = 1024
/** Connections ended by one call. */
const PILE = 64
/** How many times as long as a look through all connections took the next one waits at the least. */
const SHARE = 3
const [EPERM] = [1]

/**
 * The kernel's table of connections by netlink, in this process. A question is answered before the call returns. Of connections to
 * end, however many, all are looked for in one walk over the table, some of it a turn, and none is ended but those: of one
 * that came in its place meanwhile the kernel's number of it is another.
 *
 * @param complain Is told once why connections cannot be ended.
 * @param room Octets for events that are not read yet.
 */
export const conntrackNetlink = (
  open: OpenNetlink,
  complain: (text: string) => void,
  room: number = ROOM,
): Conntrack | undefined => {
  const asking = open(0)
  if (asking === undefined) return undefined
  let listing: NetlinkSocket | undefined
  let sequence = 0
  let isTold = false
  let isClosed = false
  let listings: Promise<unknown> = Promise.resolve()
  let ending: Promise<void> | undefined
  /** Somebody waits until all are ended. */
  let isAwaited = false
  /** Ends the rest between two looks. */
  let hurry = (): void => {}
  const waiting = new Map<string, Connections>()

  /** The answer of a question by its number: the first message of it, or `undefined`. */
  const answer = <T>(number: number, read: (view: DataView, found: Found) => T): T | undefined => {
    for (let view = asking.receive(); view !== undefined; view = asking.receive()) {
      if (view === "lost") continue
      for (let found = messageAt(view, 0); found !== undefined; found = messageAt(view, behind(found)))
        if (found.sequence === number) return read(view, found)
    }
    return undefined
  }

  const walk = async (family: 4 | 6, visit: (view: DataView, found: Found) => void): Promise<boolean> => {
    const socket = listing ?? open(0)
    listing = socket
    const number = ++sequence
    if (socket?.send(dumpMessage(family, number))) {
      for (let began = performance.now(); !isClosed; ) {
        const view = socket.receive()
        if (view === undefined || view === "lost") break
        for (let found = messageAt(view, 0); found !== undefined; found = messageAt(view, behind(found))) {
          if (found.sequence !== number) continue
          if (found.type === NetlinkType.DONE) return true
          if (found.type !== NetlinkType.ERROR) visit(view, found)
        }
        if (performance.now() - began < SLICE) continue
        await turn()
        began = performance.now()
      }
    }
    // It may have more to tell of this: the next one is asked by another.
    socket?.close()
    listing = undefined
    return false
  }
  /** One after another. */
  const list = (family: 4 | 6, visit: (view: DataView, found: Found) => void): Promise<boolean> => {
    const done = listings.then(() => walk(family, visit))
    listings = done
    return done
  }

  const fail = (): void => {
    if (!isTold) complain("conntrack: the kernel refuses: connections of deleted mappings end by their own time-outs")
    isTold = true
  }
  const endPile = (pile: Uint8Array[]): void => {
    if (pile.length === 0) return
    if (!asking.send(joinOctets(pile))) fail()
    pile.length = 0
    // What is told here are connections that ended by themselves.
    for (let view = asking.receive(); view !== undefined; view = asking.receive()) {
      if (view === "lost") continue
      for (let found = messageAt(view, 0); found !== undefined; found = messageAt(view, behind(found)))
        if (found.type === NetlinkType.ERROR && errorOf(view, found) === EPERM) fail()
    }
  }
  const endAll = async (): Promise<void> => {
    // What is asked for in this turn is looked for together.
    await turn()
    while (waiting.size > 0 && !isClosed) {
      const named = namedBy([...waiting.values()])
      waiting.clear()
      const began = performance.now()
      const pile: Uint8Array[] = []
      for (const family of named.families) {
        const isWhole = await list(family, (view, found) => {
          const connection = readConnection(view, found)
          if (connection !== undefined && named.has(connection)) pile.push(deleteMessage(view, found, 0))
          if (pile.length >= PILE) endPile(pile)
        })
        endPile(pile)
        if (!isWhole && !isClosed) fail()
      }
      const rest = SHARE * (performance.now() - began)
      if (waiting.size > 0 && !isAwaited)
        await new Promise<void>((resolve) => {
          hurry = resolve
          setTimeout(resolve, rest)
        })
    }
    ending = undefined
    isAwaited = false
  }

  return {
    way: "netlink",
    questions: QUESTIONS,
    get: (tuple) => {
      const number = ++sequence
      if (!asking.send(getMessage(tuple, number))) return undefined
      return answer(number, (view, found) =>
        toldBy(found, false) === undefined ? undefined : readConnection(view, found),
      )
    },
    prolong: (original, seconds) => {
      const number = ++sequence
      if (!asking.send(timeoutMessage(original, seconds, number))) return false
      return answer(number, (view, found) => found.type === NetlinkType.ERROR && errorOf(view, found) === 0) ?? false
    },
    end: (connections) => {
      for (const one of connections) waiting.set(JSON.stringify(one), one)
      if (waiting.size > 0 && !isClosed) ending ??= endAll()
    },
    idle: async () => {
      isAwaited = ending !== undefined
      hurry()
      await ending
    },
    list: (family, visit) =>
      list(family, (view, found) => {
        const connection = readConnection(view, found)
        if (connection !== undefined) visit(connection)
      }),
    follow: (follower) => {
      const events = open(EventGroup.NEW | EventGroup.DESTROY, room)
      return {
        drain: (most) => {
          for (let n = 0; n < most; n++) {
            const view = events?.receive()
            if (view === undefined) return false
            if (view === "lost") follower.lost()
            else tell(view, follower.told)
          }
          return true
        },
        narrow: (filter) => void events?.filter(filterOctets(filter)),
        close: () => events?.close(),
      }
    },
    close: () => {
      isClosed = true
      asking.close()
      listing?.close()
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Tells of each event of what was received. */
const tell = (view: DataView, told: (what: "began" | "changed" | "ended", connection: Tracked) => void): void => {
  for (let found = messageAt(view, 0); found !== undefined; found = messageAt(view, behind(found))) {
    const what = toldBy(found, true)
    const connection = what === undefined ? undefined : readConnection(view, found)
    if (connection !== undefined && what !== undefined && what !== "there") told(what, connection)
  }
}
