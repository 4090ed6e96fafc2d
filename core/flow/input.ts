import type { Address } from "../wire/index.ts"
import type { FlowEnd } from "./effect.ts"
import type { QosSpec } from "./qos.ts"

/** What is asked of a layer. */
export type FlowCommand =
  /** A name that can be bound, registered and accepted on (`irm_create_name`): EINVAL over 255 octets, EEXIST. */
  | { readonly type: "create-name"; readonly name: string }
  /** Forgets it: whoever waits on it fails with EPIPE. */
  | { readonly type: "destroy-name"; readonly name: string }
  /** A program that serves the name; with `auto` it is started where nobody accepts (`BIND_AUTO`). */
  | { readonly type: "bind-program"; readonly name: string; readonly program: string; readonly auto: boolean }
  | { readonly type: "unbind-program"; readonly name: string }
  /** Requests for the name are taken from now on (`irm_reg_name`). */
  | { readonly type: "register-name"; readonly name: string }
  | { readonly type: "unregister-name"; readonly name: string }
  /** A flow to a name at the end that the directory has for it. */
  | {
      readonly type: "alloc"
      readonly name: string
      readonly peer: FlowEnd
      /** Left out: the cube `raw`. Of the first form its timeout alone counts. */
      readonly qos?: QosSpec | undefined
      /** Milliseconds; left out, {@link FlowSettings.allocTimeout}, and EPERM after it. */
      readonly timeout?: number | undefined
      /** Goes to the application there with the request; today's form alone. */
      readonly data?: Uint8Array | undefined
    }
  /** Waits for one request for a name. */
  | {
      readonly type: "accept"
      readonly name: string
      /** Milliseconds; left out, for ever. */
      readonly timeout?: number | undefined
      /** Accept whatever comes at once; left out, it is offered by the event `request`. */
      readonly auto?: boolean | undefined
    }
  /** Answers a request that was offered: 0 accepts it, a negated error number refuses it. */
  | {
      readonly type: "respond"
      readonly flow: number
      readonly response: number
      readonly data?: Uint8Array | undefined
    }
  /** Sends a message; without octets nothing. */
  | {
      readonly type: "write"
      readonly flow: number
      readonly data: Uint8Array
      /** Makes the datagram's octets: that many, all zero. Default: `new Uint8Array`. */
      readonly octets?: ((length: number) => Uint8Array) | undefined
    }
  /** Ends a flow, or gives up waiting for one. */
  | { readonly type: "dealloc"; readonly flow: number }
  /** The process ends: no flow stays. */
  | { readonly type: "exit" }

/** What a layer is told. `now` is milliseconds on one clock that never goes back. */
export type FlowInput =
  | (FlowCommand & { readonly now: number })
  | {
      readonly type: "datagram"
      readonly now: number
      /** The socket that it came to; left out, the layer's. */
      readonly socket?: number | undefined
      readonly bytes: Uint8Array
      readonly source: Address
      readonly sourcePort: number
    }
  /** A socket of the first form could not be opened, or is gone. */
  | { readonly type: "socket-failed"; readonly now: number; readonly socket: number }
  | { readonly type: "tick"; readonly now: number }
