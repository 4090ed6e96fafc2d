/** Overlay endpoints on loopback, closed at the end of their test, and a bare socket that sees what they send. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { clock, entropy, udp } from "#runtime"
import {
  type Overlay,
  type OverlayEndpoint,
  type OverlayEndpointOptions,
  OverlayError,
  type OverlayOptions,
  startOverlayEndpoint,
} from "../../../adapters/overlay/index.ts"
import type { Endpoint } from "../../../adapters/udp.ts"
import { type Mac, parseMac } from "../../../core/overlay/index.ts"
import { hex } from "../../core/wire/hex.ts"
import { address } from "../udp-suite.ts"

export type Cleanup = Pick<TestContext, "after">

export const LOOPBACK: Endpoint = { address: address("127.0.0.1"), port: 0 }

/** The hosts of B5's sample file. */
export const A = "de:ad:be:ef:00:00"
export const B = "de:ad:be:ef:00:01"
export const C = "de:ad:be:ef:00:02"

export const mac = (text: string): Mac => parseMac(text) ?? assert.fail(`no MAC: ${text}`)

/** What comes, one after another, for one who waits for it. */
export interface Box<T> {
  put(value: T): void
  next(): Promise<T>
  /** What is there now. */
  all(): readonly T[]
}

export const box = <T>(): Box<T> => {
  const values: T[] = []
  const waiting: ((value: T) => void)[] = []
  return {
    put: (value) => {
      const wake = waiting.shift()
      if (wake === undefined) values.push(value)
      else wake(value)
    },
    next: () => {
      const value = values.shift()
      return value === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(value)
    },
    all: () => [...values],
  }
}

/** A folder of the test's own. */
export const folder = (t: Cleanup): string => {
  const path = mkdtempSync(join(tmpdir(), "sallyport-overlay-"))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export const endpoint = async (
  t: Cleanup,
  overlays: readonly OverlayOptions[],
  more: Partial<OverlayEndpointOptions> = {},
): Promise<OverlayEndpoint> => {
  const made = await startOverlayEndpoint({ udp, clock, entropy, overlays, ...more })
  t.after(() => made.close())
  return made
}

/** The first overlay of an endpoint. */
export const first = ({ overlays: [one] }: OverlayEndpoint): Overlay => one ?? assert.fail("no overlay")

/** A socket that collects datagrams. */
export const peer = async (t: Cleanup) => {
  const came = box<{ readonly bytes: Uint8Array; readonly source: Endpoint }>()
  const bound = await udp.bind(
    { local: LOOPBACK },
    { receive: ({ bytes, source }) => came.put({ bytes: bytes.slice(), source }), error: () => {} },
  )
  assert.ok(bound.ok)
  t.after(() => bound.value.close())
  return { local: bound.value.local, came, send: (bytes: Uint8Array, to: Endpoint) => bound.value.send(bytes, to) }
}

/** An IPv4 frame of a type that no proxy takes: its payload is what it says. */
export const frame = (to: string, from: string, payload = "00".repeat(46), type = "0800"): Uint8Array =>
  hex(`${to.replaceAll(":", "")} ${from.replaceAll(":", "")} ${type} ${payload}`)

/** The code that a call rejects with, and which setting is at fault. */
export const refusal = async (call: Promise<unknown>): Promise<readonly [string, number?, string?]> => {
  try {
    await call
    return ["resolved"]
  } catch (cause) {
    if (!(cause instanceof OverlayError)) throw cause
    return cause.at === undefined ? [cause.code] : [cause.code, cause.at.overlay, cause.at.setting.join(".")]
  }
}
