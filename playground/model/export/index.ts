/** Packets as text and files: hex, dumps, program text, pcap, test vectors, command lines. */
export type { CommandLine } from "./command.ts"
export { decodeCommand, requestCommand } from "./command.ts"
export {
  EXPORTS,
  type Exported,
  type ExportFormat,
  exportCapture,
  exportCaptureInSteps,
  exportPacket,
} from "./export.ts"
export { type Language, literal } from "./literal.ts"
export { type Vector, vectorFile } from "./vector.ts"
