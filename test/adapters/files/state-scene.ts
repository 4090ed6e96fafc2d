/** Servers for the tests of state files, and a program that writes states to a file until it is killed. */
import { argv } from "node:process"
import { saveState } from "../../../adapters/files/index.ts"
import type { CgnSettings } from "../../../core/cgn/index.ts"
import { createCgn, memoryCgn, saveCgn } from "../../../core/cgn/index.ts"
import { createServerOver, type ServerState, process as serve } from "../../../core/server/index.ts"
import { addressFromIpv4, putU16, putU32, writeAddress } from "../../../core/wire/index.ts"

export const CGN: CgnSettings = {
  external: [addressFromIpv4(0xcb007101)],
  ports: { first: 1024, last: 65535 },
  quota: 0,
  filterLimit: 8,
  idleTimeout: { udp: 300, tcp: 7440 },
  secret: new Uint8Array(32).fill(3),
  now: 0,
}

export const emptyServer = (): ServerState => {
  const cgn = createCgn(CGN)
  if (!cgn.ok) throw new Error(cgn.error.text)
  const made = createServerOver(memoryCgn, cgn.state, 0)
  if (!made.ok) throw new Error(made.error.text)
  return made.state
}

/** A MAP request of 10.0.0.0 + n, UDP port 4000, for a day. */
export const mapRequest = (n: number): Uint8Array => {
  const bytes = new Uint8Array(60)
  bytes[0] = 2
  bytes[1] = 1
  putU32(bytes, 4, 86400)
  writeAddress(bytes, 8, addressFromIpv4(0x0a000000 + n))
  putU32(bytes, 24, n)
  bytes[36] = 17
  putU16(bytes, 40, 4000)
  writeAddress(bytes, 44, addressFromIpv4(0))
  return bytes
}

/** The server with mapping number `n` besides. */
export const withMapping = (state: ServerState, n: number, now: number): ServerState =>
  serve(state, { bytes: mapRequest(n), now, source: addressFromIpv4(0x0a000000 + n), sourcePort: 4000 })[0]

/** Writes a state with one mapping more each time, and says so after each. */
const writeOn = async (path: string): Promise<void> => {
  let state = emptyServer()
  for (let n = 1; ; n++) {
    for (let more = 0; more < 50; more++) state = withMapping(state, 50 * n + more, n)
    const saved = await saveState(path, saveCgn, state, { now: n, wallClock: Date.now() })
    console.log(saved.ok ? String(50 * n) : saved.text)
  }
}

if (argv[2] === "write") await writeOn(argv[3])
