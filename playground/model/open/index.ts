/** What was pasted or dropped, as packets: `open` at once, `openInSteps` for a Web Worker with a progress bar. */
export { directionOf, portsOf } from "./direction.ts"
export { type OpenLimits, open, openInSteps } from "./open.ts"
export type { Direction, Opened, OpenedPacket, OpenProgress, Unread } from "./opened.ts"
