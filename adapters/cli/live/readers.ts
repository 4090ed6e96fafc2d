import { type LiveMessage, writeMessage } from "../../live/index.ts"

/** What is used of a WebSocket of `ws`. */
export interface ReaderSocket {
  readonly OPEN: number
  readonly readyState: number
  readonly bufferedAmount: number
  on(name: "message" | "close" | "error", call: () => void): unknown
  send(text: string, done: () => void): void
  close(code: number, reason: string): void
  terminate(): void
}

/** Pages that watch. */
export interface Readers {
  readonly count: () => number
  /** Takes a page in, unless there are too many. */
  add(socket: ReaderSocket): void
  /** Tells all of them, but those who are behind. */
  tell(message: LiveMessage): void
  /** All of them are to hear of all mappings again. */
  renew(): void
  stop(): void
}

export interface ReadersOptions {
  /** The first message. */
  readonly hello: () => LiveMessage
  /** All mappings, a piece at a time, until it is told to end. */
  readonly rows: (isWanted: () => boolean) => AsyncIterable<LiveMessage>
  /** Nobody watched and somebody does, or the other way round. */
  readonly watched: (isWatched: boolean) => void
  /** Milliseconds, on any clock that only grows. */
  readonly now: () => number
}

/** Octets that may wait for a slow page before it is told nothing. */
const MOST_WAITING = 1_000_000
/** Milliseconds that a page may take nothing before it is let go. */
const PATIENCE = 20_000
/** Milliseconds between two looks whether a page has caught up. */
const LOOK = 50

/** What a close says (RFC 6455 section 7.4.1). */
const GOING_AWAY = 1001
const POLICY = 1008
const TRY_LATER = 1013

interface Reader {
  readonly socket: ReaderSocket
  /** Since when it is behind. */
  behind: number | undefined
  isListing: boolean
  isStale: boolean
}

export const createReaders = ({ hello, rows, watched, now: clock }: ReadersOptions): Readers => {
  const readers = new Set<Reader>()
  const isOpen = ({ socket }: Reader): boolean => socket.readyState === socket.OPEN
  const send = (reader: Reader, text: string): void => {
    if (isOpen(reader)) reader.socket.send(text, () => {})
  }

  const gone = (reader: Reader): void => {
    if (!readers.delete(reader)) return
    if (readers.size === 0) watched(false)
  }

  /** Sends all mappings, no faster than they are taken. */
  const list = async (reader: Reader): Promise<void> => {
    if (reader.isListing) {
      reader.isStale = true
      return
    }
    reader.isListing = true
    do {
      reader.isStale = false
      send(reader, writeMessage({ type: "snapshot", at: "begin" }))
      for await (const piece of rows(() => isOpen(reader) && !reader.isStale)) {
        send(reader, writeMessage(piece))
        while (isOpen(reader) && reader.socket.bufferedAmount > MOST_WAITING / 2)
          await new Promise((resolve) => setTimeout(resolve, LOOK))
      }
      if (!reader.isStale) send(reader, writeMessage({ type: "snapshot", at: "end" }))
    } while (reader.isStale && isOpen(reader))
    reader.isListing = false
  }

  return {
    count: () => readers.size,
    add: (socket) => {
      const reader: Reader = { socket, behind: undefined, isListing: false, isStale: false }
      socket.on("error", () => socket.terminate())
      socket.on("close", () => gone(reader))
      // Whoever watches has nothing to say.
      socket.on("message", () => socket.close(POLICY, "nothing is to be said here"))
      readers.add(reader)
      if (readers.size === 1) watched(true)
      send(reader, writeMessage(hello()))
      void list(reader)
    },
    tell: (message) => {
      if (readers.size === 0) return
      const text = writeMessage(message)
      const now = clock()
      for (const reader of readers) {
        if (reader.socket.bufferedAmount > MOST_WAITING) {
          reader.behind ??= now
          if (now - reader.behind <= PATIENCE) continue
          reader.socket.close(TRY_LATER, "too slow")
          reader.socket.terminate()
          continue
        }
        send(reader, text)
        // What it was not told is in the mappings as they are now.
        if (reader.behind !== undefined) void list(reader)
        reader.behind = undefined
      }
    },
    renew: () => {
      for (const reader of readers) if (!reader.isListing) void list(reader)
    },
    stop: () => {
      for (const { socket } of readers) {
        socket.close(GOING_AWAY, "the server ends")
        socket.terminate()
      }
    },
  }
}
