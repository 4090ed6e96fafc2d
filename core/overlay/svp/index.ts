/** SVP, the SDC VXLAN Protocol: how a fleet's hosts ask a server where an Ethernet address lives. */
export { crc32 } from "./crc32.ts"
export { encodeSvp } from "./encode.ts"
export {
  createSvpHosts,
  type SvpHost,
  type SvpHosts,
  svpHostAt,
  svpHostCount,
  svpHostList,
  svpHostOf,
} from "./hosts.ts"
export { readSvpHosts } from "./hosts-file.ts"
export * from "./message.ts"
export { parseSvp } from "./parse.ts"
export { SVP_HEADER, SVP_PORT, SvpLogType, SvpOp, SvpStatus, Vl3Type } from "./registry.ts"
export {
  createSvpRemote,
  SVP_DEGRADED_AT,
  SVP_LOG_OCTETS,
  SVP_TIMES,
  type SvpAnswer,
  type SvpAsker,
  type SvpConnection,
  type SvpEffect,
  type SvpInput,
  type SvpLog,
  type SvpPhase,
  type SvpQuery,
  type SvpQuestion,
  type SvpRemote,
  type SvpRemoteOptions,
} from "./remote.ts"
export { stepSvpServer } from "./serve.ts"
export {
  checkSvpHost,
  createSvpServer,
  type SvpServer,
  type SvpServerEffect,
  type SvpServerInput,
  type SvpServerOptions,
  type SvpSession,
} from "./server.ts"
export {
  SVP_LOG_LIMITS,
  type SvpChange,
  type SvpLogLine,
  type SvpReader,
  type SvpServerLog,
} from "./server-log.ts"
export { stepSvp } from "./step.ts"
export { NO_OCTETS, receiveSvp, type SvpReceived } from "./stream.ts"
