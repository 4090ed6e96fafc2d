/** A session: a CGN and what reaches it. Made by hand, from a capture, or read from a file. */
export type { Fault } from "./checked.ts"
export { type CgnConfiguration, CLIENTS, type PortAssignment, PRESETS, SERVERS, type Times } from "./configuration.ts"
export { MOST_STEPS, readSession, type SessionRead, writeSession } from "./file.ts"
export { type CapturedSession, sessionFromCapture } from "./from-capture.ts"
export {
  AFTERMATH,
  type DataPacket,
  endOf,
  type Session,
  type SessionStep,
  TCP_FLAGS,
  type TcpFlagName,
  withStep,
} from "./session.ts"
