/** Programs that answer and ask, for tests of what the kernel lets through. */
import { COMMAND, records } from "../adapters/cli/command.ts"
import type { Namespace, Running } from "./namespace.ts"

const NODE = COMMAND[0]

/** Tells whoever asks, by TCP or UDP, from where it is asked. */
const ANSWER = `
const [protocol, port] = process.argv.slice(1)
const ready = () => console.log("listens")
if (protocol === "tcp") require("net").createServer((socket) => {
  socket.on("error", () => {})
  socket.on("data", () => socket.write(socket.remoteAddress + " " + socket.remotePort))
}).listen({ port: Number(port), host: "::" }, ready)
else {
  const socket = require("dgram").createSocket("udp6")
  socket.on("message", (_, from) => socket.send(from.address + " " + from.port, from.port, from.address))
  socket.bind(Number(port), ready)
}`

/** Asks once, or for each line of its input again by the same socket; prints what it hears, or that there was nobody. */
const ASK = `
const [protocol, address, port, source, sourcePort, patience] = process.argv.slice(1)
const heard = (text) => console.log(String(text).replaceAll("::ffff:", ""))
const from = { port: Number(sourcePort), address: source }
let timer
const wait = () => { clearTimeout(timer); timer = setTimeout(() => console.log("nobody"), Number(patience)) }
let say
if (protocol === "tcp") {
  const socket = require("net").connect({ host: address, port: Number(port), localAddress: source, localPort: Number(sourcePort) })
  socket.on("data", (data) => { clearTimeout(timer); heard(data) })
  socket.on("error", () => { clearTimeout(timer); console.log("nobody"); process.exit() })
  say = () => { wait(); socket.write("?") }
} else {
  const socket = require("dgram").createSocket(address.includes(":") ? "udp6" : "udp4")
  socket.on("message", (data) => { clearTimeout(timer); heard(data) })
  socket.on("error", () => {})
  socket.bind(from)
  say = () => { wait(); socket.send("?", Number(port), address) }
}
say()
process.on("SIGUSR2", say)
`

/** What is asked of whom, and from where. */
export interface Asking {
  readonly protocol: "tcp" | "udp"
  readonly address: string
  readonly port: number
  readonly source?: string
  readonly sourcePort?: number
}

/** Milliseconds after which it is nobody who answers: of what is to be heard none is near it. */
const PATIENCE = { heard: 20_000, nobody: 1_500 }

/** A program that answers at a port. */
export const answering = async (where: Namespace, protocol: "tcp" | "udp", port: number): Promise<Running> => {
  const running = where.start([NODE, "-e", ANSWER, protocol, `${port}`])
  await running.until(/listens/)
  return running
}

/** Asks, and goes on to: {@link again}. */
export const asking = async (where: Namespace, asked: Asking, expected: keyof typeof PATIENCE): Promise<Running> => {
  const { protocol, address, port, source, sourcePort = 0 } = asked
  const own = source ?? (address.includes(":") ? "::" : "0.0.0.0")
  const patience = `${PATIENCE[expected]}`
  const running = where.start([NODE, "-e", ASK, protocol, address, `${port}`, own, `${sourcePort}`, patience])
  await running.until(/\n/)
  return running
}

/** Asks by the same socket again, and gives what is heard then. */
export const again = async (running: Running): Promise<string> => {
  const lines = running.stdout().split("\n").length
  running.child.kill("SIGUSR2")
  await running.until(new RegExp(`(?:.*\\n){${lines}}`))
  return running.stdout().split("\n")[lines - 1]
}

/** What is heard: who was seen to ask, or `nobody`. */
export const heard = async (where: Namespace, asked: Asking): Promise<string> =>
  end(await asking(where, asked, "heard"))

/** That nobody answers. */
export const unheard = async (where: Namespace, asked: Asking): Promise<string> =>
  end(await asking(where, asked, "nobody"))

const end = async (running: Running): Promise<string> => {
  await running.stop("SIGKILL")
  return running.stdout().trim()
}

/** An external end that `sallyport map --json` printed. */
export const externalOf = (stdout: string): { readonly address: string; readonly port: number } => {
  const external = records(stdout).find((record) => record.external !== undefined)?.external
  if (typeof external !== "object" || external === null || !("address" in external) || !("port" in external))
    throw new Error(`no external end: ${stdout}`)
  return { address: String(external.address), port: Number(external.port) }
}
