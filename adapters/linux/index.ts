/**
 * Linux as a data plane: the kernel's NAT and packet filter behind the server, through nftables. Mappings become elements of one
 * table's maps and sets; a client is answered when the kernel has them.
 *
 * @module
 */
export { hasNetAdmin } from "./capability.ts"
export type { Conntrack } from "./conntrack.ts"
export { conntrackNetlink } from "./conntrack-netlink.ts"
export { openConntrack } from "./conntrack-open.ts"
export { conntrackProgram } from "./conntrack-program.ts"
export type { Tracked, Tuple } from "./ctnetlink.ts"
export { type Drift, driftOf } from "./drift.ts"
export { createFastUdp, type FastUdp, fastUdp } from "./fast-udp.ts"
export { type FirewallPlaneSettings, firewallPlane } from "./firewall.ts"
export { type Commit, createGate, type Gate, type GateKeeper } from "./gate.ts"
export { HEADER, type Libc, type Memory, openLibc, POLLFD } from "./libc.ts"
export { type Listed, type Listing, listTable, readListing } from "./listing.ts"
export { type Nat44Settings, nat44Plane } from "./nat44.ts"
export { netlinkSockets } from "./netlink-socket.ts"
export type { Nft, NftResult } from "./nft.ts"
export { withElements } from "./nft-elements.ts"
export { openLibrary } from "./nft-library.ts"
export { nftProgram } from "./nft-program.ts"
export { type NptPlaneSettings, nptPlane } from "./npt.ts"
export { type Permitted, permittedBy } from "./permitted.ts"
export { type Connections, type Element, isInterfaceName, type Plane, TABLE } from "./plane.ts"
export { type Applied, type Contents, createTable, type KernelTable } from "./table.ts"
export { createTrack, type Track, type TrackSettings } from "./track.ts"
export { runWaiter, type WaiterRole } from "./waiter.ts"
