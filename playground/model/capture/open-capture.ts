import { type Opened, type OpenLimits, openInSteps } from "../open/index.ts"
import { type Capture, captureInSteps } from "./capture.ts"

/** What a Web Worker gives for a file: what was opened, and the list of it. */
export interface OpenedCapture {
  readonly opened: Opened
  readonly capture: Capture
}

/** How far a file is: `fraction` from 0 to {@link OPENED} over both passes; what is left of it is the handing over. */
export interface CaptureProgress {
  readonly doing: "reading" | "checking" | "handing over"
  readonly fraction: number
  readonly packets: number
}

/** The share of the time that reading takes; and that, reading and checking done, only handing over is left of. */
const READING = 0.25
export const OPENED = 0.8

/**
 * Opens an input and lists its packets, step by step: the work of a Web Worker, whose loop posts each progress. Progress and result are
 * plain data; of many packets the result is handed over in parts (`partsOf`).
 */
export function* openCaptureInSteps(
  input: string | Uint8Array,
  limits?: OpenLimits,
): Generator<CaptureProgress, OpenedCapture> {
  const reading = openInSteps(input, limits)
  let read = reading.next()
  for (; read.done !== true; read = reading.next()) {
    const { done, total, packets } = read.value
    yield { doing: "reading", fraction: (READING * done) / Math.max(1, total), packets }
  }
  const opened = read.value
  const checking = captureInSteps(opened.packets)
  let checked = checking.next()
  for (; checked.done !== true; checked = checking.next())
    yield {
      doing: "checking",
      fraction: READING + ((OPENED - READING) * checked.value) / Math.max(1, opened.packets.length),
      packets: checked.value,
    }
  return { opened, capture: checked.value }
}
