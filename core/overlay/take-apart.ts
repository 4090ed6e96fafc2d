import { type Dissection, type FieldNode, type Finding, type Severity, u16, u32 } from "../wire/index.ts"
import { describeOverlay } from "./dissect/describe.ts"
import { dissectVxlan } from "./dissect/frame.ts"
import { dissectSvp } from "./dissect/svp.ts"
import { EtherType, isTagType } from "./frame/ethernet.ts"
import { parseVxlan, VXLAN_HEADER, VXLAN_PORT } from "./frame/vxlan.ts"
import { parseSvp } from "./svp/parse.ts"
import { SVP_CLAUSE, SVP_HEADER, SvpOp } from "./svp/registry.ts"

/** The UDP ports whose packets are read out of captures as VXLAN. */
export const OVERLAY_PORTS: readonly number[] = [VXLAN_PORT]

/** The UDP ports between which a packet went, where they are known. */
export interface OverlayPorts {
  /** Where it came from. */
  readonly sourcePort?: number | undefined
  /** Where it went. */
  readonly destinationPort?: number | undefined
}

/** A packet of an overlay. */
export interface OverlayApart {
  /** What it is. */
  readonly protocol: "vxlan" | "svp"
  /** Its fields. */
  readonly dissection: Dissection
  /** A node's text for people. */
  readonly describe: (node: FieldNode) => string
  /** What is wrong with it. */
  readonly findings: () => readonly Finding[]
}

/** Octets of an Ethernet header behind VXLAN's. */
const FRAME = 14

const isFrameType = (type: number): boolean =>
  type === EtherType.IPV4 || type === EtherType.IPV6 || type === EtherType.ARP || isTagType(type)

/**
 * What octets are, by their ports and by themselves; `undefined`: nothing says that they are of an overlay. What went to UDP port 4789 is VXLAN.
 * Without ports it is VXLAN where its header is as senders make it and a frame of IP, ARP or a VLAN follows, and SVP, which goes
 * over TCP, where a whole message has its CRC.
 */
export const detectOverlay = (
  bytes: Uint8Array,
  { sourcePort, destinationPort }: OverlayPorts = {},
): OverlayApart["protocol"] | undefined => {
  if (destinationPort === VXLAN_PORT) return "vxlan"
  if (sourcePort !== undefined || destinationPort !== undefined) return undefined
  if (bytes.length >= VXLAN_HEADER + FRAME && u32(bytes, 0) === 0x08000000 && bytes[7] === 0)
    return isFrameType(u16(bytes, VXLAN_HEADER + 12)) ? "vxlan" : undefined
  const isWhole = bytes.length >= SVP_HEADER && u32(bytes, 4) === bytes.length - SVP_HEADER
  return isWhole && u16(bytes, 2) >= SvpOp.PING && u16(bytes, 2) <= SvpOp.ROUTE_ACK && parseSvp(bytes).ok
    ? "svp"
    : undefined
}

/** Takes a packet of an overlay apart; `undefined`: it is none. */
export const takeOverlayApart = (bytes: Uint8Array, ports: OverlayPorts = {}): OverlayApart | undefined => {
  const protocol = detectOverlay(bytes, ports)
  if (protocol === undefined) return undefined
  const dissection = protocol === "vxlan" ? dissectVxlan(bytes) : dissectSvp(bytes)
  return {
    protocol,
    dissection,
    describe: (node) => describeOverlay(dissection, node),
    findings: () => (protocol === "vxlan" ? validateVxlan(bytes) : validateSvp(bytes)),
  }
}

const finding = (severity: Severity, code: string, offset: number, clause: string, text: string): Finding => ({
  severity,
  code,
  offset,
  clause,
  text,
})

/** What can be said against the payload of a datagram as VXLAN, in the order of its octets. Empty: nothing. */
export const validateVxlan = (bytes: Uint8Array): readonly Finding[] => {
  const parsed = parseVxlan(bytes)
  if (!parsed.ok) return [{ severity: "error", ...parsed.error }]
  const findings: Finding[] = []
  const { reserved, frame } = parsed.value
  const bits = "reserved bits are 0 when they are sent"
  if (reserved !== undefined && reserved.flags !== 0)
    findings.push(finding("warning", "vxlan-reserved", 0, "RFC 7348 5", bits))
  if (reserved !== undefined && reserved.middle !== 0)
    findings.push(finding("warning", "vxlan-reserved", 1, "RFC 7348 5", bits))
  if (reserved !== undefined && reserved.last !== 0)
    findings.push(finding("warning", "vxlan-reserved", 7, "RFC 7348 5", bits))
  if (frame.length < FRAME)
    findings.push(finding("error", "vxlan-frame", VXLAN_HEADER, "RFC 7348 5", `${frame.length} octets are no frame`))
  else if (isTagType(u16(frame, 12)))
    findings.push(
      finding(
        "note",
        "vxlan-vlan",
        VXLAN_HEADER + 12,
        "RFC 7348 6.1",
        "a frame inside has no VLAN tag, unless both ends agree",
      ),
    )
  return findings
}

/** What can be said against one SVP message. Empty: nothing. */
const validateSvp = (bytes: Uint8Array): readonly Finding[] => {
  const parsed = parseSvp(bytes)
  if (!parsed.ok) return [{ severity: "error", ...parsed.error }]
  const { body } = parsed.value
  const isCut = body.kind === "log-ack" && body.rest.length > 0
  return isCut
    ? [finding("error", "svp-log", bytes.length - body.rest.length, SVP_CLAUSE, "what follows is no record")]
    : []
}
