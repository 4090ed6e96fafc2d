import type { Address } from "../wire/index.ts"
import type { ClientEvent } from "./event.ts"

/** What a step wants done. */
export type Effect =
  | {
      readonly type: "send"
      readonly bytes: Uint8Array
      readonly destination: { readonly address: Address; readonly port: number; readonly zone?: string | undefined }
      /** The source address that the bytes speak of. */
      readonly from: Address
    }
  /** Come back with a tick at this instant, milliseconds; `undefined`: nothing is pending. The last effect of each step. */
  | { readonly type: "wake"; readonly at: number | undefined }
  | { readonly type: "event"; readonly event: ClientEvent }
