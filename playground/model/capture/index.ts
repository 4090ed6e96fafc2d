/** A capture as a list: rows, requests paired with responses, epoch times, and a filter of plain words. */
export { type Capture, captureInSteps, readPackets } from "./capture.ts"
export type { EpochPoint, EpochSeries } from "./epoch.ts"
export type { Exchange, Gap } from "./exchange.ts"
export { type Facts, factsOf, summaryOf } from "./facts.ts"
export { type Filter, type FilterTerm, type RowTest, readFilter } from "./filter.ts"
export { type CaptureProgress, type OpenedCapture, openCaptureInSteps } from "./open-capture.ts"
export { millisecondsOf, type Part, type Row } from "./row.ts"
