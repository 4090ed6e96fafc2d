/**
 * One way to the kernel's table of connections, against what the program conntrack says of it. Run in a network namespace with
 * `netlink` or `program`; prints what it found.
 */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { createSocket, type Socket } from "node:dgram"
import { once } from "node:events"
import { connect, createServer } from "node:net"
import {
  conntrackNetlink,
  conntrackProgram,
  netlinkSockets,
  type Tracked,
  type Tuple,
} from "../../adapters/linux/index.ts"
import { type Address, parseAddress } from "../../core/wire/index.ts"

const [way, most] = process.argv.slice(2)

const complaints: string[] = []
const complain = (text: string): void => void complaints.push(text)
const open = (room?: number) => {
  if (way === "program") return conntrackProgram(complain)
  const sockets = netlinkSockets()
  assert.ok(sockets.ok, sockets.ok ? "" : sockets.text)
  return conntrackNetlink(sockets.value, complain, room) ?? assert.fail("no socket")
}
const address = (text: string): Address => parseAddress(text) ?? assert.fail(text)
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

/** The kernel's table by the program: lines that have a text. */
const listed = (text: string, family = "ipv4"): readonly string[] =>
  execFileSync("conntrack", ["-L", "-f", family], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
    .split("\n")
    .filter((line) => line.includes(text))

const conntrack = open()
const began = new Map<string, Tracked>()
const ended = new Set<string>()
const keyOf = ({ sourcePort, destinationPort }: Tuple): string => `${sourcePort} ${destinationPort}`
const following = conntrack.follow({
  told: (what, connection) => {
    if (what === "began") began.set(keyOf(connection.original), connection)
    if (what === "ended") ended.add(keyOf(connection.original))
  },
  lost: () => assert.fail("events were lost"),
})
const until = async (known: { has(key: string): boolean }, key: string): Promise<void> => {
  while (!known.has(key)) {
    following.drain(4096)
    await turn()
  }
}

const bound = async (host = "127.0.0.1"): Promise<{ readonly socket: Socket; readonly port: number }> => {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4")
  socket.bind(0, host)
  await once(socket, "listening")
  return { socket, port: socket.address().port }
}
/** UDP from one to the other, which is heard. */
const say = async (from: Socket, to: { readonly socket: Socket; readonly port: number }, host = "127.0.0.1") => {
  const heard = once(to.socket, "message")
  from.send("x", to.port, host)
  await heard
}

// The program that follows events says nothing when it is ready: ask until one is told.
const [a, b] = [await bound(), await bound()]
for (let tries = 0; began.size === 0; tries++) {
  const one = await bound()
  await say(one.socket, b)
  one.socket.close()
  for (let n = 0; n < 5 && began.size === 0; n++) {
    following.drain(4096)
    await turn()
  }
  assert.ok(tries < 200)
}

const local = address("127.0.0.1")
const tuple: Tuple = { protocol: 17, source: local, sourcePort: a.port, destination: local, destinationPort: b.port }
const back: Tuple = { ...tuple, sourcePort: b.port, destinationPort: a.port }
assert.equal(conntrack.get(tuple), undefined)
assert.equal(conntrack.prolong(tuple, 500), false)
await say(a.socket, b)
await until(began, `${a.port} ${b.port}`)
assert.deepEqual({ ...began.get(`${a.port} ${b.port}`), timeout: 0 }, { ...conntrack.get(tuple), timeout: 0 })
const first = conntrack.get(tuple)
assert.deepEqual([first?.original, first?.reply, (first?.status ?? 0) & 2], [tuple, back, 0])
await say(b.socket, a)
assert.equal((conntrack.get(tuple)?.status ?? 0) & 2, 2)
// By its answers it is the same connection, which the program does not know.
if (way === "netlink") assert.deepEqual(conntrack.get(back)?.original, tuple)
const near = (one: number | undefined, two: number): boolean => one !== undefined && Math.abs(one - two) <= 1
const [line] = listed(`sport=${a.port} dport=${b.port}`)
assert.ok(near(conntrack.get(tuple)?.timeout, Number(/17 (\d+)/.exec(line ?? "")?.[1])), line)
assert.ok(conntrack.prolong(tuple, 500))
assert.ok(near(conntrack.get(tuple)?.timeout, 500))
assert.match(listed(`sport=${a.port} dport=${b.port}`)[0] ?? "", /17 (?:500|499|498) /)

// IPv6, and TCP.
const [six, other] = [await bound("::1"), await bound("::1")]
await say(six.socket, other, "::1")
const one = address("::1")
const of6: Tuple = { protocol: 17, source: one, sourcePort: six.port, destination: one, destinationPort: other.port }
assert.deepEqual(conntrack.get(of6)?.original, of6)
const server = createServer().listen(0, "127.0.0.1")
await once(server, "listening")
const port = Object(server.address()).port
const client = connect(port, "127.0.0.1")
await once(client, "connect")
const ofTcp: Tuple = { ...tuple, protocol: 6, sourcePort: client.localPort ?? 0, destinationPort: port }
assert.equal(conntrack.get(ofTcp)?.tcpState, 3)

/** Ports that the table has by a list. */
const all = async (family: 4 | 6): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  assert.ok(await conntrack.list(family, ({ original }) => found.add(keyOf(original))))
  return found
}
assert.deepEqual([...(await all(6))], [keyOf(of6)])
const four = await all(4)
assert.ok(four.has(keyOf(tuple)) && four.has(keyOf(ofTcp)))
assert.equal(four.size, listed("src=").length)

// Many that end together, and none but those.
const count = Number(most)
const many = Array.from({ length: count }, (_, i) => 20_000 + i)
/** A datagram to each of them that the table has not; again, as nobody is there and some runtimes' sockets mind that. */
const sayToAll = async (): Promise<void> => {
  for (;;) {
    const there = await all(4)
    const missing = many.filter((to) => !there.has(`${a.port} ${to}`))
    if (missing.length === 0) return
    for (const [i, to] of missing.entries()) {
      a.socket.send("x", to, "127.0.0.1")
      if (i % 100 === 99) await turn()
    }
    await turn()
  }
}
await sayToAll()
await until(began, `${a.port} ${many.at(-1)}`)
conntrack.end(many.map((to) => ({ family: 4, protocol: 17, destination: "127.0.0.1", destinationPort: to })))
// What is asked for twice, and of what there is none.
conntrack.end([{ family: 4, protocol: 17, source: "192.0.2.1" }])
conntrack.end([{ family: 6, protocol: 17, answers: "::1", answersPort: six.port }])
await conntrack.idle()
const left = await all(4)
assert.deepEqual(
  many.filter((to) => left.has(`${a.port} ${to}`)),
  [],
)
assert.ok(left.has(keyOf(tuple)) && left.has(keyOf(ofTcp)))
assert.equal(listed(`sport=${six.port}`, "ipv6").length, 0)
await until(ended, `${a.port} ${many.at(-1)}`)
following.close()

// Events that there is no room for are told of as lost, and a list has what they were about.
let losses = 0
if (way === "netlink") {
  const narrow = open(1)
  const followed = narrow.follow({ told: () => {}, lost: () => losses++ })
  await sayToAll()
  followed.drain(4096)
  assert.ok(losses > 0)
  const there = await all(4)
  assert.deepEqual(
    many.filter((to) => !there.has(`${a.port} ${to}`)),
    [],
  )
  followed.close()
  narrow.close()
}
// Connections whose answers go to a port that the kernel chooses are not heard of where that is asked for.
if (way === "netlink") {
  const heard: string[] = []
  const followed = conntrack.follow({
    told: (what, { original }) => heard.push(`${what} ${original.sourcePort}`),
    lost: () => assert.fail("events were lost"),
  })
  const socketOf = async (port: number): Promise<Socket> => {
    const socket = createSocket("udp4")
    socket.bind(port, "127.0.0.1")
    await once(socket, "listening")
    return socket
  }
  const PORTS = [19_001, 19_002, 19_003, 19_004, 19_005]
  const round = async (filter: Parameters<typeof followed.narrow>[0]): Promise<readonly string[]> => {
    heard.length = 0
    followed.narrow(filter)
    for (const from of PORTS) {
      const socket = await socketOf(from)
      await say(socket, b)
      socket.close()
    }
    conntrack.end(PORTS.map((sourcePort) => ({ family: 4, protocol: 17, source: "127.0.0.1", sourcePort })))
    await conntrack.idle()
    while (!followed.drain(1) || !heard.includes("ended 19005")) await turn()
    while (followed.drain(100));
    return heard.filter((text) => / 1900\d$/.test(text)).sort()
  }
  const chosen = { first: 19_002, last: 19_004 }
  const outer = ["began 19001", "began 19005", "ended 19001", "ended 19005"]
  assert.deepEqual(await round({ chosen, allEnded: false }), outer)
  const inner = ["ended 19002", "ended 19003", "ended 19004"]
  assert.deepEqual(await round({ chosen, allEnded: true }), [...outer, ...inner].sort())
  followed.close()
}
client.destroy()
server.close()
for (const { socket } of [a, b, six, other]) socket.close()
conntrack.close()
assert.deepEqual(complaints, [])
console.log(JSON.stringify({ way: conntrack.way, ended: count, lost: losses > 0 }))
