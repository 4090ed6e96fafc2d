import { type Signal, signal } from "@preact/signals"
import { createWorkbench, type Workbench } from "../inspector/workbench.ts"
import type { Session } from "../model/session/index.ts"

export type Mode = "inspect" | "replay"
export type Theme = "system" | "light" | "dark"
export type DialogName = "examples" | "share" | "build" | "compare"

/** How far a big file is that a worker reads. */
export interface Opening {
  readonly name: string
  readonly fraction: number
  readonly packets: number
  readonly cancel: () => void
}

/** All that the page is at a moment; nothing of it is stored. */
export interface PageState {
  readonly mode: Signal<Mode>
  readonly theme: Signal<Theme>
  readonly dialog: Signal<DialogName | undefined>
  readonly bench: Workbench
  readonly session: Signal<Session | undefined>
  /** Is the text that was pasted shown to be edited? */
  readonly sourceOpen: Signal<boolean>
  /** The text as it was pasted; `undefined`: what is open was no text. */
  readonly sourceText: Signal<string | undefined>
  readonly opening: Signal<Opening | undefined>
  /** Is what is open kept in the page's address, so that a reload keeps it? */
  readonly keeping: Signal<boolean>
}

export const createPageState = (): PageState => ({
  mode: signal("inspect"),
  theme: signal("system"),
  dialog: signal(undefined),
  bench: createWorkbench(),
  session: signal(undefined),
  sourceOpen: signal(false),
  sourceText: signal(undefined),
  opening: signal(undefined),
  keeping: signal(false),
})
