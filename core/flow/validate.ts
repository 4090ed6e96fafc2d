import { type Finding, i32, type Severity, u32 } from "../wire/index.ts"
import type { FlowPorts } from "./detect.ts"
import { parseFirst } from "./first-form.ts"
import { Offset, parseFlow } from "./parse.ts"
import { FIRST_FORM_PORT, FlowCode, MANAGEMENT_EID, MANAGEMENT_LENGTH } from "./registry.ts"

/**
 * What can be said against one datagram of either form, in the order of its octets: why it cannot be read, and what the reference never
 * sends. Empty: nothing. Its clauses are structures and functions of the reference, which has no RFC.
 */
export const validateFlow = (bytes: Uint8Array, ports: FlowPorts = {}): readonly Finding[] => {
  if (ports.destinationPort === FIRST_FORM_PORT) {
    const first = parseFirst(bytes)
    return first.ok ? [] : [{ severity: "error", ...first.error }]
  }
  const parsed = parseFlow(bytes)
  if (!parsed.ok) return [{ severity: "error", ...parsed.error }]
  if (u32(bytes, Offset.EID) !== MANAGEMENT_EID) return []
  return bytes[Offset.CODE] === FlowCode.FLOW_REQ ? requestFindings(bytes) : replyFindings(bytes)
}

const STRUCT = "struct mgmt_msg"
const finding = (severity: Severity, code: string, offset: number, text: string): Finding => ({
  severity,
  code,
  offset,
  clause: STRUCT,
  text,
})

const requestFindings = (bytes: Uint8Array): readonly Finding[] => {
  const findings: Finding[] = []
  if (u32(bytes, Offset.RESPONDER) !== 0)
    findings.push(finding("note", "responder-nonzero", Offset.RESPONDER, "d_eid of a FLOW_REQ is 0: nobody has it yet"))
  if (u32(bytes, Offset.RESPONSE) !== 0)
    findings.push(finding("note", "response-nonzero", Offset.RESPONSE, "response of a FLOW_REQ is 0"))
  if (bytes[Offset.IN_ORDER] > 1)
    findings.push(
      finding("warning", "in-order", Offset.IN_ORDER, `in_order ${bytes[Offset.IN_ORDER]} is neither 0 nor 1`),
    )
  return findings
}

const replyFindings = (bytes: Uint8Array): readonly Finding[] => {
  const findings: Finding[] = []
  const response = i32(bytes, Offset.RESPONSE)
  if (response > 0)
    findings.push(
      finding("warning", "response-sign", Offset.RESPONSE, `a refusal is a negated error number, not ${response}`),
    )
  const spec = [
    ...bytes.subarray(Offset.BANDWIDTH, Offset.CODE),
    ...bytes.subarray(Offset.AVAILABILITY, MANAGEMENT_LENGTH),
  ]
  const at = spec.findIndex((octet) => octet !== 0)
  if (at >= 0) {
    const offset = Offset.BANDWIDTH + at >= Offset.CODE ? Offset.BANDWIDTH + at + 1 : Offset.BANDWIDTH + at
    findings.push(
      finding("note", "qos-nonzero", offset, "the quality of service of a FLOW_REPLY is 0 and says nothing"),
    )
  }
  if (response !== 0 && bytes.length > MANAGEMENT_LENGTH)
    findings.push(finding("note", "refusal-data", MANAGEMENT_LENGTH, "a refusal carries no data: it is ignored"))
  return findings
}
