import { type MessagePort, Worker } from "node:worker_threads"
import { reasonOf } from "../system-error.ts"
import { EINTR } from "./errno.ts"
import { type Libc, openLibc } from "./libc.ts"

/** What a waiter's thread is made with. */
export interface WaiterRole {
  /** Tells it from any other thread. */
  readonly role: "sallyport-waiter"
  /** The descriptor of epoll(7) that it waits for. */
  readonly epoll: number
}

const isWaiterRole = (data: unknown): data is WaiterRole =>
  typeof data === "object" && data !== null && "role" in data && data.role === "sallyport-waiter" && "epoll" in data

/** What a waiter says: ids of descriptors that have something; that it waits; that it was told to wait no more; or why it cannot. */
type Word = Uint32Array | "ready" | "done" | { readonly fault: string }

const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 1
const EPOLLONESHOT = 1 << 30

/** The id of the descriptor that ends it. */
const STOP = 0
/** Milliseconds after which it looks whether its thread is to end: nothing else interrupts it, should nobody have told it. */
const PATIENCE = 250

/** A waiter's thread: sleeps until a descriptor has something, and says which. Made with anything but a {@link WaiterRole} it does nothing. */
export const runWaiter = (data: unknown, port: MessagePort): void => {
  if (!isWaiterRole(data)) return
  const { epoll } = data
  const say = (word: Word): void => port.postMessage(word)
  // A runtime that warns of its foreign functions has done so in the thread that made this one.
  process.removeAllListeners("warning")
  const opened = openLibc()
  if (!opened.ok) {
    say({ fault: opened.text })
    return
  }
  const libc = opened.value
  const ids = new Uint32Array(64)
  let isFirst = true
  const wait = (): void => {
    if (isFirst) say("ready")
    isFirst = false
    const count = libc.epollWait(epoll, ids, PATIENCE)
    if (count < 0 && libc.errno() !== EINTR) {
      say({ fault: `epoll_wait: errno ${libc.errno()}` })
      return
    }
    if (ids.subarray(0, Math.max(count, 0)).includes(STOP)) {
      say("done")
      return
    }
    if (count > 0) say(ids.slice(0, count))
    // Between two waits the thread can be ended.
    setImmediate(wait)
  }
  wait()
}

/** Wakes a thread that sleeps in its event loop when descriptors have something, each once until it is asked for again. */
export interface Waiter {
  /** It hears of descriptors only since then: until then they are to be looked at. */
  isReady(): boolean
  /** It is told once, and then taken out before it is put in again. `false`: the system has no room for it. */
  add(fd: number, id: number): boolean
  /** Nothing where it is not in. */
  remove(fd: number): void
  /** Those that have something now, as `wake` tells them: its thread may have no processor where this one is busy. */
  look(): Uint32Array
  /** Does it keep the process running? It does at first. */
  hold(isHeld: boolean): void
  /** Ends its thread; nothing else may be asked of it any more. */
  end(): void
}

export interface WaiterListener {
  /** These have something. */
  wake(ids: Uint32Array): void
  /** It waits for nothing any more, and says why. */
  failed(text: string): void
}

/** @param entry The file that the thread runs: it calls {@link runWaiter}. */
export const startWaiter = (libc: Libc, entry: URL, listener: WaiterListener): Waiter => {
  const epoll = libc.epollCreate()
  const event = libc.eventfd()
  libc.epollControl(epoll, EPOLL_CTL_ADD, event, EPOLLIN, STOP)
  const own = new Uint32Array(64)
  let isReady = false
  let isOver = false
  let hasFailed = false
  // Told once: another waiter may be there when this thread has ended too.
  const fail = (text: string): void => {
    isReady = false
    if (isOver || hasFailed) return
    hasFailed = true
    listener.failed(text)
  }
  const one = new Uint8Array(8)
  one[0] = 1
  const end = (): void => {
    if (isOver) return
    isOver = true
    process.off("exit", end)
    libc.write(event, one)
  }
  let isReleased = false
  const release = (): void => {
    if (isReleased) return
    isReleased = true
    end()
    libc.close(event)
    libc.close(epoll)
  }
  // The runtime waits for its threads before it ends, and this one sleeps where nothing wakes it.
  process.on("exit", end)
  const workerData: WaiterRole = { role: "sallyport-waiter", epoll }
  const thread = new Worker(entry, { workerData })
  thread.on("message", (word: Word) => {
    if (word === "ready") isReady = true
    else if (word === "done") void thread.terminate().then(release)
    else if ("fault" in word) fail(word.fault)
    else if (!isOver && !hasFailed) listener.wake(word)
  })
  thread.on("error", (cause) => fail(reasonOf(cause)))
  thread.once("exit", () => {
    fail("it ended")
    release()
  })
  return {
    isReady: () => isReady,
    add: (fd, id) => libc.epollControl(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, id) === 0,
    remove: (fd) => void libc.epollControl(epoll, EPOLL_CTL_DEL, fd, 0, 0),
    look: () => {
      const count = isOver ? 0 : libc.epollWait(epoll, own, 0)
      return own.subarray(0, Math.max(count, 0))
    },
    hold: (isHeld) => {
      if (isHeld) thread.ref()
      else thread.unref()
    },
    end,
  }
}
