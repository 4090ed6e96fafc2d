import { MessageChannel, type MessagePort, type Transferable, Worker } from "node:worker_threads"
import { reasonOf } from "../../system-error.ts"
import type { OrderName, Orders, Word } from "./orders.ts"
import type { Role } from "./role.ts"
import type { ToWorker } from "./thread.ts"

/** Worker threads, each with a way to each other one. */
export interface Crew {
  readonly workers: number
  /** Has one do something. Rejects when it cannot, or has ended. */
  call<K extends OrderName>(number: number, name: K, ask: Orders[K]["ask"]): Promise<Orders[K]["answer"]>
  /** Has all do it that have not ended. */
  all<K extends OrderName>(name: K, ask: (number: number) => Orders[K]["ask"]): Promise<readonly Orders[K]["answer"][]>
  /** The same, where one that ends meanwhile is no reason not to wait for the others. */
  settled<K extends OrderName>(
    name: K,
    ask: (number: number) => Orders[K]["ask"],
  ): Promise<readonly PromiseSettledResult<Orders[K]["answer"]>[]>
  isAlive(number: number): boolean
  /** Resolves when its thread runs, and can do something; or has ended. */
  running(number: number): Promise<void>
  /** Tells that so many characters of its lines were taken. */
  taken(number: number, length: number): void
  end(): Promise<void>
}

export interface CrewListener {
  /** Lines of one worker for standard output. */
  lines(number: number, lines: string): void
  /** It ended, and nobody had told it to. */
  ended(number: number, why: string): void
}

interface Pending {
  readonly resolve: (answer: never) => void
  readonly reject: (cause: Error) => void
}

interface Hand {
  readonly thread: Worker
  readonly pending: Map<number, Pending>
  isAlive: boolean
  /** What it is told when it hears; `undefined`: it does. Deno may lose what comes before the thread listens. */
  unheard: (() => void)[] | undefined
  readonly running: Promise<void>
  /** Has `running` resolve. */
  readonly runs: () => void
}

/** Each thread runs the file that runs the command: there is one in the sources, in a bundle, and in an executable of Bun. */
export const startCrew = (entry: URL, workers: number, listener: CrewListener): Crew => {
  let ids = 0
  let isOver = false
  const hands = Array.from({ length: workers }, (_, number): Hand => {
    const workerData: Role = { role: "sallyport-worker", number, workers }
    const thread = new Worker(entry, { workerData })
    let runs = (): void => {}
    const running = new Promise<void>((resolve) => {
      runs = resolve
    })
    const hand: Hand = { thread, pending: new Map(), isAlive: true, unheard: [], running, runs }
    thread.on("message", (word: Word) => {
      if ("hears" in word) {
        const told = hand.unheard ?? []
        hand.unheard = undefined
        for (const tell of told) tell()
        hand.runs()
        return
      }
      if ("lines" in word) {
        listener.lines(number, word.lines)
        return
      }
      const pending = hand.pending.get(word.id)
      hand.pending.delete(word.id)
      if ("fault" in word) pending?.reject(new Error(word.fault))
      else pending?.resolve(word.answer)
    })
    const gone = (why: string): void => {
      if (!hand.isAlive) return
      hand.isAlive = false
      hand.runs()
      for (const { reject } of hand.pending.values()) reject(new Error(`worker ${number + 1} ended: ${why}`))
      hand.pending.clear()
      if (!isOver) listener.ended(number, why)
    }
    thread.on("error", (cause) => gone(reasonOf(cause)))
    thread.on("exit", (code) => gone(`exit code ${code}`))
    return hand
  })
  const whenHeard = ({ unheard }: Hand, tell: () => void): void => {
    if (unheard === undefined) tell()
    else unheard.push(tell)
  }
  const post = (hand: Hand, message: ToWorker, transfer: readonly Transferable[] = []): void =>
    whenHeard(hand, () => hand.thread.postMessage(message, [...transfer]))

  const ways: (MessagePort | undefined)[][] = hands.map(() => hands.map(() => undefined))
  for (let a = 0; a < workers; a++)
    for (let b = a + 1; b < workers; b++) {
      const { port1, port2 } = new MessageChannel()
      ways[a][b] = port1
      ways[b][a] = port2
    }
  for (const [number, hand] of hands.entries()) {
    const peers = ways[number]
    post(
      hand,
      { peers },
      peers.filter((peer) => peer !== undefined),
    )
  }

  const call: Crew["call"] = (number, name, ask) =>
    new Promise((resolve, reject) => {
      const hand = hands[number]
      if (!hand.isAlive) {
        reject(new Error(`worker ${number + 1} has ended`))
        return
      }
      const id = ++ids
      hand.pending.set(id, { resolve, reject })
      whenHeard(hand, () => hand.thread.postMessage({ id, name, ask }))
    })

  const each = <K extends OrderName>(name: K, ask: (number: number) => Orders[K]["ask"]) =>
    hands.flatMap(({ isAlive }, number) => (isAlive ? [call(number, name, ask(number))] : []))

  return {
    workers,
    call,
    all: (name, ask) => Promise.all(each(name, ask)),
    settled: (name, ask) => Promise.allSettled(each(name, ask)),
    isAlive: (number) => hands[number].isAlive,
    running: (number) => hands[number].running,
    taken: (number, length) => {
      if (hands[number].isAlive) post(hands[number], { taken: length })
    },
    end: async () => {
      isOver = true
      await Promise.all(hands.map(({ thread }) => thread.terminate()))
    },
  }
}
