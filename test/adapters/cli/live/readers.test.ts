import assert from "node:assert/strict"
import { EventEmitter } from "node:events"
import { describe, test } from "node:test"
import { createReaders, type ReaderSocket } from "../../../../adapters/cli/live/readers.ts"
import { type LiveMessage, readMessage } from "../../../../adapters/live/index.ts"

/** A page whose reading the test decides. */
const page = () => {
  const emitter = new EventEmitter()
  const sent: string[] = []
  const closes: number[] = []
  const socket: ReaderSocket & { bufferedAmount: number; readyState: number } = {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    on: (name, call) => emitter.on(name, call),
    send: (text) => {
      sent.push(text)
    },
    close: (code) => {
      closes.push(code)
    },
    terminate: () => {
      socket.readyState = 3
      emitter.emit("close")
    },
  }
  const types = (): readonly string[] =>
    sent.splice(0).map((text) => {
      const message = readMessage(text)
      return message?.type === "snapshot" ? message.at : (message?.type ?? "none")
    })
  return { socket, types, closes, say: () => emitter.emit("message") }
}

const HELLO: LiveMessage = { type: "hello", version: "1", kind: "nat444", quota: 0, local: [], external: [], now: 0 }
const ROWS: LiveMessage = { type: "rows", rows: [] }
const TICK: LiveMessage = {
  type: "tick",
  now: 1,
  epoch: 0,
  total: 0,
  set: [],
  gone: [],
  events: [],
  missed: 0,
  counters: {
    operation: [],
    result: [],
    option: [],
    "natpmp-operation": [],
    "natpmp-result": [],
    drop: [],
    cache: [],
    packet: [],
  },
  pool: undefined,
}

const room = (rows = 2) => {
  const watched: boolean[] = []
  const time = { now: 0 }
  const readers = createReaders({
    hello: () => HELLO,
    rows: async function* (isWanted) {
      for (let i = 0; i < rows && isWanted(); i++) yield ROWS
    },
    watched: (is) => watched.push(is),
    now: () => time.now,
  })
  return { readers, watched, time }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("pages that watch a server", () => {
  test("each hears who it is, all mappings, and then what happens", async () => {
    const { readers, watched } = room()
    const one = page()
    readers.add(one.socket)
    await turn()
    readers.tell(TICK)
    assert.deepEqual(one.types(), ["hello", "begin", "rows", "rows", "end", "tick"])
    readers.renew()
    await turn()
    assert.deepEqual(one.types(), ["begin", "rows", "rows", "end"])
    assert.deepEqual([readers.count(), watched], [1, [true]])
    one.socket.terminate()
    assert.deepEqual([readers.count(), watched], [0, [true, false]])
  })

  test("one that does not read is told nothing more, and all mappings when it has caught up; others are told as ever", async () => {
    const { readers } = room()
    const [slow, quick] = [page(), page()]
    readers.add(slow.socket)
    readers.add(quick.socket)
    await turn()
    slow.types()
    quick.types()
    slow.socket.bufferedAmount = 2_000_000
    for (let i = 0; i < 1000; i++) readers.tell(TICK)
    assert.deepEqual([slow.types().length, quick.types().length], [0, 1000])
    slow.socket.bufferedAmount = 0
    readers.tell(TICK)
    await turn()
    assert.deepEqual([slow.types(), quick.types()], [["tick", "begin", "rows", "rows", "end"], ["tick"]])
  })

  test("one that does not read for long is let go", () => {
    const { readers, time, watched } = room()
    const slow = page()
    readers.add(slow.socket)
    slow.socket.bufferedAmount = 2_000_000
    readers.tell(TICK)
    time.now = 20_000
    readers.tell(TICK)
    assert.equal(readers.count(), 1)
    time.now = 20_001
    readers.tell(TICK)
    assert.deepEqual([readers.count(), slow.closes, watched], [0, [1013], [true, false]])
  })

  test("of mappings no more is sent than is taken", async () => {
    const { readers } = room(1000)
    const slow = page()
    slow.socket.bufferedAmount = 600_000
    readers.add(slow.socket)
    await turn()
    assert.deepEqual(slow.types(), ["hello", "begin", "rows"])
    slow.socket.terminate()
  })

  test("whoever speaks is let go", () => {
    const { readers } = room()
    const one = page()
    readers.add(one.socket)
    one.say()
    assert.deepEqual(one.closes, [1008])
    readers.stop()
    assert.deepEqual([one.closes, readers.count()], [[1008, 1001], 0])
  })
})
