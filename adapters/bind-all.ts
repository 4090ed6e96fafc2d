import { ANY4, ANY6 } from "../core/wire/index.ts"
import type { BindOptions, Endpoint, Receiver, Udp, UdpError, UdpSocket } from "./udp.ts"

export type BoundAll =
  | { readonly ok: true; readonly sockets: readonly UdpSocket[] }
  | { readonly ok: false; readonly error: UdpError; readonly local: Endpoint }

/**
 * Binds all of these or none: on the first that fails the others are closed, and its error is returned. `0.0.0.0` and `::` may be
 * at one port on every runtime. Never rejects.
 */
export const bindAll = async (udp: Udp, all: readonly BindOptions[], receiver: Receiver): Promise<BoundAll> => {
  const sockets: UdpSocket[] = []
  const fail = async (error: UdpError, local: Endpoint): Promise<BoundAll> => {
    await Promise.all(sockets.map((socket) => socket.close()))
    return { ok: false, error, local }
  }
  const shared = udp.limits.includes("ipv6-only") ? all.filter((options) => isShared(options, all)) : []
  for (const options of shared) {
    // To share is to share with anybody who says so too: another program that has the port already is found first.
    const alone = await udp.bind(options, DEAF)
    if (!alone.ok) return fail(alone.error, options.local)
    await alone.value.close()
  }
  for (const options of all) {
    const bound = await udp.bind(shared.includes(options) ? { ...options, reuseAddress: true } : options, receiver)
    if (!bound.ok) return fail(bound.error, options.local)
    sockets.push(bound.value)
  }
  return { ok: true, sockets }
}

/** Is the other family's all-zeros address to have the same port? */
const isShared = ({ local: { address, port } }: BindOptions, all: readonly BindOptions[]): boolean => {
  const other = address === ANY4 ? ANY6 : address === ANY6 ? ANY4 : undefined
  return port !== 0 && all.some(({ local }) => local.address === other && local.port === port)
}

const DEAF: Receiver = { receive: () => {}, error: () => {} }
