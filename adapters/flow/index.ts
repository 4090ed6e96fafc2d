/**
 * Flows over a runtime's UDP sockets: names that are served, flows to them, and where names are found. An entry of its own,
 * `sallyport/flow-service`, which wants `udp`, `clock` and `entropy` of `sallyport/node`, `/deno` or `/bun`.
 *
 * @module
 */

export type {
  FlowAcceptOptions,
  FlowAllocOptions,
  FlowRuntime,
  FlowService,
  FlowServiceOptions,
  IncomingFlow,
} from "./contract.ts"
export {
  chainDirectories,
  type Directory,
  type DirectoryEnd,
  type DirectoryName,
  parseEnd,
  staticDirectory,
} from "./directory.ts"
export { type DnsOptions, dnsDirectory, systemDirectory } from "./dns.ts"
export type { Flow, FlowAccess } from "./flow.ts"
export { FlowError } from "./flow-error.ts"
export type { InboxBounds, ReadOptions } from "./inbox.ts"
export { startFlowService } from "./service.ts"
