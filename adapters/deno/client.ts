import { type ClientRuntime, type PortControl, portControl } from "../client/index.ts"
import { denoClock, unrefClock } from "./clock.ts"
import { entropy } from "./entropy.ts"
import { discoverGateways } from "./gateway.ts"
import { ownAddresses } from "./interfaces.ts"
import { denoUdp, unrefUdp } from "./udp.ts"

/** {@link ClientRuntime} on Deno. */
export const denoRuntime: ClientRuntime = {
  udp: denoUdp,
  clock: denoClock,
  wallClock: () => Date.now(),
  entropy,
  discover: (signal) => discoverGateways(signal === undefined ? {} : { signal }),
  ownAddresses,
}

const control: PortControl = portControl(denoRuntime, { udp: unrefUdp, clock: unrefClock })

/** Opens a port at this host's gateways, and keeps it open: see {@link PortControl.openPort}. */
export const openPort: PortControl["openPort"] = control.openPort

/** Listens, and maps the port at every gateway: see {@link PortControl.listenPublic}. */
export const listenPublic: PortControl["listenPublic"] = control.listenPublic

/** The external address as this host's gateways say it: see {@link PortControl.externalAddress}. */
export const externalAddress: PortControl["externalAddress"] = control.externalAddress

/** What this host's gateways speak, and what to do next: see {@link PortControl.probe}. */
export const probe: PortControl["probe"] = control.probe

/** One client for many mappings: see {@link PortControl.startClient}. */
export const startClient: PortControl["startClient"] = control.startClient
