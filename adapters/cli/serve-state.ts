import { createCgn, memoryCgn } from "../../core/cgn/index.ts"
import { createServerOver, type ServerState } from "../../core/server/index.ts"
import type { SettingPath } from "./config/fault.ts"
import { type ServeSettings, settingOf } from "./config/settings.ts"

export type StateMade =
  | { readonly ok: true; readonly state: ServerState }
  | { readonly ok: false; readonly path: SettingPath; readonly text: string }

/** A server over the in-memory CGN with these settings, its Epoch Time 0 at `now`, milliseconds. */
export const createState = ({ cgn, server }: ServeSettings, secret: Uint8Array, now: number): StateMade => {
  const made = createCgn({ ...cgn, secret, now })
  const created = made.ok ? createServerOver(memoryCgn, made.state, now, server) : made
  return created.ok ? created : { ok: false, path: settingOf(created.error), text: created.error.text }
}
