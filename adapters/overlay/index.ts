/**
 * Overlay networks over a runtime's UDP sockets: VXLAN, whose targets a plugin knows. An entry of its own,
 * `sallyport/overlay-endpoint`, which wants `udp`, `clock` and `entropy` of `sallyport/node`, `/deno` or `/bun`.
 *
 * @module
 */

export { checkOverlays } from "./check.ts"
export type {
  EndpointCounters,
  KernelLink,
  Overlay,
  OverlayCounters,
  OverlayEndpoint,
  OverlayEndpointOptions,
  OverlayNote,
  OverlayOptions,
  OverlayRuntime,
  PropertyValue,
} from "./contract.ts"
export { overlayPlugins, startOverlayEndpoint } from "./endpoint.ts"
export { OverlayError, type OverlayFailure } from "./overlay-error.ts"
export { formatProperty, readProperty } from "./property-text.ts"
export { publishToFile } from "./publish-file.ts"
export { type SvpServerOptions, type SvpService, startSvpServer } from "./svp-server.ts"
