import { type Apart, takeApart } from "../../../core/decode/index.ts"
import { type Direction, directionOf } from "../open/index.ts"
import { type Diagram, drawDiagram } from "./diagram.ts"
import { type InspectedField, listFields } from "./field-list.ts"
import { type InspectedFinding, listFindings } from "./finding.ts"
import { listOctets, type Octet } from "./octets.ts"
import { type ProfileChoice, wireProfile } from "./profile-choice.ts"

/** Octets that are looked at: PCP has at most 1100, and a packet made to hold things up has tens of thousands of options. */
export const MOST_OCTETS = 8192

/** One packet as the three linked views show it. All of them know a field by its id, its place in `fields`. */
export interface Inspection {
  readonly bytes: Uint8Array
  readonly protocol: Apart["protocol"]
  readonly direction: Direction | undefined
  /** `PCP MAP request, 60 octets`. */
  readonly title: string
  /** Parents before children, in the order of the packet; `fields[0]` is the message. */
  readonly fields: readonly InspectedField[]
  readonly octets: readonly Octet[]
  readonly diagram: Diagram
  readonly findings: readonly InspectedFinding[]
  /** Octets after the first {@link MOST_OCTETS}, which are not looked at. */
  readonly cut: number
}

/** Takes a packet apart for looking at. Total: any octets have an inspection. */
export const inspect = (packet: Uint8Array, choice: ProfileChoice = {}): Inspection => {
  const bytes = packet.length > MOST_OCTETS ? packet.slice(0, MOST_OCTETS) : packet
  const { ports = {} } = choice
  const apart = takeApart(bytes, ports)
  const fields = listFields(apart)
  return {
    bytes,
    protocol: apart.protocol,
    direction: directionOf(bytes, ports),
    title: fields[0].text,
    fields,
    octets: listOctets(bytes, fields),
    diagram: drawDiagram(fields),
    findings: listFindings(apart.findings(wireProfile(choice)), fields),
    cut: packet.length - bytes.length,
  }
}

/** The leaf that has a bit; the most significant of the octet where none is named. */
export const fieldAt = ({ octets }: Inspection, offset: number, bit = 0): number | undefined =>
  octets[offset]?.parts.find((part) => part.bit <= bit && bit < part.bit + part.bits)?.field

/** The field and all that it is a part of, from the message down: what to unfold to show it. */
export const pathTo = ({ fields }: Inspection, id: number): readonly number[] => {
  const path: number[] = []
  for (let at = id; at >= 0; at = fields[at].parent) path.unshift(at)
  return path
}
