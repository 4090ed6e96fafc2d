import { lookup } from "node:dns/promises"
import { parseAddress, SERVER_PORT } from "../../core/wire/index.ts"
import { reasonOf } from "../system-error.ts"
import type { Endpoint } from "../udp.ts"
import { readEndpoint } from "./endpoint.ts"
import type { Read } from "./read.ts"

/** An address, or a name that the system looks up; either with a port behind it or not. */
export const findServer = async (text: string): Promise<Read<Endpoint>> => {
  const read = readEndpoint(text)
  if (read.ok) return read
  const match = /^([^:[\]]+)(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return read
  try {
    const found = await lookup(match[1])
    const address = parseAddress(found.address)
    const port = match[2] === undefined ? SERVER_PORT : Number(match[2])
    if (address === undefined || port > 65535) return read
    return { ok: true, value: { address, port } }
  } catch (cause) {
    return { ok: false, text: `cannot find the server: ${reasonOf(cause)}` }
  }
}
