import type { PacketProtocol } from "../../core/decode/index.ts"
import { type InspectedFinding, PROFILE_NAMES, PROFILE_WORDS, type Role } from "../model/inspect/index.ts"
import type { Workbench } from "./workbench.ts"

/** A severity has a shape and a word before it has a colour. */
export const SEVERITY_SIGNS: Readonly<Record<InspectedFinding["severity"], string>> = {
  error: "●",
  warning: "▲",
  note: "○",
}

const ROLES: readonly (readonly [Role, string])[] = [
  ["either", "either way"],
  ["server", "towards the server"],
  ["client", "towards the client"],
]

const counted = (count: number): string =>
  count === 0 ? "no findings" : `${count} ${count === 1 ? "finding" : "findings"}`

/** By which rules a packet of PCP or NAT-PMP is judged. */
const Rules = ({ bench }: { readonly bench: Workbench }) => (
  <>
    <label>
      rules of{" "}
      <select
        value={bench.profile.value}
        onChange={(event) => {
          const name = PROFILE_NAMES.find((one) => one === event.currentTarget.value)
          if (name !== undefined) bench.profile.value = name
        }}
      >
        {PROFILE_NAMES.map((name) => (
          <option key={name} value={name} title={PROFILE_WORDS[name]}>
            {name === "any" ? "the RFCs" : name}
          </option>
        ))}
      </select>
    </label>
    <label>
      going{" "}
      <select
        value={bench.role.value}
        onChange={(event) => {
          const found = ROLES.find(([role]) => role === event.currentTarget.value)
          if (found !== undefined) bench.role.value = found[0]
        }}
      >
        {ROLES.map(([role, words]) => (
          <option key={role} value={role}>
            {words}
          </option>
        ))}
      </select>
    </label>
  </>
)

/** Whose rules there are, of what has no choice of them. */
const RULES_OF: Readonly<Record<PacketProtocol, string | undefined>> = {
  "port-control": undefined,
  flow: "Ouroboros",
  vxlan: "RFC 7348",
  svp: "varpd",
}

/** What can be said against the packet; each remark chooses the field that it speaks of. */
export const FindingsView = ({ bench }: { readonly bench: Workbench }) => {
  const { findings, fields, protocol } = bench.inspection.value
  return (
    <section class="pane findings" aria-labelledby="findings-title">
      <div class="findings-head">
        <h2 id="findings-title" aria-live="polite">
          {counted(findings.length)}
        </h2>
        {protocol === "port-control" && <Rules bench={bench} />}
      </div>
      {findings.length === 0 ? (
        <p class="empty">
          Nothing to say against it, by{" "}
          {RULES_OF[protocol] ?? (bench.profile.value === "any" ? "the RFCs" : bench.profile.value)}.
        </p>
      ) : (
        <ul>
          {findings.map((finding) => (
            <li
              key={`${finding.code} ${finding.field} ${finding.offset}`}
              data-severity={finding.severity}
              onMouseEnter={() => {
                bench.hovered.value = finding.field
              }}
              onMouseLeave={() => {
                bench.hovered.value = undefined
              }}
            >
              <button type="button" class="finding" onClick={() => bench.select(finding.field)}>
                <span class="sign" aria-hidden="true">
                  {SEVERITY_SIGNS[finding.severity]}
                </span>
                <span>
                  <b>
                    {finding.severity}: {fields[finding.field].name}
                  </b>
                  <span class="why">{finding.why}</span>
                </span>
              </button>
              <a href={finding.clause.href} target="_blank" rel="noreferrer">
                {finding.clause.text}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
