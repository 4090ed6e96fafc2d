import type { CgnState, Change } from "../core/cgn/index.ts"
import { advance, type DropReason, type Pushed, process, type ServerState } from "../core/server/index.ts"
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

/** The PCP and NAT-PMP server of `core/server` as a machine for {@link startHost}: all its sockets are on the inside. */
export const serverMachine = <S = CgnState>(): Machine<ServerState<S>, ServerEvent> => ({
  receive: (state, { bytes, source, local }: Datagram, now) => {
    const [after, { reply, dropped, changes, next }] = process(state, {
      bytes,
      now,
      source: source.address,
      sourcePort: source.port,
    })
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
