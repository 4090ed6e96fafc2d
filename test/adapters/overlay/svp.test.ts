/** SVP over real TCP: our client and our server with each other, and each with an adversary. */
import assert from "node:assert/strict"
import { renameSync, writeFileSync } from "node:fs"
import { connect, createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { describe, test } from "node:test"
import { clock, entropy } from "#runtime"
import {
  type OverlayNote,
  type OverlayOptions,
  type SvpServerOptions,
  startSvpServer,
} from "../../../adapters/overlay/index.ts"
import { crc32, encodeSvp, type SvpHost, type SvpMessage } from "../../../core/overlay/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { hex, toHex } from "../../core/wire/hex.ts"
import { address } from "../udp-suite.ts"
import { A, B, box, C, type Cleanup, endpoint, first, folder, frame, LOOPBACK, mac, peer, refusal } from "./scene.ts"

/** B6's golden vectors. */
const PING = "00010001 00000000 00000001 b5b66088"
const VL2_REQ = "00010003 0000000c 00000001 12bb7dbf deadbeef00000000 00000017"
const VL2_ACK = "00010004 00000014 00000001 010eb31c 0000 12b5 00000000000000000000ffff0a585845"
const VL3_REQ = "00010005 00000018 00000002 c98d8822 00000000000000000000ffff0a373702 00000001 00000017"
const VL3_ACK = "00010006 0000001c 00000002 3359e293 00000000 deadbeef0000 12b5 00000000000000000000ffff0a585845"

const host = (name: string, more: Partial<SvpHost> = {}): SvpHost => ({
  vnetid: 23,
  mac: mac(name),
  target: { address: address("10.88.88.69"), port: 4789 },
  arp: undefined,
  ndp: undefined,
  vlan: 0,
  ...more,
})

const server = async (t: Cleanup, options: Partial<SvpServerOptions> = {}) => {
  const warnings = box<string>()
  const service = await startSvpServer({ clock, entropy, listen: [LOOPBACK], warning: warnings.put, ...options })
  t.after(() => service.close())
  return { service, warnings, port: service.local[0]?.port ?? 0 }
}

/** A client that says what it likes, and all that it is told until the connection ends. */
const client = async (t: Cleanup, port: number) => {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true })
  const pieces: Buffer[] = []
  let wake = (): void => {}
  socket.on("data", (piece: Buffer) => {
    pieces.push(piece)
    wake()
  })
  socket.on("error", () => {})
  const ended = new Promise<string>((resolve) => {
    const told = (): void => resolve(toHex(Buffer.concat(pieces)))
    socket.once("end", told).once("close", told)
  })
  t.after(() => socket.destroy())
  await new Promise<void>((resolve) => socket.once("connect", resolve))
  return {
    socket,
    ended,
    say: (text: string): void => {
      socket.write(hex(text))
    },
    hear: async (octets: number): Promise<string> => {
      while (pieces.reduce((sum, { length }) => sum + length, 0) < octets)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      return toHex(Buffer.concat(pieces))
    },
  }
}

describe("B6: an SVP server over TCP", () => {
  const hosts = [host(A, { arp: address("10.55.55.2") })]

  test("answers the golden vectors with the golden vectors, in whatever pieces they come", async (t) => {
    const { port } = await server(t, { hosts })
    const one = await client(t, port)
    for (const octet of hex(`${VL2_REQ} ${VL3_REQ}`)) {
      one.socket.write(Uint8Array.of(octet))
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(await one.hear(36 + 44), toHex(hex(`${VL2_ACK} ${VL3_ACK}`)))
    one.say(PING)
    assert.match(await one.hear(36 + 44 + 16), /00010002000000000000000[1]{1}[0-9a-f]{8}$/)
  })

  test("what cannot be trusted ends its connection, and no other", async (t) => {
    const { port, warnings } = await server(t, { hosts })
    const good = await client(t, port)
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["a CRC that is wrong", VL2_REQ.replace("12bb7dbf", "12bb7dbe"), /CRC/],
      ["a version that is none", VL2_REQ.replace("00010003", "00030003"), /version 3/],
      ["a size beyond any question", VL2_REQ.replace("0000000c", "7fffffff"), /2147483647 octets/],
    ]
    for (const [name, text, warning] of cases) {
      const bad = await client(t, port)
      bad.say(text)
      assert.equal(await bad.ended, "", name)
      assert.match(await warnings.next(), warning, name)
    }
    good.say(VL2_REQ)
    assert.equal(await good.hear(36), toHex(hex(VL2_ACK)))
  })

  test("a client that half-closes has its answers, and then the end", async (t) => {
    const { port, service } = await server(t, { hosts })
    const one = await client(t, port)
    one.socket.end(hex(`${VL2_REQ} ${VL3_REQ}`))
    assert.equal(await one.ended, toHex(hex(`${VL2_ACK} ${VL3_ACK}`)))
    assert.equal(service.state().sessions.size, 0)
  })

  test("a client that reads nothing is read no more; the others are served", async (t) => {
    const { port, service } = await server(t, { hosts })
    const slow = await client(t, port)
    slow.socket.pause()
    const question = hex(VL2_REQ)
    const many = new Uint8Array(question.length * 4096)
    for (let i = 0; i < 4096; i++) many.set(question, i * question.length)
    // Until neither side takes more.
    let isFull = false
    for (let i = 0; i < 1000 && !isFull; i++) {
      isFull = !slow.socket.write(many)
      if (isFull && (await Promise.race([drained(slow.socket), stuck()]))) isFull = false
    }
    assert.ok(isFull, "all was taken")
    const quick = await client(t, port)
    quick.say(VL2_REQ)
    assert.equal(await quick.hear(36), toHex(hex(VL2_ACK)))
    assert.equal(service.state().sessions.size, 2)
  })

  test("one client more than there is room for is closed at once", async (t) => {
    const { port } = await server(t, { hosts, connections: 1 })
    const one = await client(t, port)
    one.say(VL2_REQ)
    await one.hear(36)
    assert.equal(await (await client(t, port)).ended, "")
  })

  test("hosts come from a file, and from it again when it changes; a bad one changes nothing", async (t) => {
    const path = join(folder(t), "hosts.json")
    const put = (text: string): void => {
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
    }
    const text = (ip: string): string => JSON.stringify({ 23: { [A]: { ip, port: 4789 } } })
    put(text("10.88.88.1"))
    const changes = box<number>()
    const { port, warnings } = await server(t, { file: path, changed: changes.put })
    put(text("10.88.88.69"))
    assert.equal(await changes.next(), 1)
    put('{"23":{"nobody":{}}}')
    assert.match(await warnings.next(), /not read: .*"nobody": no MAC/)
    const one = await client(t, port)
    one.say(VL2_REQ)
    assert.equal(await one.hear(36), toHex(hex(VL2_ACK)))
  })

  test("what cannot be", async (t) => {
    const { port, service } = await server(t)
    const listen = [{ ...LOOPBACK, port }]
    assert.deepEqual(await refusal(server(t, { listen })), ["EADDRINUSE"])
    assert.deepEqual(await refusal(server(t, { file: "/nowhere/at/all" })), ["ENOENT"])
    assert.deepEqual(await refusal(server(t, { hosts: [host(A, { vnetid: 2 ** 24 })] })), ["EINVAL"])
    const put = service.put(host(A, { target: { address: address("10.0.0.1"), port: 0 } }))
    assert.equal(!put.ok && put.error, "EINVAL")
  })
})

const drained = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => socket.once("drain", () => resolve(true)))
/** Long enough for whoever reads to have read. */
const stuck = (): Promise<boolean> => new Promise((resolve) => setTimeout(() => resolve(false), 1000))

const overlay = (port: number, more: Partial<OverlayOptions> = {}): OverlayOptions => ({
  name: "blue",
  vnetid: 23,
  listen: LOOPBACK,
  plugin: "svp",
  properties: { "svp/host": "127.0.0.1", "svp/port": `${port}`, "svp/underlay_ip": "10.88.88.70" },
  ...more,
})

/** Asks until the server is there: a client connects within a second. */
const asked = async (one: ReturnType<typeof first>, name: string) => {
  for (;;) {
    const target = await one.lookup(mac(name))
    if (target !== "drop") return `${formatAddress(target.address)}:${target.port}`
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe("B6: lookups by svp over TCP", () => {
  test("frames find their targets, ARP its answer, and a host that moves is followed by the log, in each overlay", async (t) => {
    const there = await peer(t)
    const target = { address: LOOPBACK.address, port: there.local.port }
    const { port, service } = await server(t, {
      hosts: [host(A, { target, arp: address("10.55.55.2") }), host(A, { vnetid: 24, target }), host(B)],
    })
    const got = box<string>()
    const here = await endpoint(t, [
      overlay(port, { deliver: (frame) => got.put(toHex(frame)) }),
      overlay(port, { name: "green", vnetid: 24 }),
    ])
    const [blue, green] = here.overlays
    assert.ok(blue !== undefined && green !== undefined)
    for (const one of [blue, green]) {
      await asked(one, A)
      one.transmit(frame(A, C))
      assert.equal(
        toHex((await there.came.next()).bytes),
        toHex(hex(`08000000 0000${one === blue ? "17" : "18"}00 ${toHex(frame(A, C))}`)),
      )
    }
    assert.equal(await blue.lookup(mac(C)), "drop")
    blue.transmit(
      frame("ff:ff:ff:ff:ff:ff", C, "0001 0800 06 04 0001 deadbeef0002 0a373704 000000000000 0a373702", "0806"),
    )
    assert.equal(
      await got.next(),
      toHex(hex("deadbeef0002 deadbeef0000 0806 0001 0800 06 04 0002 deadbeef0000 0a373702 deadbeef0002 0a373704")),
    )
    // Both read one log, that of their underlay address: whoever reads first tells the other.
    for (const vnetid of [23, 24]) service.put(host(A, { vnetid }))
    for (const one of [blue, green]) while (one.get(mac(A)).ok) await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(await asked(green, A), "10.88.88.69:4789")
  })

  test("a server that is not there degrades nothing at first, and is found when it comes", async (t) => {
    const { port, service } = await server(t, { hosts: [host(A)] })
    await service.close()
    const one = first(await endpoint(t, [overlay(port)]))
    assert.equal(await one.lookup(mac(A)), "drop")
    await server(t, { hosts: [host(A)], listen: [{ ...LOOPBACK, port }] })
    assert.equal(await asked(one, A), "10.88.88.69:4789")
  })

  test("a name that nobody has degrades the overlay, and says so", async (t) => {
    const notes = box<OverlayNote>()
    const one = await endpoint(
      t,
      [overlay(1, { properties: { "svp/host": "nobody.invalid", "svp/underlay_ip": "10.88.88.70" } })],
      { note: notes.put },
    )
    const text = "failed to resolve or find entries for hostname nobody.invalid"
    assert.deepEqual(await notes.next(), { type: "status", overlay: "blue", text })
    assert.equal(first(one).degraded(), text)
  })

  /** A server that answers each question as it likes. */
  const scripted = async (t: Cleanup, answer: (question: Buffer, socket: Socket) => void) => {
    const connections = box<Socket>()
    const made: Server = createServer((socket) => {
      socket.on("error", () => {})
      socket.on("data", (data: Buffer) => answer(data, socket))
      connections.put(socket)
      t.after(() => socket.destroy())
    })
    await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve))
    t.after(() => made.close())
    const at = made.address()
    return { connections, port: typeof at === "object" && at !== null ? at.port : 0 }
  }

  const wrong = (message: SvpMessage, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): Uint8Array => {
    const encoded = encodeSvp(message)
    assert.ok(encoded.ok)
    return change(encoded.bytes)
  }
  const ok = (id: number): SvpMessage => ({
    version: 1,
    id,
    body: { kind: "vl2-ack", status: 0, port: 4789, address: address("10.88.88.69") },
  })
  const flipped = (at: number) => (bytes: Uint8Array) => {
    const copy = bytes.slice()
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  /** An octet more than the answer has, with a CRC that is right. */
  const longer = (bytes: Uint8Array): Uint8Array => {
    const all = Uint8Array.of(...bytes, 0)
    all[7] = (all[7] ?? 0) + 1
    all.fill(0, 12, 16)
    new DataView(all.buffer).setUint32(12, crc32(all, 0, all.length))
    return all
  }
  const answers: readonly (readonly [string, (id: number) => Uint8Array])[] = [
    ["a CRC that is wrong", (id) => wrong(ok(id), flipped(12))],
    ["a size that is not its own", (id) => longer(wrong(ok(id)))],
    ["a size beyond any answer", (id) => wrong(ok(id), flipped(4))],
    ["an id that nobody has", (id) => wrong(ok(id + 1))],
    ["the answer to another question", (id) => wrong({ version: 1, id, body: { kind: "log-remove-ack", status: 0 } })],
    ["another version", (id) => wrong({ ...ok(id), version: 2 })],
  ]
  for (const [name, make] of answers)
    test(`a server that answers with ${name} is left, and asked again on another connection`, async (t) => {
      let good = false
      const { connections, port } = await scripted(t, (question, socket) => {
        if (question[3] !== 3) return
        const id = question.readUInt32BE(8)
        socket.write(good ? wrong(ok(id)) : make(id))
      })
      const one = first(await endpoint(t, [overlay(port)]))
      const bad = await connections.next()
      const closed = new Promise((resolve) => bad.once("close", resolve))
      // Nobody is asked before the connection is there on this side too.
      while ((await Promise.race([one.lookup(mac(A)), closed])) === "drop" && !bad.destroyed)
        await new Promise((resolve) => setTimeout(resolve, 5))
      await closed
      good = true
      await connections.next()
      assert.equal(await asked(one, A), "10.88.88.69:4789")
    })

  test("a server that half-closes has said all: its connection is made anew", async (t) => {
    const { connections, port } = await scripted(t, () => {})
    await endpoint(t, [overlay(port)])
    const socket = await connections.next()
    socket.end()
    await connections.next()
  })

  test("a server that answers in single octets is understood", async (t) => {
    const { port } = await scripted(t, async (question, socket) => {
      if (question[3] !== 3) return
      for (const octet of wrong(ok(question.readUInt32BE(8)))) {
        socket.write(Uint8Array.of(octet))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    assert.equal(await asked(first(await endpoint(t, [overlay(port)])), A), "10.88.88.69:4789")
  })
})
