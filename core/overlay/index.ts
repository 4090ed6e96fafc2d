/**
 * Overlay lookup: where does this Ethernet address live? Plugins that answer, their instances, devices and target cache; SVP's client and
 * server; frames and what is in them to values and back, with a field for every octet, VXLAN around them. An entry of its own, `sallyport/overlay`: `sallyport` does not carry it.
 *
 * @module
 */

export * from "./cache/index.ts"
export * from "./device/index.ts"
export { describeOverlay } from "./dissect/describe.ts"
export { dissectFrame, dissectVxlan } from "./dissect/frame.ts"
export { dissectSvp } from "./dissect/svp.ts"
export * from "./door/index.ts"
export type { Outcome, OverlayErrorName } from "./failure.ts"
export * from "./frame/index.ts"
export * from "./mac.ts"
export { emptyNumbers, type NumberMap, type NumberMapNode, numberAt, numberFrom, numbersFrom } from "./number-map.ts"
export type { OverlayParsed, OverlayParseError, OverlayParseErrorCode } from "./parsed.ts"
export * from "./persist/index.ts"
export { DIRECT_PLUGIN, type DirectState } from "./plugin/direct.ts"
export { FILES_PLUGIN, type FilesState } from "./plugin/files.ts"
export { type FilesEntry, type FilesTable, readFilesTable } from "./plugin/files-table.ts"
export { PORTMAP_PLUGIN, type PortmapEnd, type PortmapSource, type PortmapState } from "./plugin/portmap.ts"
export { portmapName, publishEnd } from "./plugin/portmap-publish.ts"
export { SVP_PLUGIN, type SvpState } from "./plugin/svp.ts"
export { isPoint, type TargetPoint } from "./point.ts"
export * from "./provider/index.ts"
export * from "./proxy/index.ts"
export * from "./svp/index.ts"
export {
  detectOverlay,
  OVERLAY_PORTS,
  type OverlayApart,
  type OverlayPorts,
  takeOverlayApart,
  validateVxlan,
} from "./take-apart.ts"
