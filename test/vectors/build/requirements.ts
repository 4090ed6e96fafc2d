/** The requirements that the vectors name: those of test/requirements.ts, and the kit's own for error lifetimes and extensions. */
import type { Level, Requirement } from "../../../adapters/conformance/case.ts"
import { isClients, REQUIREMENTS } from "../../requirements.ts"

const levelOf = (level: string): Level => {
  if (level.startsWith("MUST")) return "MUST"
  if (level.startsWith("SHOULD") || level === "RECOMMENDED") return "SHOULD"
  return level === "MAY" ? "MAY" : "in effect"
}

const OWN: readonly Requirement[] = [
  { id: "E-01", level: "SHOULD", clause: "RFC 6887 7.4", text: "lifetimes of errors: 30 seconds, or 30 minutes" },
  { id: "D-01", level: "MUST", clause: "RFC 7220 3", text: "DESCRIPTION: what is stored comes back" },
  { id: "D-02", level: "MUST", clause: "RFC 7220 3", text: "no DESCRIPTION unasked; one that is no UTF-8 is ignored" },
  { id: "X-01", level: "SHOULD", clause: "RFC 7225 4.2", text: "PREFIX64: the configured prefixes are told" },
  { id: "X-02", level: "MUST", clause: "RFC 7225 4.2", text: "PREFIX64: none without a prefix" },
  { id: "P-01", level: "in effect", clause: "RFC 7753 4.2", text: "PORT_SET: as many ports as can be had, not more" },
  { id: "P-02", level: "MUST", clause: "RFC 7753 4.2", text: "PORT_SET: size 0 or PREFER_FAILURE is malformed" },
  { id: "P-03", level: "in effect", clause: "RFC 7753 4.4", text: "PORT_SET: a set is renewed and deleted as one" },
  { id: "P-04", level: "in effect", clause: "RFC 7753 4", text: "PORT_SET: with MAP only" },
  { id: "T-01", level: "MUST", clause: "RFC 7843 5.2", text: "THIRD_PARTY_ID: realms, and the three result codes" },
  { id: "T-02", level: "MUST", clause: "RFC 7843 5.2", text: "THIRD_PARTY_ID unsupported: UNSUPP_OPTION" },
]

export const requirements: readonly Requirement[] = [
  ...REQUIREMENTS.filter((one) => !isClients(one)).map(({ id, level, clause, text }) => ({
    id,
    level: levelOf(level),
    clause: `RFC ${clause}`,
    text,
  })),
  ...OWN,
]
