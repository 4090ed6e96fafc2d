import { formatAddress, protocolName } from "../../../core/wire/index.ts"
import type { Facts } from "./facts.ts"

/** One line for people, such as `MAP request UDP 4242 → 40000, 7200 s`. */
export const summaryOf = (facts: Facts): string => {
  if (facts.protocol === "flow" || facts.protocol === "overlay") return summaryOfOther(facts)
  const { protocol, response, transport, internalPort, externalPort, lifetime, addresses } = facts
  const name = [protocol === "PCP" ? "" : protocol === "other" ? "unknown" : protocol, facts.opcodeName]
    .join(" ")
    .trim()
  const parts = [`${name} ${response ? "response" : "request"}`]
  if (response && facts.resultName !== "") parts.push(facts.resultName)
  if (internalPort >= 0) {
    const what = `${protocolName(transport)} ${internalPort === 0 ? "all ports" : internalPort}`
    parts.push(externalPort > 0 ? `${what} → ${externalPort}` : what)
  } else if (facts.opcode === 0 && protocol === "NAT-PMP" && response && addresses.length > 0)
    parts.push(formatAddress(addresses[0]))
  if (lifetime >= 0 && internalPort >= 0) parts.push(lifetime === 0 && !response ? "delete" : `${lifetime} s`)
  return parts.join(", ")
}

/** `FLOW_REQ`, `FLOW_REPLY, ENAME`, `flow message`. */
const summaryOfOther = ({ opcodeName, resultName }: Facts): string =>
  resultName === "" ? opcodeName : `${opcodeName}, ${resultName}`

/** The same for a narrow list: `MAP req TCP 8080`, `MAP ok TCP 8080 → 41000`, `MAP NO_RESOURCES`. */
export const briefOf = (facts: Facts): string => {
  if (facts.protocol === "flow" || facts.protocol === "overlay") return summaryOfOther(facts)
  const { protocol, response, result, resultName, transport, internalPort, externalPort, lifetime, opcodeName } = facts
  const name = [protocol === "NAT-PMP" ? "NAT-PMP" : "", opcodeName].join(" ").trim()
  const outcome = result === 0 ? "ok" : resultName === "" ? "answer" : resultName
  const parts = [name === "" ? "unknown" : name, response ? outcome : "req"]
  if (internalPort >= 0 && result <= 0) {
    const ports = internalPort === 0 ? "all" : `${internalPort}`
    parts.push(protocol === "NAT-PMP" ? ports : `${protocolName(transport)} ${ports}`)
    if (lifetime === 0 && !response) parts.push("delete")
    else if (externalPort > 0) parts.push(`→ ${externalPort}`)
  }
  return parts.join(" ")
}
