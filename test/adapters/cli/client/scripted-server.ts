import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { after } from "node:test"
import { encode, type Packet, type PcpRequest, parse, parseAddress } from "../../../../core/wire/index.ts"

/** What a server that a test writes answers to one datagram; nothing: it is silent. */
export type Script = (bytes: Uint8Array, count: number) => Uint8Array | undefined

const open = new Set<() => void>()
after(() => {
  for (const close of open) close()
})

/** A server on loopback that does what its script says, and remembers what came. */
export const scriptedServer = async (script: Script) => {
  const socket = createSocket("udp4")
  const heard: Uint8Array[] = []
  socket.on("message", (bytes, { address, port }) => {
    heard.push(Uint8Array.from(bytes))
    const answer = script(bytes, heard.length)
    if (answer !== undefined) socket.send(answer, port, address)
  })
  socket.bind(0, "127.0.0.1")
  await once(socket, "listening")
  const close = (): void => {
    open.delete(close)
    socket.close()
  }
  open.add(close)
  return { at: `127.0.0.1:${socket.address().port}`, heard, close }
}

const bytesOf = (packet: Packet): Uint8Array => {
  const encoded = encode(packet)
  assert.ok(encoded.ok)
  return encoded.bytes
}

const requestOf = (bytes: Uint8Array): PcpRequest | undefined => {
  const read = parse(bytes)
  return read.ok && read.packet.kind === "pcp-request" ? read.packet : undefined
}

/** Refuses every PCP request with this result code, for so many seconds. */
export const refusing =
  (result: number, lifetime: number): Script =>
  (bytes) => {
    const request = requestOf(bytes)
    return request && bytesOf({ ...request, kind: "pcp-response", result, lifetime, epoch: 100, clientTail: undefined })
  }

/** Grants every MAP and PEER this address, for so many seconds, at the suggested port or the one given. */
export const granting =
  (address: string, lifetime: number, port?: number): Script =>
  (bytes) => {
    const request = requestOf(bytes)
    const external = parseAddress(address)
    if (request === undefined || external === undefined) return undefined
    const { body } = request
    const granted =
      body.kind === "map" || body.kind === "peer"
        ? { ...body, external, externalPort: request.lifetime === 0 ? body.externalPort : (port ?? body.externalPort) }
        : body
    return bytesOf({
      kind: "pcp-response",
      result: 0,
      lifetime: request.lifetime === 0 ? 0 : lifetime,
      epoch: 100,
      clientTail: undefined,
      body: granted,
      options: request.options.filter(({ kind }) => kind !== "PREFER_FAILURE" && kind !== "PREFIX64"),
    })
  }

/** {@link granting}, but deleted mappings have had traffic: they are left for so many seconds (RFC 6887 section 15). */
export const leaving =
  (address: string, lifetime: number, left: number): Script =>
  (bytes, count) => {
    const request = requestOf(bytes)
    if (request?.lifetime !== 0 || request.body.kind !== "map") return granting(address, lifetime)(bytes, count)
    return bytesOf({ ...request, kind: "pcp-response", result: 0, lifetime: left, epoch: 100, clientTail: undefined })
  }

/** NAT-PMP alone (RFC 6886): its version error for anything else, this address, and mappings at the suggested port. */
export const natPmpAlone =
  (address: readonly [number, number, number, number], result = 0): Script =>
  (bytes) => {
    if (bytes[0] !== 0) return Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 100)
    const head = [0, 128 + bytes[1], 0, result, 0, 0, 0, 100]
    return bytes[1] === 0
      ? Uint8Array.from([...head, ...address])
      : Uint8Array.from([...head, ...bytes.subarray(4, 8), ...bytes.subarray(8, 12)])
  }
