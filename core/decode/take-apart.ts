import {
  describeFlow,
  detectFlow,
  dissectFlow,
  FIRST_FORM_PORT,
  FLOW_PORT,
  type FlowPorts,
  validateFlow,
} from "../flow/index.ts"
import { detectOverlay, OVERLAY_PORTS, takeOverlayApart } from "../overlay/take-apart.ts"
import { type Dissection, dissect, type FieldNode, type Finding, validate, type WireProfile } from "../wire/index.ts"
import { describe } from "../wire/text/index.ts"

/** The UDP ports whose packets are read out of captures: PCP and NAT-PMP, flow allocation in both forms, and VXLAN. */
export const READ_PORTS: ReadonlySet<number> = new Set([5350, 5351, FIRST_FORM_PORT, FLOW_PORT, ...OVERLAY_PORTS])

/** The UDP ports between which a packet went, where they are known. */
export type PacketPorts = FlowPorts

/** PCP and NAT-PMP, flow allocation, or an overlay's. */
export type PacketProtocol = "port-control" | "flow" | "vxlan" | "svp"

/** A packet of whichever protocol it is. */
export interface Apart {
  /** What it is. */
  readonly protocol: PacketProtocol
  /** Its fields. */
  readonly dissection: Dissection
  /** A node's text for people. */
  readonly describe: (node: FieldNode) => string
  /** What is wrong with the packet; `profile` is for PCP and NAT-PMP alone. */
  readonly findings: (profile?: WireProfile) => readonly Finding[]
}

/** What a packet is, by its ports or by its octets; PCP or NAT-PMP where neither says otherwise. */
export const protocolOf = (bytes: Uint8Array, ports: PacketPorts = {}): PacketProtocol =>
  ports.destinationPort === FIRST_FORM_PORT || detectFlow(bytes, ports) !== undefined
    ? "flow"
    : (detectOverlay(bytes, ports) ?? "port-control")

/** Takes a packet apart as what it is: all that shows packets asks here. */
export const takeApart = (bytes: Uint8Array, ports: PacketPorts = {}): Apart => {
  const protocol = protocolOf(bytes, ports)
  if (protocol === "flow") {
    const dissection = dissectFlow(bytes, ports)
    return {
      protocol,
      dissection,
      describe: (node) => describeFlow(dissection, node),
      findings: () => validateFlow(bytes, ports),
    }
  }
  const overlay = takeOverlayApart(bytes, ports)
  if (overlay !== undefined) return overlay
  const dissection = dissect(bytes)
  return {
    protocol: "port-control",
    dissection,
    describe: (node) => describe(dissection, node),
    findings: (profile) => validate(bytes, profile),
  }
}
