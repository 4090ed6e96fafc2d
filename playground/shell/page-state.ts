import { type Signal, signal } from "@preact/signals"
import { createWorkbench, type Workbench } from "../inspector/workbench.ts"
import type { Session } from "../model/session/index.ts"

/** `live`: a running server, where one gives the page. */
export type Mode = "inspect" | "replay" | "live"
export type Theme = "system" | "light" | "dark"
export type DialogName = "examples" | "share" | "build" | "compare"

/** How far a big file is that a worker reads. */
export interface Opening {
  readonly name: string
  readonly doing: "reading" | "checking" | "handing over"
  /** From 0 to 1. */
  readonly fraction: number
  readonly packets: number
  /** Ends it, for something else takes its place; `stop`: for nobody wants it. */
  readonly end: () => void
  readonly stop: () => void
}

/** All that the page is at a moment; nothing of it is stored. */
export interface PageState {
  readonly mode: Signal<Mode>
  /** Does a running server give the page? */
  readonly isLive: boolean
  readonly theme: Signal<Theme>
  readonly dialog: Signal<DialogName | undefined>
  readonly bench: Workbench
  readonly session: Signal<Session | undefined>
  /** Is the text that was pasted shown to be edited? */
  readonly sourceOpen: Signal<boolean>
  /** The text as it was pasted; `undefined`: what is open was no text. */
  readonly sourceText: Signal<string | undefined>
  readonly opening: Signal<Opening | undefined>
  /** Grows with all that is opened: what took longer than something after it is not shown any more. */
  readonly turn: Signal<number>
  /** Is what is open kept in the page's address, so that a reload keeps it? */
  readonly keeping: Signal<boolean>
}

export const createPageState = (isLive = false): PageState => ({
  mode: signal("inspect"),
  isLive,
  theme: signal("system"),
  dialog: signal(undefined),
  bench: createWorkbench(),
  session: signal(undefined),
  sourceOpen: signal(false),
  sourceText: signal(undefined),
  opening: signal(undefined),
  turn: signal(0),
  keeping: signal(false),
})
