import { type Address, parseAddress, SERVER_PORT } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import { PortControlError } from "./error.ts"

/** `192.168.1.1`, `192.168.1.1:5352`, `fe80::1%eth0`, `[fe80::1%eth0]:5352`; `undefined`: it is none of these. */
export const parseServer = (text: string): Endpoint | undefined => {
  const match = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text) ?? /^([^:]*)(?::(\d{1,5}))?$/.exec(text)
  const [host, port] = match === null ? [text, undefined] : [match[1], match[2]]
  const [address, zone, more] = host.split("%")
  const read = parseAddress(address)
  const number = port === undefined ? SERVER_PORT : Number(port)
  if (read === undefined || zone === "" || more !== undefined || number < 1 || number > 65535) return undefined
  return { address: read, port: number, zone }
}

/** The address that a caller's text is; throws what calls reject with. */
export const addressOf = (text: string, what: string): Address => {
  const address = parseAddress(text)
  if (address === undefined) throw new PortControlError("bad-options", `${what} ${JSON.stringify(text)} is no address`)
  return address
}
