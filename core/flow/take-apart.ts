import { type Dissection, dissect, type FieldNode, type Finding, validate, type WireProfile } from "../wire/index.ts"
import { describe } from "../wire/text/index.ts"
import { detectFlow, type FlowPorts } from "./detect.ts"
import { describeFlow, dissectFlow } from "./dissect.ts"
import { FIRST_FORM_PORT, FLOW_PORT } from "./registry.ts"
import { validateFlow } from "./validate.ts"

/** The UDP ports whose packets are read out of captures: PCP and NAT-PMP, and flow allocation in both forms. */
export const READ_PORTS: ReadonlySet<number> = new Set([5350, 5351, FIRST_FORM_PORT, FLOW_PORT])

/** A packet of whichever protocol it is. */
export interface Apart {
  /** PCP or NAT-PMP, or flow allocation. */
  readonly protocol: "port-control" | "flow"
  readonly dissection: Dissection
  /** A node's text for people. */
  readonly describe: (node: FieldNode) => string
  /** What is wrong with the packet; `profile` is for PCP and NAT-PMP alone. */
  readonly findings: (profile?: WireProfile) => readonly Finding[]
}

/** Is it flow allocation, by its ports or by its octets? */
export const isFlow = (bytes: Uint8Array, ports: FlowPorts = {}): boolean =>
  ports.destinationPort === FIRST_FORM_PORT || detectFlow(bytes, ports) !== undefined

/** Takes a packet apart as flow allocation where its ports or its octets say so, else as PCP or NAT-PMP: all that shows packets asks here. */
export const takeApart = (bytes: Uint8Array, ports: FlowPorts = {}): Apart => {
  if (isFlow(bytes, ports)) {
    const dissection = dissectFlow(bytes, ports)
    return {
      protocol: "flow",
      dissection,
      describe: (node) => describeFlow(dissection, node),
      findings: () => validateFlow(bytes, ports),
    }
  }
  const dissection = dissect(bytes)
  return {
    protocol: "port-control",
    dissection,
    describe: (node) => describe(dissection, node),
    findings: (profile) => validate(bytes, profile),
  }
}
