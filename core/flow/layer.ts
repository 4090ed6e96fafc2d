import { sha256 } from "@noble/hashes/sha2.js"
import { createTable, open, popDue, seal, type Version } from "../table/index.ts"
import { i32 } from "../wire/index.ts"
import { shapeOf } from "./layout.ts"
import { checkFlowSettings, DEFAULT_FLOW_SETTINGS, type FlowSettings, type FlowSettingsError } from "./settings.ts"
import { tickOf } from "./turn.ts"

/** A layer: its names and its flows. A handle that stays valid; opaque. */
export interface FlowLayer {
  /** What it was made with, defaults and all. */
  readonly settings: FlowSettings
  /** Names, flows and what waits. */
  readonly version: Version
  /** What random endpoint ids come from. */
  readonly seed: Uint8Array
  /** Random choices made so far. */
  readonly drawn: number
  /** The endpoint id to try first. */
  readonly nextEid: number
  /** The instant of the last input, milliseconds. */
  readonly now: number
  /** When something is due next, milliseconds; `undefined`: nothing is. */
  readonly wake: number | undefined
}

/** What a layer is made from. */
export interface FlowLayerOptions {
  /** 32 octets or more that nobody outside can guess (RFC 4086): endpoint ids and the places of its indexes come from them. */
  readonly seed: Uint8Array
  /** Milliseconds, on the clock of all later inputs. */
  readonly now: number
  /** What is left out is {@link DEFAULT_FLOW_SETTINGS}. */
  readonly settings?: Partial<FlowSettings> | undefined
}

/** A layer, or the first fault of the options. */
export type CreatedLayer =
  | { readonly ok: true; readonly layer: FlowLayer }
  | { readonly ok: false; readonly error: FlowSettingsError }

/** A layer without names and flows. */
export const createFlowLayer = ({ seed, now, settings: given = {} }: FlowLayerOptions): CreatedLayer => {
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const settings: FlowSettings = { ...DEFAULT_FLOW_SETTINGS, ...known }
  if (seed.length < 32) return { ok: false, error: { setting: "seed", text: "the seed has 32 octets or more" } }
  if (!Number.isFinite(now) || now < 0) return { ok: false, error: { setting: "now", text: "now is 0 or later" } }
  const error = checkFlowSettings(settings)
  if (error !== undefined) return { ok: false, error }
  const key = octetsFor(seed, "index", 0)
  const table = open(createTable(shapeOf([i32(key, 0), i32(key, 4)])))
  // Its wheel begins at this instant.
  popDue(table, tickOf(now))
  const version = seal(table)
  const layer = { settings, version, seed: Uint8Array.from(seed), drawn: 0, nextEid: settings.firstEid, now }
  return { ok: true, layer: { ...layer, wake: undefined } }
}

/** 32 octets for a purpose: SHA-256 of the seed, the purpose and a number. */
export const octetsFor = (seed: Uint8Array, purpose: string, number: number): Uint8Array =>
  sha256
    .create()
    .update(seed)
    .update(new TextEncoder().encode(`${purpose}\0`))
    .update(Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number))
    .digest()
