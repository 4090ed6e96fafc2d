import {
  describeFlow,
  detectFlow,
  dissectFlow,
  FIRST_FORM_PORT,
  FLOW_PORT,
  validateFlow,
} from "../../core/flow/index.ts"
import { OVERLAY_PORTS, takeOverlayApart } from "../../core/overlay/take-apart.ts"
import { type Dissection, dissect, type FieldNode, type Finding, validate } from "../../core/wire/index.ts"
import { describe, type FoundPacket } from "../../core/wire/text/index.ts"

/** The UDP ports whose packets are read out of captures: PCP and NAT-PMP, flow allocation in both forms, and VXLAN. */
export const PORTS: ReadonlySet<number> = new Set([5350, 5351, FIRST_FORM_PORT, FLOW_PORT, ...OVERLAY_PORTS])

/** A packet of whichever protocol it is. */
export interface Apart {
  readonly dissection: Dissection
  /** A node's text for people. */
  readonly describe: (node: FieldNode) => string
  /** What is wrong with the packet. */
  readonly findings: () => readonly Finding[]
}

/** Takes a packet apart as flow allocation, VXLAN or SVP where its ports or its octets say so, else as PCP or NAT-PMP. */
export const takeApart = (packet: Pick<FoundPacket, "bytes" | "sourcePort" | "destinationPort">): Apart => {
  const { bytes } = packet
  if (packet.destinationPort === FIRST_FORM_PORT || detectFlow(bytes, packet) !== undefined) {
    const dissection = dissectFlow(bytes, packet)
    return {
      dissection,
      describe: (node) => describeFlow(dissection, node),
      findings: () => validateFlow(bytes, packet),
    }
  }
  const overlay = takeOverlayApart(bytes, packet)
  if (overlay !== undefined) return overlay
  const dissection = dissect(bytes)
  return { dissection, describe: (node) => describe(dissection, node), findings: () => validate(bytes) }
}
