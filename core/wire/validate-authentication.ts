import type { Report } from "./finding.ts"
import { resultName } from "./names.ts"
import type { PcpOption } from "./option.ts"
import type { PcpPacket } from "./packet.ts"
import { ResultCode } from "./registry.ts"

/**
 * The rules of a PA message: which result goes with which contents (RFC 7652 sections 3.1 and 5.1).
 *
 * RFC ambiguity 16: RE-AUTHENTICATION has no number, and a server asks anew with AUTHENTICATION_REQUEST (section 5.1).
 */
export const validateAuthentication = (packet: PcpPacket, report: Report): void => {
  const { body, options } = packet
  if (body.kind !== "authentication") return
  const request = packet.kind === "pcp-request"
  const result = "result" in body ? body.result : packet.kind === "pcp-response" ? packet.result : 0
  const has = (kind: PcpOption["kind"]): boolean => options.some((option) => option.kind === kind)

  if (request && (result < ResultCode.INITIATION || result > ResultCode.AUTHENTICATION_REPLY)) {
    report(
      "warning",
      "authentication-result",
      3,
      "RFC 7652 5.1",
      `${resultName(result)} is no result of a PA-Client message`,
    )
  }
  if (has("EAP_PAYLOAD")) {
    const wanted = request ? ResultCode.AUTHENTICATION_REPLY : ResultCode.AUTHENTICATION_REQUEST
    if (result !== wanted) {
      const text = `a message with an EAP payload has the result ${resultName(wanted)}`
      report("error", "authentication-result", 3, "RFC 7652 5.1", text)
    }
  }
  if (request && result === ResultCode.INITIATION) {
    if (body.sessionId !== 0 || body.sequence !== 0) {
      const text = "a PA-Initiation message has session ID 0 and sequence number 0"
      report("error", "initiation-session", 24, "RFC 7652 3.1.1", text)
    }
    if (!has("NONCE")) report("error", "initiation-nonce", 32, "RFC 7652 3.1.1", "a PA-Initiation message has a NONCE")
  }
  if (!request && result === ResultCode.AUTHENTICATION_SUCCEEDED) {
    for (const kind of ["PA_AUTHENTICATION_TAG", "SESSION_LIFETIME"] as const) {
      if (!has(kind)) {
        const text = `a PA-Server message of success has a ${kind} option`
        report("error", "success-option", 32, "RFC 7652 3.1.3", text)
      }
    }
  }
}
