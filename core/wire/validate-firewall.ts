import { isAny } from "./address.ts"
import type { Report } from "./finding.ts"
import type { MapBody, PcpPacket } from "./packet.ts"
import type { WireProfile } from "./profile.ts"
import { ResultCode } from "./registry.ts"

/**
 * A device that does not translate has one end for both sides (RFC 6887 section 11.1). The internal address is that of
 * THIRD_PARTY or the client's, which a response does not have.
 */
export const validateSameEnd = (packet: PcpPacket, body: MapBody, profile: WireProfile, report: Report): void => {
  if (packet.lifetime === 0 || (packet.kind === "pcp-response" && packet.result !== ResultCode.SUCCESS)) return
  const { external, externalPort, internalPort } = body
  const thirdParty = packet.options.find((option) => option.kind === "THIRD_PARTY")
  const client = packet.kind === "pcp-request" ? packet.client : profile.source
  const internal = thirdParty !== undefined && !isAny(thirdParty.internal) ? thirdParty.internal : client
  const request = packet.kind === "pcp-request"
  const otherPort = externalPort !== internalPort && !(request && externalPort === 0)
  const otherAddress = internal !== undefined && external !== internal && !(request && isAny(external))
  if (!otherPort && !otherAddress) return
  const at = otherPort ? 42 : 44
  if (!request) {
    report("error", "firewall-end", at, "RFC 6887 11.1", "a firewall assigns the internal address and port, no other")
  } else if (packet.options.some(({ kind }) => kind === "PREFER_FAILURE")) {
    const text = "a firewall assigns the internal end alone: CANNOT_PROVIDE_EXTERNAL"
    report("error", "firewall-end", at, "RFC 6887 13.2", text)
  } else
    report("note", "firewall-end", at, "RFC 6887 11.1", "a firewall assigns the internal end, whatever is suggested")
}
