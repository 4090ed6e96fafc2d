/**
 * Flow allocation over UDP, as the UDP IPC process of Ouroboros does it: datagrams of both wire forms to values and back, a field for every
 * octet, and the pure machine of names and flows. An entry of its own, `sallyport/flow`: `sallyport` does not carry it.
 *
 * @module
 */
export { detectFlow, type FlowKind, type FlowPorts } from "./detect.ts"
export { describeFlow, dissectFlow } from "./dissect.ts"
export {
  FLOW_DROPS,
  type FlowDrop,
  type FlowEffect,
  type FlowEnd,
  type FlowEvent,
  LAYER_SOCKET,
} from "./effect.ts"
export { type EncodedFlow, encodeFlow } from "./encode.ts"
export { errorNameOf, FLOW_ERRORS, type FlowErrorName, responseOf } from "./failure.ts"
export { encodeFirst, type ParsedFirst, parseFirst } from "./first-form.ts"
export type { FlowCommand, FlowInput } from "./input.ts"
export { type CreatedLayer, createFlowLayer, type FlowLayer, type FlowLayerOptions } from "./layer.ts"
export type {
  FlowData,
  FlowMessage,
  FlowParseError,
  FlowParseErrorCode,
  FlowReply,
  FlowRequest,
  ParsedFlow,
} from "./message.ts"
export { hashOf, labelOf, labelOfName, nameOctets, nameText } from "./name.ts"
export { parseFlow } from "./parse.ts"
export { FlowState, type FlowStateName } from "./phase.ts"
export { QOS_CUBES, QOS_TIMEOUT, type QosCube, type QosSpec, qosFault, UNBOUNDED } from "./qos.ts"
export * from "./registry.ts"
export { DEFAULT_FLOW_SETTINGS, type FlowSettings, type FlowSettingsError } from "./settings.ts"
export { stepFlow } from "./step.ts"
export { validateFlow } from "./validate.ts"
export { countFlows, type FlowCounts, type FlowView, listFlows, nameView } from "./view.ts"
