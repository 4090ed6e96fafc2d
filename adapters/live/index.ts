/**
 * What a running server tells a page that watches it, as messages of a WebSocket. One way: the page says nothing.
 *
 * @module
 */
export type { LiveChange, LiveEvent, LiveMessage, LivePool, LiveRow } from "./message.ts"
export { readMessage } from "./read.ts"
export { writeMessage } from "./write.ts"
