/** A session: a CGN and what reaches it. Made by hand, from a capture, or read from a file. */
export { type Fault, MOST_FAULTS } from "./checked.ts"
export { type CgnConfiguration, CLIENTS, type PortAssignment, PRESETS, SERVERS, type Times } from "./configuration.ts"
export { MOST_STEPS, MOST_TRIES, readSession, readSessionInSteps, type SessionRead, writeSession } from "./file.ts"
export { type CapturedSession, sessionFromCapture } from "./from-capture.ts"
export {
  AFTERMATH,
  type DataPacket,
  endOf,
  type Session,
  type SessionStep,
  TCP_FLAGS,
  type TcpFlagName,
  type Try,
  withStep,
} from "./session.ts"
