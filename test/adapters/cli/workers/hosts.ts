import { createSocket } from "node:dgram"
import { once } from "node:events"
import { u16 } from "../../../../core/wire/index.ts"
import { type JsonRecord, mapRequest, octets, records, sallyport, serving } from "../command.ts"

/** Hosts of loopback, by whose addresses both of two workers have some. */
export const HOSTS: readonly string[] = Array.from({ length: 12 }, (_, i) => `127.0.0.${i + 1}`)

/** Asks from an address of a host and a port of its own each time, so that the system gives each to whichever worker. */
export const ask = async (host: string, bytes: Uint8Array, port: number): Promise<Uint8Array> => {
  const socket = createSocket("udp4")
  // Nobody listens there yet, or no more.
  socket.on("error", () => {})
  socket.bind(0, host)
  await once(socket, "listening")
  const again = setInterval(() => socket.send(bytes, port, "127.0.0.1"), 1000)
  socket.send(bytes, port, "127.0.0.1")
  const answer = await new Promise<Uint8Array>((resolve) => socket.once("message", resolve))
  clearInterval(again)
  socket.close()
  return answer
}

/** A MAP request of a host: see `mapRequest`, which is 127.0.0.1's. */
export const mapOf = (host: string, port: number, lifetime: number, nonce?: string): Uint8Array => {
  const bytes = mapRequest(port, lifetime, nonce)
  bytes.set(host.split(".").map(Number), 20)
  return bytes
}

/** The same, for a third party (RFC 6887 section 13.1): its THIRD_PARTY option names another host. */
export const mapFor = (source: string, host: string, port: number, nonce?: string): Uint8Array => {
  const named = octets("01000010 00000000000000000000ffff00000000")
  named.set(host.split(".").map(Number), 16)
  return Uint8Array.from([...mapOf(source, port, 3600, nonce), ...named])
}

/** The external end of an answer to MAP, as text. */
export const endOf = (answer: Uint8Array): string => `${answer.subarray(56, 60).join(".")}:${u16(answer, 42)}`

export const listed = async (path: string): Promise<readonly JsonRecord[]> =>
  records((await sallyport(["mappings", "--json", "--control", path])).stdout)

export const startWorkers = (args: readonly string[], workers = "2", env: NodeJS.ProcessEnv = {}) =>
  serving(["--json", ...args, "--workers", workers], env)
