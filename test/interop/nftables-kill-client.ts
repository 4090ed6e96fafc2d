/**
 * Hosts behind a server that is killed: they map, renew and delete by PCP as fast as they are answered, and remember what they were told. One
 * line of JSON a command, and one as its answer, over a local socket. Arguments: that socket's path, the server's address, a seed, then the hosts' addresses.
 */
import { createSocket } from "node:dgram"
import { createServer } from "node:net"
import { createInterface } from "node:readline"

const [path, server, seed, ...hosts] = process.argv.slice(2)
/** Internal ports of each host, one mapping each; and requests under way at once. */
const [PORTS, FIRST_PORT, WINDOW] = [150, 20_000, 64]
/** Milliseconds after which a request is sent again. */
const AGAIN = 400

/** An internal end, and what its host was told of its mapping last. */
interface End {
  readonly host: number
  readonly port: number
  readonly nonce: Buffer
  /** `address port`; `undefined`: it has no mapping that was answered. */
  external: string | undefined
  /** A deletion or a request of which no answer came: the host does not know. */
  isUnsure: boolean
}

/** What is under way for an end. */
interface Asked {
  readonly bytes: Buffer
  readonly lifetime: number
  sent: number
  readonly answered: () => void
}

let state = Number(seed) >>> 0
const random = (below: number): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const ends: readonly End[] = hosts.flatMap((_, host) =>
  Array.from({ length: PORTS }, (__, i) => {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(host * PORTS + i + 1, 8)
    return { host, port: FIRST_PORT + i, nonce, external: undefined, isUnsure: false }
  }),
)
const underWay = new Map<End, Asked>()
const faults: string[] = []
let epoch = 0
let answers = 0
let isFlooding = false

/** RFC 6887 figure 9: UDP, no suggestion. */
const requestOf = ({ host, port, nonce }: End, lifetime: number): Buffer => {
  const bytes = Buffer.alloc(60)
  bytes.set([2, 1])
  bytes.writeUInt32BE(lifetime, 4)
  bytes.set([255, 255, ...hosts[host].split(".").map(Number)], 18)
  nonce.copy(bytes, 24)
  bytes[36] = 17
  bytes.writeUInt16BE(port, 40)
  bytes.set([255, 255], 54)
  return bytes
}

const sockets = hosts.map((address) => {
  const socket = createSocket("udp4")
  socket.on("message", hear)
  // Nobody listens while the server is away.
  socket.on("error", () => {})
  socket.bind(0, address)
  return socket
})

function hear(bytes: Buffer): void {
  const end = bytes.length === 60 ? ends[bytes.readUInt32BE(32) - 1] : undefined
  const asked = end && underWay.get(end)
  if (end === undefined || asked === undefined || bytes[1] !== 0x81) return
  const lifetime = bytes.readUInt32BE(4)
  // The answer to a request of before, which was asked twice.
  if (bytes[3] === 0 && (lifetime === 0) !== (asked.lifetime === 0)) return
  underWay.delete(end)
  answers++
  epoch = bytes.readUInt32BE(8)
  if (bytes[3] !== 0) faults.push(`${hosts[end.host]} ${end.port}: result ${bytes[3]}`)
  else if (asked.lifetime === 0) end.external = undefined
  else {
    const external = `${bytes.subarray(56, 60).join(".")} ${bytes.readUInt16BE(42)}`
    if (end.external !== undefined && !end.isUnsure && end.external !== external && isFlooding)
      faults.push(`${hosts[end.host]} ${end.port}: ${end.external}, and then ${external}`)
    end.external = external
  }
  end.isUnsure = false
  asked.answered()
}

const send = (end: End, lifetime: number, answered: () => void): void => {
  const asked = { bytes: requestOf(end, lifetime), lifetime, sent: Date.now(), answered }
  underWay.set(end, asked)
  sockets[end.host].send(asked.bytes, 5351, server)
}

/** Something with an end by chance: mostly more mappings. */
const flood = (): void => {
  while (isFlooding && underWay.size < WINDOW) {
    const end = ends[random(ends.length)]
    if (!underWay.has(end)) send(end, end.external !== undefined && random(4) === 0 ? 0 : 600, flood)
  }
}

setInterval(() => {
  for (const [end, asked] of underWay)
    if (Date.now() - asked.sent >= AGAIN) {
      asked.sent = Date.now()
      sockets[end.host].send(asked.bytes, 5351, server)
    }
}, 50)

const told = () =>
  ends.flatMap(({ host, port, external, isUnsure }) =>
    external === undefined && !isUnsure ? [] : [{ internal: `${hosts[host]} ${port}`, external, isUnsure }],
  )

/** Asks for each mapping that was told again, and for what is not known: all of it is known then. */
const renew = async (): Promise<void> => {
  const waiting = ends.filter(({ external, isUnsure }) => external !== undefined || isUnsure)
  await new Promise<void>((resolve) => {
    let left = waiting.length
    const next = (): void => {
      if (left === 0) resolve()
      for (let end = waiting.pop(); end !== undefined; end = underWay.size < WINDOW ? waiting.pop() : undefined)
        send(end, 600, () => {
          left--
          next()
        })
    }
    next()
  })
}

const COMMANDS: Readonly<Record<string, (argument: number) => Promise<object> | object>> = {
  /** Goes on from now, and answers after so many answers. */
  flood: async (count) => {
    isFlooding = true
    const wanted = answers + count
    flood()
    while (answers < wanted) await new Promise((resolve) => setTimeout(resolve, 1))
    return {}
  },
  /** Gives up what is under way: whether the server has it is not known. */
  stop: () => {
    isFlooding = false
    for (const end of underWay.keys()) end.isUnsure = true
    underWay.clear()
    return { told: told(), faults, epoch }
  },
  renew: async () => {
    await renew()
    return { told: told(), faults, epoch }
  },
}

createServer((socket) => {
  const lines = createInterface({ input: socket })
  lines.on("line", async (line) => {
    const [command, argument] = line.split(" ")
    socket.write(`${JSON.stringify(await COMMANDS[command](Number(argument)))}\n`)
  })
  socket.on("error", () => {})
}).listen(path, () => console.log("ready"))
