/**
 * A session against a CGN on a virtual clock: `play` it, `viewAt` any instant in any order, `fork` it, and compare futures or answers.
 */
export { type ChangeLine, changeLines, endText, mappingKey, mappingText } from "./change-words.ts"
export {
  type AnswerComparison,
  type AnswerDifference,
  alignFutures,
  compareAnswers,
  compareFutures,
  type FutureDifference,
  type MomentPair,
} from "./difference.ts"
export type { Machine } from "./family.ts"
export { type FlagRow, flagRows, withFlag } from "./flag-words.ts"
export { type IpSummary, ipPacket, readIp } from "./ip-packet.ts"
export { type HeldEnd, hostOrder } from "./ledger.ts"
export * as machine from "./machine.ts"
export { checkConfiguration, type Made, makeMachine } from "./make.ts"
export type { Cause, Happening, Moment, Story } from "./moment.ts"
export { drawPorts, externalAddresses, type PortPicture } from "./port-picture.ts"
export { fork, forkInSteps, play, playInSteps, type Replay, type ReplayLimits, seek } from "./replay.ts"
export { type Verdict, type VerdictKind, verdictOf } from "./verdict.ts"
export {
  type CounterRow,
  countersFrom,
  type MappingRow,
  MOST_ROWS,
  type SubscriberGroup,
  type SubscriberRow,
  subscribersOf,
  type View,
  viewAt,
  viewOf,
} from "./view.ts"
