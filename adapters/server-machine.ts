import type { CgnState, Change } from "../core/cgn/index.ts"
import { advance, type DropReason, type Pushed, process, type Request, type ServerState } from "../core/server/index.ts"
import type { Machine, MachineOutgoing, Output } from "./host.ts"
import type { Datagram, Endpoint } from "./udp.ts"

/** What a server did. `request` and `reply` are valid during the call that tells it only. */
export type ServerEvent =
  | {
      readonly type: "answered"
      readonly source: Endpoint
      readonly local: Endpoint
      readonly request: Uint8Array
      readonly reply: Uint8Array
      readonly changes: readonly Change[]
    }
  | {
      readonly type: "dropped"
      readonly source: Endpoint
      readonly local: Endpoint
      readonly request: Uint8Array
      readonly reason: DropReason
    }
  /** Time passed: mappings ran out. Or the server's owner changed something. */
  | { readonly type: "advanced"; readonly changes: readonly Change[] }

const NOTHING: readonly never[] = []

/** What a push, a revocation or other settings came to, for the host whose `act` took the step. */
export const pushedOutput = ({ changes, next }: Pushed): Output<ServerEvent> => ({
  send: NOTHING,
  next,
  events: changes.length === 0 ? NOTHING : [{ type: "advanced", changes }],
})

/** What is known of a datagram by where it arrived: its side (RFC 6887 section 8.2), its realm, its subscriber. */
export type Arrival = Pick<Request, "side" | "realm" | "subscriber">

/**
 * The PCP and NAT-PMP server of `core/server` as a machine for {@link startHost}. All its sockets are on the inside, in no
 * realm, unless `arrival` tells otherwise of a datagram, by the socket that it came to, say. `octets`: the memory that replies
 * are written to, `octets` of the runtime's `Udp` where there is one.
 */
export const serverMachine = <S = CgnState>(
  arrival?: (datagram: Datagram) => Arrival,
  octets?: Request["octets"],
): Machine<ServerState<S>, ServerEvent> => ({
  receive: (state, datagram: Datagram, now) => {
    const { bytes, source, local } = datagram
    const request: Request = { bytes, now, source: source.address, sourcePort: source.port, octets }
    const [after, { reply, dropped, changes, next }] = process(
      state,
      arrival === undefined ? request : { ...request, ...arrival(datagram) },
    )
    if (reply === undefined) {
      const events: ServerEvent[] =
        dropped === undefined ? [] : [{ type: "dropped", source, local, request: bytes, reason: dropped }]
      return [after, { send: NOTHING, next, events }]
    }
    return [
      after,
      {
        send: [{ bytes: reply, destination: source }],
        next,
        events: [{ type: "answered", source, local, request: bytes, reply, changes }],
      },
    ]
  },
  advance: (state, now) => {
    const [after, { changes, send, next }] = advance(state, now)
    return [
      after,
      {
        send: send.map(
          ({ bytes, destination, port }): MachineOutgoing => ({ bytes, destination: { address: destination, port } }),
        ),
        next,
        events: changes.length === 0 ? NOTHING : [{ type: "advanced", changes }],
      },
    ]
  },
})
