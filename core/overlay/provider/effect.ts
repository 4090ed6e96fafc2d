import type { OverlayErrorName } from "../failure.ts"
import type { Mac } from "../mac.ts"
import type { TargetPoint } from "../point.ts"
import type { PluginRequest } from "./plugin.ts"

/** What instances want done; `id` is the instance's number. */
export type VarpdEffect =
  /** A lookup's frames go there. */
  | { readonly type: "respond"; readonly id: number; readonly lookup: number; readonly target: TargetPoint }
  /** A lookup's frames are dropped. */
  | { readonly type: "drop"; readonly id: number; readonly lookup: number }
  /** The overlay's own link receives a frame; with a vnetid, that of another overlay of this host, if there is one. */
  | {
      readonly type: "inject"
      readonly id: number
      readonly vnetid?: number | undefined
      readonly frame: Uint8Array
    }
  /** A frame is sent into the overlay as if its link had sent it: it is looked up again. */
  | { readonly type: "resend"; readonly id: number; readonly frame: Uint8Array }
  /** The cache, or that of another overlay of this host, is told of a MAC; `undefined`: to forget it. */
  | {
      readonly type: "cache"
      readonly id: number
      readonly vnetid?: number | undefined
      readonly mac: Mac
      readonly target: TargetPoint | undefined
    }
  /** What is wrong with an instance, 255 octets at most; `undefined`: nothing any more. */
  | { readonly type: "status"; readonly id: number; readonly text: string | undefined }
  /** The overlay's link is down from now on, as its instance is degraded, or up again. */
  | { readonly type: "link"; readonly id: number; readonly up: boolean }
  /** The first of all instances is degraded, or the last one is well again. */
  | { readonly type: "service"; readonly degraded: boolean }
  /** What a plugin needs of the world. */
  | { readonly type: "outside"; readonly id: number; readonly request: PluginRequest }
  /** A plugin wants a tick at this instant, milliseconds. */
  | { readonly type: "wake"; readonly id: number; readonly at: number }
  /** What was kept of an instance is to be removed. */
  | { readonly type: "forget"; readonly id: number }
  /** A plugin did what it may not, such as answering twice: nothing came of it. The reference panics. */
  | { readonly type: "fault"; readonly id: number; readonly error: OverlayErrorName; readonly text: string }
